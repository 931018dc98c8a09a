"""What counts as an evaluation, and that what is recorded is what was computed."""

from __future__ import annotations

import functools
import inspect
import sys
import warnings

import autograd
import autograd.numpy as np
import pytest
from autograd import elementwise_grad, grad, hessian, jacobian, make_jvp, make_vjp, value_and_grad
from autograd.core import make_vjp as core_make_vjp
from autograd.differential_operators import make_hvp
from autograd.misc.flatten import flatten_func
from autograd.misc.optimizers import adam, rmsprop, sgd
from autograd.scipy.stats import norm
from numpy.testing import assert_array_equal
from scipy.optimize import minimize

import xinv_nb as xi


def bowl(theta):
    return np.sum(np.array([1.0, 3.0]) * theta**2) + 1.0


THETA = np.array([2.0, -1.0])


def rosenbrock(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


# ---------------------------------------------------------------------- the ways to differentiate


def with_late_import():
    from autograd import grad as late

    return late(bowl)(THETA)


def vjp_of(maker, calls):
    def differentiate():
        vjp, _ = maker(bowl, THETA) if maker is core_make_vjp else maker(bowl)(THETA)
        for _ in range(calls):
            gradient = vjp(1.0)
        return gradient if calls else None

    return differentiate


def with_aux():
    return autograd.grad_and_aux(lambda theta: (bowl(theta), theta * 2))(THETA)[0]


EVALUATIONS = {
    "grad": lambda: grad(bowl)(THETA),
    "value_and_grad": lambda: value_and_grad(bowl)(THETA)[1],
    "elementwise_grad of a scalar": lambda: elementwise_grad(bowl)(THETA),
    "jacobian of a scalar": lambda: jacobian(bowl)(THETA),
    "make_vjp, called": vjp_of(make_vjp, 1),
    "make_vjp, called twice": vjp_of(make_vjp, 2),
    "make_vjp of autograd.core, bound before": vjp_of(core_make_vjp, 1),
    "grad_and_aux": with_aux,
    "grad_named": lambda: autograd.grad_named(bowl, "theta")(THETA),
    "imported inside": with_late_import,
    "a lambda": lambda: grad(lambda theta: bowl(theta))(THETA),
    "a partial": lambda: grad(functools.partial(lambda scale, theta: scale * bowl(theta), 1.0))(THETA),
    "a checkpoint": lambda: grad(autograd.checkpoint(bowl))(THETA),
    "checkpoint inside": lambda: grad(lambda theta: autograd.checkpoint(bowl)(theta))(THETA),
}


@pytest.mark.parametrize("differentiate", EVALUATIONS.values(), ids=EVALUATIONS.keys())
def test_each_way_to_a_gradient_is_one_evaluation_with_its_value_point_and_gradient(differentiate):
    with xi.record() as run:
        gradient = differentiate()
    assert run.evaluations == 1
    assert run.loss.tolist() == [bowl(THETA)]
    assert list(run.parameters) == ["theta"]
    assert_array_equal(run.parameters["theta"], [THETA])
    assert_array_equal(run.gradients["theta"], [gradient])
    assert run.notices == []


def with_a_gradient_inside(theta):
    return np.sum(grad(bowl)(theta) ** 2)


INNER = {
    "jacobian": lambda: jacobian(with_a_gradient_inside)(THETA),
    "hessian": lambda: np.sum(hessian(bowl)(THETA)) + grad(with_a_gradient_inside)(THETA),
    "forward mode inside": lambda: grad(lambda x: make_jvp(bowl)(x)(np.ones(2))[1])(THETA),
    "a stretch that trains": lambda: grad(lambda x: np.sum(sgd(lambda y, _: grad(bowl)(y) * x, THETA, num_iters=3)))(
        THETA
    ),
}


@pytest.mark.parametrize("differentiate", INNER.values(), ids=INNER.keys())
def test_derivatives_inside_an_objective_belong_to_its_evaluation(differentiate):
    with xi.record() as run:
        differentiate()
    assert run.evaluations == 1


NONE = {
    "plain call": lambda: bowl(THETA),
    "make_vjp, never called": vjp_of(make_vjp, 0),
    "jacobian of a vector": lambda: jacobian(lambda x: x**2)(THETA),
    "elementwise_grad of a vector": lambda: elementwise_grad(np.tanh)(THETA),
    "hessian": lambda: hessian(bowl)(THETA),
    "hessian of one number": lambda: hessian(np.sin)(1.0),
    "hessian_vector_product": lambda: autograd.hessian_vector_product(bowl)(THETA, np.ones(2)),
    "make_hvp": lambda: make_hvp(np.sin)(1.0)[0](1.0),
    "the derivative of a derivative": lambda: grad(grad(np.sin))(1.0),
    "make_jvp": lambda: make_jvp(bowl)(THETA)(np.ones(2)),
    "flatten": lambda: autograd.misc.flatten({"a": 1.0})[1](np.ones(1)),
    "a gradient outside the recording": lambda: None,
}


@pytest.mark.parametrize("differentiate", NONE.values(), ids=NONE.keys())
def test_what_is_no_reverse_pass_of_a_loss_is_no_evaluation_but_the_run_says_so(differentiate):
    grad(bowl)(THETA)
    with xi.record() as run:
        differentiate()
    grad(bowl)(THETA)
    assert run.evaluations == 0
    assert len(run.notices) == 1
    assert run.loss.shape == (0,)
    assert run.captions  # a run of nothing can be shown


def test_the_notice_of_an_empty_run_does_not_deny_the_derivatives_that_were_taken():
    with xi.record() as without:
        bowl(THETA)
    with xi.record() as other:
        jacobian(lambda x: x**2)(THETA)
    assert without.notices[0].startswith("No evaluation of a loss was seen here")
    assert other.notices[0].startswith("Derivatives were taken here, but none of a function that returns a single")
    assert "least_squares" in other.notices[0]


def test_a_program_that_brings_boxes_of_its_own_is_told_that_they_cannot_be_seen():
    class Dual:
        def __init__(self, value, slope):
            self._value, self._node, self.slope = value, self, slope

        def __mul__(self, other):
            return Dual(self._value * other._value, self.slope * other._value + self._value * other.slope)

    with xi.record() as run:
        x = Dual(3.0, 1.0)
        xi.event("at {x}", x=x)
        square = xi.watch(x * x, "square")
    assert (square._value, square.slope) == (9.0, 6.0)
    assert run.evaluations == 0
    assert run.notices[0].startswith("No evaluation of a loss was seen here")
    assert "boxes of its own" in run.notices[0]


def test_functions_that_autograd_itself_offers_are_objectives_too():
    with xi.record() as run:
        grad(np.sin)(0.5)
        slope = grad(norm.logpdf, 1)(0.3, 0.1, 2.0)
        grad(norm.logpdf, 1)(0.3, 0.2, 2.0)
    assert run.parameters["x"].tolist() == [0.1, 0.2]
    assert run.gradients["x"][0] == slope
    assert run.notices == []


def test_a_result_that_does_not_depend_on_the_parameters_is_an_evaluation_with_gradient_zero():
    with xi.record() as run, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        grad(lambda x: 3.0)(THETA)
    assert run.loss.tolist() == [3.0]
    assert run.gradients["x"].tolist() == [[0.0, 0.0]]
    assert "did not depend" in run.notices[0]


def test_several_arguments_at_once():
    with xi.record() as run:
        value, gradients = value_and_grad(lambda a, k, b: k * np.sum(a**2) * b, argnum=(0, 2))(THETA, 3.0, 0.5)
    assert list(run.parameters) == ["a", "b"]
    assert run.loss[0] == value
    assert_array_equal(run.gradients["a"][0], gradients[0])
    assert run.gradients["b"][0] == gradients[1]
    a, b = run.point(0)
    assert a.tolist() == THETA.tolist()
    assert b == 0.5


def test_multigrad_dict_names_every_argument(monkeypatch):
    monkeypatch.setitem(sys.modules, "funcsigs", inspect)  # of which funcsigs is a copy

    def model(angle, speed=2.0):
        return np.sin(angle) * speed

    with xi.record() as run:
        gradients = autograd.multigrad_dict(model)(0.3)
    assert {name: rows[0] for name, rows in run.gradients.items()} == dict(gradients)
    assert run.parameters["speed"].tolist() == [2.0]


def test_complex_parameters():
    with xi.record() as run:
        gradient = grad(lambda z: np.real(z * np.conj(z)) + np.imag(z))(1.0 + 2.0j)
        autograd.holomorphic_grad(lambda w: w**2)(1.0 + 1.0j)
    assert run.parameters["z"].tolist() == [1.0 + 2.0j]
    assert run.gradients["z"].tolist() == [gradient]
    assert run.loss.tolist() == [7.0]


# ---------------------------------------------------------------------- optimizers


@pytest.mark.parametrize(("optimizer", "title"), [(adam, "Adam"), (sgd, "Gradient descent"), (rmsprop, "RMSProp")])
def test_autograds_optimizers_with_a_dict(optimizer, title):
    seen = []

    def loss(params, i):
        return np.sum((params["slope"] - 1.0) ** 2) + params["offset"] ** 2

    start = {"slope": np.array([3.0, -3.0]), "offset": 2.0}
    with xi.record() as run:
        end = optimizer(grad(loss), start, callback=lambda x, i, g: seen.append((x, g)), num_iters=7, step_size=0.1)
    assert run.evaluations == 7
    assert set(run.parameters) == {"offset", "slope"}
    for k, (point, gradient) in enumerate(seen):
        for name in ("offset", "slope"):
            assert_array_equal(run.parameters[name][k], np.squeeze(point[name]))
            assert_array_equal(run.gradients[name][k], np.squeeze(gradient[name]))
    assert run.optimizer.startswith(title)
    assert "step size 0.1" in run.optimizer
    assert set(end) == set(run.point(0))


def test_the_order_of_a_dicts_keys_does_not_mix_the_parameters_up():
    # autograd's optimizers sort the keys, the user's own dict need not be sorted
    def loss(params):
        return params["z"] ** 2 + 10 * params["a"] ** 2

    with xi.record() as run:
        value_and_grad(loss)({"z": 5.0, "a": 1.0})
        adam(lambda params, i: grad(loss)(params), {"z": 5.0, "a": 1.0}, num_iters=3, step_size=0.1)
    assert run.evaluations == 4
    assert run.parameters["z"][:2].tolist() == [5.0, 5.0]
    assert run.gradients["a"][:2].tolist() == [20.0, 20.0]
    assert run.optimizer.startswith("Adam")


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "CG", "Newton-CG"])
def test_scipy_with_flatten_func(method):
    def energy(params):
        return rosenbrock(np.append(params["x"], params["y"]))

    flat, unflatten, start = flatten_func(energy, {"y": np.array([1.0]), "x": np.array([-1.2])})
    calls = []

    def objective(x):
        value, gradient = value_and_grad(flat)(x)
        calls.append((x.copy(), float(np.squeeze(value)), gradient.copy()))
        return float(np.squeeze(value)), gradient

    hvp = autograd.hessian_vector_product(flat) if method == "Newton-CG" else None
    with xi.record() as run:
        result = minimize(objective, start, jac=True, method=method, hessp=hvp)
    assert run.optimizer.startswith({"CG": "Conjugate gradient"}.get(method, method))
    assert list(run.parameters) == ["x", "y"]
    assert_array_equal(run.loss, [value for _, value, _ in calls])
    assert_array_equal(run.parameters["x"][:, 0], [x[0] for x, _, _ in calls])
    assert_array_equal(run.gradients["y"][:, 0], [g[1] for _, _, g in calls])
    assert set(run.point(-1)) == set(unflatten(result.x))


