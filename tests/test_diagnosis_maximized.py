"""A run that goes up on purpose is told as one, and a part of what a solver minimizes as a part."""

from __future__ import annotations

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from autograd.misc.optimizers import adam, rmsprop, sgd
from scipy.optimize import minimize

import xinv_nb as xi

START = numpy.array([0.3, -0.4, 0.1])


def likelihood(p):
    return 4.0 - np.sum((p - numpy.array([1.0, -0.5, 2.0])) ** 2)


def regularizer(p):
    return np.sum(np.log(1 + p**2))


def misfit(p):
    return np.sum((p - 4.0) ** 2)


def climb(rate, objective, steps=40):
    p = START
    for _ in range(steps):
        p = p + rate * grad(objective)(p)


def upwards(p, i):
    return -grad(likelihood)(p)


def recorded(program):
    with xi.record() as run:
        program()
    return run


UPHILL = {
    "a loop": lambda: climb(0.1, likelihood),
    "a slow loop": lambda: climb(0.01, likelihood),
    "Adam": lambda: adam(upwards, START, num_iters=150, step_size=0.1),
    "RMSProp": lambda: rmsprop(upwards, START, num_iters=150, step_size=0.03),
    "momentum": lambda: sgd(upwards, START, num_iters=150, step_size=0.02),
}


@pytest.mark.parametrize("program", UPHILL.values(), ids=UPHILL)
def test_a_run_uphill_is_told_as_one_and_nothing_of_its_rise_as_a_fault(program):
    run = recorded(program)
    (finding,) = run.diagnosis
    assert (finding.kind, finding.severity) == ("maximized", "caution")
    assert "likelihood is maximized: it rose from −0.11 to " in finding.text
    told = " ".join([fact.text for fact in run.facts] + [caption.text for caption in run.captions])
    for word in ("smaller step", "against its", "against the gradient at", "opposite", "asked", "never lower"):
        assert word not in told
    assert any(fact.kind == "movement" for fact in run.facts)


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "CG", "SLSQP"])
@pytest.mark.parametrize("pairs", [True, False])
def test_a_solver_that_minimizes_the_negative_is_told_to_maximize(method, pairs):
    def both(p):
        value, slope = value_and_grad(likelihood)(p)
        return -value, -slope

    def negative(p):
        return -likelihood(p)

    function, jac = (both, True) if pairs else (negative, lambda p: -grad(likelihood)(p))
    (finding,) = recorded(lambda: minimize(function, START, jac=jac, method=method)).diagnosis
    assert (finding.kind, finding.form) == ("maximized", "negative")
    assert "likelihood is maximized: it went from −0.11 to 4." in finding.text


def test_steps_uphill_from_a_bowl_are_a_sign_that_is_wrong():
    run = recorded(lambda: climb(0.1, misfit))
    (finding,) = run.diagnosis
    assert (finding.kind, finding.severity) == ("maximized", "warning")
    assert "x - rate * gradient" in finding.advice
    right = recorded(lambda: climb(-0.1, misfit))  # as advised
    assert right.diagnosis == ()
    assert right.loss[-1] < right.loss[0]


HEALTHY = {
    "too long a step": lambda: climb(-1.05, misfit),
    "momentum that overshoots": lambda: sgd(
        lambda p, i: grad(misfit)(p), START, num_iters=60, step_size=0.2, mass=0.95
    ),
    "the negative inside of the objective": lambda: minimize(value_and_grad(lambda p: -likelihood(p)), START, jac=True),
    "a multiple": lambda: minimize(lambda p: 100 * misfit(p), START, jac=lambda p: 100 * grad(misfit)(p)),
    "a constraint": lambda: minimize(
        misfit,
        START,
        jac=grad(misfit),
        method="SLSQP",
        constraints=[{"type": "ineq", "fun": lambda p: 9 - np.sum(p**2), "jac": grad(lambda p: 9 - np.sum(p**2))}],
    ),
}


@pytest.mark.parametrize("program", HEALTHY.values(), ids=HEALTHY)
def test_nothing_of_that_is_said_where_the_loss_is_minimized(program):
    found = recorded(program).diagnosis
    assert not [finding for finding in found if finding.kind in ("maximized", "not-the-minimized-function")]


def adjoint(p):
    return 2 * (p - 4.0) + 0.2 * grad(regularizer)(p)


def total(p):
    return float(numpy.sum((p - 4.0) ** 2)) + 0.2 * regularizer(p)


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "CG"])
def test_a_part_is_told_as_a_part_beside_the_whole(method, tmp_path):
    run = recorded(lambda: minimize(total, START, jac=adjoint, method=method))
    (finding,) = run.diagnosis
    assert (finding.kind, finding.severity) == ("not-the-minimized-function", "caution")
    assert "total fell from 48.3 to 1.69, while regularizer rose from 0.245 to 8.43" in finding.text
    assert xi.load(run.save(tmp_path / "run.npz")).diagnosis == run.diagnosis


def test_several_parts_are_one_finding():
    def slope(p):
        return grad(misfit)(p) + 0.2 * grad(regularizer)(p)

    (finding,) = recorded(lambda: minimize(total, START, jac=slope, method="BFGS")).diagnosis
    assert "misfit and regularizer, which autograd differentiates inside of it, are only parts" in finding.text


def test_as_advised_the_whole_by_autograd_has_no_such_finding():
    def whole(p):
        return misfit(p) + 0.2 * regularizer(p)

    run = recorded(lambda: minimize(value_and_grad(whole), START, jac=True, method="BFGS"))
    assert run.diagnosis == ()


def rough(p):
    return float(numpy.mean(numpy.abs(p - 4.0)))


def rougher(p):
    return float(numpy.sum(numpy.abs(p) ** 1.5) + numpy.abs(p[0] - 1.0))


def smooth(p):
    return np.sum((p - 4.0) ** 2)


@pytest.mark.parametrize(
    ("minimized", "method"),
    [(rough, "BFGS"), (rough, "CG"), (rougher, "BFGS"), (rougher, "CG"), (rougher, "SLSQP"), (rough, "trust-constr")],
)
def test_the_gradient_of_another_function_is_no_part_of_the_minimized_one(minimized, method):
    run = recorded(lambda: minimize(minimized, START, jac=grad(smooth), method=method))
    (finding,) = [each for each in run.diagnosis[:2] if each.kind == "not-the-minimized-function"]
    assert finding.form == "slope"
    assert f"minimizes {minimized.__name__}, but follows the gradient of smooth" in finding.text
    assert "Hand" in finding.advice
    assert run.history.objective == minimized.__name__  # which is what is told
    told = " ".join(fact.text for fact in run.facts)
    assert method in told or "onjugate gradient" in told
    assert "ore iterations would" not in told
    assert "step-too-short" not in [each.kind for each in run.diagnosis]  # the curvature was another function's


def test_with_a_gradient_of_its_own_nothing_is_told_of_another_function():
    def slope(p):
        return 2 * (p - 4.0)

    run = recorded(lambda: minimize(smooth, START, jac=slope, method="BFGS"))
    assert run.diagnosis == ()
    run = recorded(lambda: minimize(smooth, START, jac=grad(smooth), method="BFGS"))
    assert run.diagnosis == ()
