"""PennyLane: what its users get, and that the recording changes no bit of their results."""

from __future__ import annotations

import pytest
from numpy.testing import assert_array_equal
from scipy.optimize import minimize

import xinv_nb as xi
from tests.same_bits import harmlessly_recorded

qml = pytest.importorskip("pennylane", reason="needs autograd 1.8: tests/test_versions.py runs it where PennyLane is")
pnp = qml.numpy

METHODS = ("backprop", "parameter-shift", "adjoint", "finite-diff")


def circuit(method="best", measured=lambda: qml.expval(qml.PauliZ(1))):
    @qml.qnode(qml.device("default.qubit", wires=2), diff_method=method)
    def expectation(angles):
        qml.RX(angles[0], wires=0)
        qml.RY(angles[1], wires=1)
        qml.CNOT(wires=[0, 1])
        return measured()

    return expectation


def start():
    return pnp.array([0.3, 0.7], requires_grad=True)


def descend(optimizer, objective, *arguments, steps=6):
    """Let an optimizer of PennyLane go some steps; returns its points and the losses that it reports."""
    points, losses = [], []
    for _ in range(steps):
        points.append(list(arguments))
        arguments, loss = optimizer.step_and_cost(objective, *arguments)
        arguments = arguments if isinstance(arguments, (list, tuple)) else [arguments]
        losses.append(float(loss))
    return points, losses, [argument.requires_grad for argument in arguments]


OPTIMIZERS = {
    "gradient descent": lambda: qml.GradientDescentOptimizer(0.3),
    "Adam": lambda: qml.AdamOptimizer(0.1),
    "momentum": lambda: qml.MomentumOptimizer(0.1),
    "RMSProp": lambda: qml.RMSPropOptimizer(0.05),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
def test_a_cost_around_a_circuit(optimizer, method):
    expectation = circuit(method)

    def cost(angles):
        return expectation(angles) ** 2 + 0.1 * pnp.sum(angles**2)

    run, (points, losses, trainable) = harmlessly_recorded(lambda: descend(optimizer(), cost, start()))
    assert trainable == [True]
    assert run.evaluations == 6
    assert run.loss.tolist() == losses
    assert list(run.parameters) == ["angles"]
    assert_array_equal(run.parameters["angles"], [point[0] for point in points])
    assert run.history.objective == "cost"
    assert run.notices == []
    assert [claim for caption in run.captions for claim in caption.claims if claim.supported is False] == []


@pytest.mark.parametrize("method", METHODS)
def test_a_circuit_that_is_the_objective_itself(method):
    run, (_, losses, _) = harmlessly_recorded(
        lambda: descend(qml.GradientDescentOptimizer(0.3), circuit(method), start())
    )
    assert run.loss.tolist() == losses
    assert run.history.objective == "expectation"
    assert list(run.parameters) == ["angles"]
    assert run.notices == []


def test_arguments_that_are_trained_beside_data_that_is_not():
    expectation = circuit("parameter-shift")

    def cost(weights, data, bias):
        return (pnp.sum(weights) * expectation(weights[0] * data) + bias) ** 2

    weights, bias = pnp.array([[0.4, 0.1]], requires_grad=True), pnp.array(0.5, requires_grad=True)
    data = pnp.array([1.0, 2.0], requires_grad=False)
    run, (points, losses, trainable) = harmlessly_recorded(
        lambda: descend(qml.AdamOptimizer(0.05), cost, weights, data, bias)
    )
    assert trainable == [True, False, True]
    assert {name: rows.shape for name, rows in run.parameters.items()} == {"weights": (6, 1, 2), "bias": (6,)}
    assert_array_equal(run.parameters["bias"], [point[2] for point in points])
    assert run.loss.tolist() == losses
    assert run.notices == []


def test_one_argument_of_several_by_its_position():
    def cost(scale, angles):
        return scale * circuit()(angles)

    run, gradients = harmlessly_recorded(
        lambda: qml.grad(lambda scale, angles: cost(scale, angles))(pnp.array(2.0, requires_grad=False), start())
    )
    assert run.evaluations == 1
    assert_array_equal(run.gradients["angles"], [gradients])


def test_the_natural_gradient_and_a_watched_expectation():
    def program():
        return descend(qml.QNGOptimizer(0.1), circuit("parameter-shift"), start())

    run, (points, losses, _) = harmlessly_recorded(program)
    assert run.loss.tolist() == losses
    assert_array_equal(run.parameters["angles"], [point[0] for point in points])

    def cost(angles):
        return (xi.watch(circuit()(angles), "magnetization") - 1.0) ** 2

    watched, (_, losses, _) = harmlessly_recorded(lambda: descend(qml.AdamOptimizer(0.1), cost, start()))
    values = watched.watches["magnetization"].values
    assert_array_equal((values - 1.0) ** 2, losses)
    assert_array_equal(watched.watches["magnetization"].cotangents, 2 * (values - 1.0))
    assert watched.notices == run.notices == []


def test_scipy_over_a_circuit():
    expectation = circuit("adjoint")

    def program():
        def objective(x):
            angles = pnp.array(x, requires_grad=True)
            gradient = qml.grad(expectation)
            return gradient(angles), gradient.forward

        def value_and_gradient(x):
            slope, value = objective(x)
            return float(value), slope

        result = minimize(value_and_gradient, [0.3, 0.7], jac=True, method="BFGS")
        return result.x, result.fun, result.nfev

    run, (x, fun, nfev) = harmlessly_recorded(program)
    assert run.evaluations == nfev
    assert run.optimizer == "BFGS"
    assert_array_equal(run.point(-1), x)
    assert run.loss.min() == fun
    assert run.notices == []


probabilities = circuit("parameter-shift", lambda: qml.probs(wires=[0, 1]))

UNSEEN = {
    "shifts without autograd": (lambda: qml.gradients.param_shift(probabilities)(start()), "returns a single number"),
    "jacobian of probabilities": (lambda: qml.jacobian(probabilities)(start()), "returns a single number"),
    "Hessian": (lambda: qml.jacobian(qml.grad(circuit("backprop")))(start()), "returns a single number"),
    "optimizer without gradients": (
        lambda: qml.RotosolveOptimizer().step(circuit(), start(), nums_frequency={"angles": {(0,): 1, (1,): 1}}),
        "No evaluation of a loss was seen here",
    ),
    "plain calls": (lambda: circuit()(start()), "No evaluation of a loss was seen here"),
}


@pytest.mark.parametrize(("program", "words"), UNSEEN.values(), ids=UNSEEN.keys())
def test_what_cannot_be_seen_is_said(program, words):
    run, _ = harmlessly_recorded(program)
    assert run.evaluations == 0
    (notice,) = run.notices
    assert words in notice