def test_a_loop_that_changes_its_array_in_place():
    x = np.array([4.0, -2.0])
    expected = []
    with xi.record() as run:
        for _ in range(5):
            expected.append(x.copy())
            x -= 0.1 * grad(bowl)(x)
    assert_array_equal(run.parameters["theta"], expected)


def test_a_gradient_that_is_changed_in_place_afterwards_stays_as_it_was():
    with xi.record() as run:
        g = grad(bowl)(THETA)
        expected = g.copy()
        g *= 0
    assert_array_equal(run.gradients["theta"], [expected])


def test_what_was_recorded_cannot_be_overwritten():
    with xi.record() as run:
        grad(bowl)(THETA)
    for array in (run.loss, run.parameters["theta"], run.gradients["theta"], run.accepted):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 0


class Model:
    """A class that cannot be hashed, as dataclasses cannot."""

    __hash__ = None

    def __init__(self, data):
        self.data = data

    def __call__(self, x):
        return np.sum((x - self.data) ** 2)

    def misfit(self, x):
        return self(x)


@pytest.mark.parametrize(
    "objective",
    [
        lambda i: lambda x: (x - i) ** 2,
        lambda i: functools.partial(Model(0.0).misfit),
        Model,
        lambda i: Model(i).misfit,
    ],
    ids=["lambda", "partial", "instance", "method"],
)
def test_an_objective_made_anew_for_each_mini_batch_is_one_history(objective):
    with xi.record() as run:
        for i in range(4):
            grad(objective(float(i)))(1.0)
    assert run.evaluations == 4
    assert run.notices == []


def rarely(x):
    return x**4


def often(y):
    return y**2


def test_several_objectives_are_separate_and_the_most_evaluated_one_is_shown():
    with xi.record() as run:
        grad(rarely)(1.0)
        for k in range(4):
            grad(often)(float(k))
        grad(rarely)(2.0)
        grad(rarely)(3.0)
    assert run.evaluations == 4
    assert run.parameters["y"].tolist() == [0.0, 1.0, 2.0, 3.0]
    assert list(run.objectives) == ["often", "rarely"]
    assert run.objectives["often"] is run
    other = run.objectives["rarely"]
    assert other.parameters["x"].tolist() == [1.0, 2.0, 3.0]
    assert other.loss.tolist() == [1.0, 16.0, 81.0]
    assert other.status == "finished"
    assert "81" in other.captions[0].text
    assert repr(run) == "<xinv_nb.Run 'run': finished, 4 evaluations of often; run.objectives has others>"


def test_the_objective_that_is_optimized_is_shown_before_one_that_is_only_looked_at():
    with xi.record() as run:
        x = np.array([-1.2, 1.0])
        minimize(value_and_grad(rosenbrock), x, jac=True, method="BFGS")
        for k in range(100):
            grad(often)(float(k))
    assert list(run.objectives) == ["rosenbrock", "often"]
    assert run.optimizer == "BFGS"
    assert run.objectives["often"].optimizer == ""


def test_an_optimizer_that_did_little_beside_the_rest_is_not_the_main_thing():
    with xi.record() as run:
        adam(lambda x, i: grad(rarely)(x), 1.0, num_iters=3)
        for k in range(100):
            grad(often)(float(k))
    assert list(run.objectives) == ["often", "rarely"]


def test_objectives_of_the_same_name_have_a_number():
    def objective(k):
        return (lambda x: x**2) if k else (lambda x: x**3)

    with xi.record() as run:
        for i, k in enumerate((0, 1, 1)):
            grad(objective(k))(float(i))
    assert [(name, each.evaluations) for name, each in run.objectives.items()] == [
        ("objective", 2),
        ("objective (2)", 1),
    ]


def test_the_same_objective_with_parameters_of_other_shapes_is_another_history():
    with xi.record() as run:
        for x in (THETA, THETA + 1, np.ones(3)):
            grad(lambda x: np.sum(x**2))(x)
    assert run.parameters["x"].shape == (2, 2)


def test_a_point_that_comes_as_a_row_a_column_or_a_number_is_a_point_of_the_same_objective():
    with xi.record() as run:
        for x in (np.ones(3), np.ones((1, 3)), np.ones((3, 1))):
            grad(lambda x: np.sum(x**2))(x)
    with xi.record() as of_number:
        for x in (2.0, np.ones(1), np.ones((1, 1))):
            grad(lambda x: np.sum(x**2))(x)
    assert run.gradients["x"].tolist() == [[2.0, 2.0, 2.0]] * 3
    assert of_number.parameters["x"].tolist() == [2.0, 1.0, 1.0]


def test_products_with_the_hessian_written_by_hand_do_not_hide_the_objective():
    def product(x, direction):
        return np.sum(grad(hilly)(x) * direction)

    def hilly(x):
        return np.sum(x**4) + np.sum(x[1:] * x[:-1])

    with xi.record() as run:
        result = minimize(
            value_and_grad(hilly), np.linspace(-1.0, 2.0, 12), jac=True, hessp=grad(product), method="Newton-CG"
        )
        assert run.history.objective == "hilly"
    assert result.nhev > result.nfev
    assert run.loss[0] == hilly(np.linspace(-1.0, 2.0, 12))
    assert run.loss.min() == result.fun


def test_the_start_is_seen_though_the_optimizer_begins_later():
    with xi.record() as run:
        value_and_grad(rosenbrock)(np.array([-1.2, 1.0]))
        minimize(value_and_grad(rosenbrock), np.array([-1.2, 1.0]), jac=True, method="BFGS")
    assert run.optimizer == "BFGS"
    told = [(event.evaluation, event.text) for event in run.events if event.phase == "optimizer"]
    assert told[0] == (1, "BFGS starts at a loss of 24.2")
    assert told[-1][1].startswith(f"BFGS stops after {run.evaluations - 1} evaluations: ")


def test_events_are_numbered_and_bounded():
    def noisy(x):
        xi.event("at {x}", x=x)
        return x**2

    with xi.record(max_events=5) as run:
        for k in range(20):
            grad(noisy)(float(k))
    assert [event.id for event in run.events] == ["e1", "e2", "e3", "e4", "e5"]
    assert run.notices == ["More than 5 events: the later ones were not kept (--max-events keeps more)."]
