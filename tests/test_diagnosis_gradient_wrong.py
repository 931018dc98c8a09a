"""A gradient that is not that of the loss: told by what short steps do, in searches and in loops."""

from __future__ import annotations

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from autograd.extend import defvjp, primitive
from autograd.misc.optimizers import adam, sgd
from scipy.optimize import minimize

import xinv_nb as xi
from xinv_nb.run import Run

T = numpy.linspace(0.0, 3.0, 24)


@primitive
def ringing(k):
    return numpy.exp(-k[0] * T) * numpy.cos(k[1] * T) + k[2]


def back(ans, k):
    slope = T * numpy.exp(-k[0] * T) * numpy.sin(k[1] * T)  # a minus is lost
    return lambda g: numpy.array([numpy.sum(-g * T * (ans - k[2])), numpy.sum(g * slope), numpy.sum(g)])


defvjp(ringing, back)
DATA = ringing(numpy.array([0.4, 2.2, 0.1]))
START = numpy.array([0.7, 1.8, 0.0])


def misfit(k):
    return np.sum((ringing(k) - DATA) ** 2)


def right(k):
    return np.sum((np.exp(-k[0] * T) * np.cos(k[1] * T) + k[2] - DATA) ** 2)


def solved(objective, method: str) -> Run:
    with xi.record(live=False) as run:
        minimize(value_and_grad(objective), START, jac=True, method=method)
    return run


@pytest.mark.parametrize("method", ["L-BFGS-B", "BFGS", "CG", "TNC", "trust-constr"])
def test_a_search_that_fails_by_a_lost_sign_names_the_entry(method: str) -> None:
    first = solved(misfit, method).diagnosis[0]
    assert first.kind == "gradient-wrong"
    assert first.values["parameter"] == "k[1]"
    assert first.values["slope"] == -first.values["opposite"]
    assert "check the sign of k[1]" in first.advice.lower()


def test_what_the_entry_says_is_turned_by_differences() -> None:
    run = solved(misfit, "L-BFGS-B")
    first = run.diagnosis[0]
    at = run.parameters["k"][first.values["first"]]
    moved = numpy.array([0.0, 1e-6, 0.0])
    slope = (right(at + moved) - right(at - moved)) / 2e-6
    assert first.values["opposite"] == pytest.approx(slope, rel=1e-4)


@pytest.mark.parametrize("method", ["L-BFGS-B", "BFGS", "CG", "SLSQP", "TNC"])
def test_with_the_right_gradient_nothing_is_wrong(method: str) -> None:
    run = solved(right, method)
    assert not run.diagnosis or method == "CG"
    assert "gradient-wrong" not in {finding.kind for finding in run.diagnosis}
    assert run.loss.min() < 1e-6  # what the advice brings


def test_what_rests_on_a_wrong_gradient_is_not_said() -> None:
    run = solved(misfit, "L-BFGS-B")
    assert not {"advice", "minimum", "credit", "identifiability"} & {fact.kind for fact in run.facts}


def trained(loop) -> Run:
    with xi.record(live=False) as run:
        loop(lambda k, i: grad(misfit)(k))
    return run


@pytest.mark.parametrize(
    "loop",
    [
        lambda slope: adam(slope, START, num_iters=150, step_size=0.02),
        lambda slope: sgd(slope, START, num_iters=150, step_size=0.02, mass=0.9),
        lambda slope: sgd(slope, START, num_iters=150, step_size=0.01, mass=0.0),
    ],
)
def test_a_loop_tells_by_its_steps_which_entry_is_off(loop) -> None:
    first = trained(loop).diagnosis[0]
    assert first.kind == "gradient-wrong"
    assert first.values["parameter"] == "k[1]"
    assert first.values["factor"] == pytest.approx(-1, abs=0.05)


def descended(slope, count: int = 80) -> Run:
    with xi.record(live=False) as run:
        x = numpy.array([3.0, 1.0])
        for _ in range(count):
            run.add(x[0] ** 2 + 2 * x[1] ** 2 + x[0] * x[1], x, slope(x))
            x = x - 0.05 * slope(x)
    return run


def test_a_run_that_converges_all_the_same_is_told_of() -> None:
    first = descended(lambda x: numpy.array([2 * x[0] + x[1], -x[0] + 4 * x[1]])).diagnosis[0]
    assert first.kind == "gradient-wrong"
    assert first.values["ratio"] == pytest.approx(1.12, abs=0.01)


def test_a_forgotten_factor_is_told_as_one() -> None:
    run = descended(lambda x: numpy.array([x[0] + x[1] / 2, x[0] / 2 + 2 * x[1]]))
    assert run.diagnosis[0].form == "by a factor"
    assert run.diagnosis[0].values["ratio"] == pytest.approx(2)


def test_a_right_gradient_given_by_hand_is_right() -> None:
    assert not descended(lambda x: numpy.array([2 * x[0] + x[1], x[0] + 4 * x[1]])).diagnosis


def test_noise_in_the_gradient_is_no_wrong_gradient() -> None:
    rng = numpy.random.default_rng(0)
    noisy = descended(lambda x: numpy.array([2 * x[0] + x[1], x[0] + 4 * x[1]]) * rng.uniform(0.2, 1.8, 2), 200)
    assert "gradient-wrong" not in {finding.kind for finding in noisy.diagnosis}


def test_kinks_are_no_wrong_gradient() -> None:
    with xi.record(live=False) as run:
        x = numpy.array([3.0, -2.0])
        for step in range(200):
            x = x - 0.3 / (1 + step) ** 0.5 * grad(lambda x: np.sum(np.abs(x)) + np.max(x))(x)
    assert not run.diagnosis


def test_an_objective_that_changes_from_step_to_step_has_a_right_gradient() -> None:
    state = {"weight": 0.0}

    def between(p):
        weight = state["weight"]
        return (p - 5.0) ** 2 * (1 - weight) + (p + 5.0) ** 2 * weight

    p = 0.0
    with xi.record() as run:
        for weight in numpy.linspace(0, 1, 60):
            state["weight"] = weight
            p = p - 0.1 * grad(between)(p)
    assert "gradient-wrong" not in {finding.kind for finding in run.diagnosis}

    weight = numpy.float64(0.0)

    def of_a_closure(p):
        return (p - 5.0) ** 2 * (1 - weight) + (p + 5.0) ** 2 * weight

    p = 0.0
    with xi.record() as run:
        for weight in numpy.linspace(0, 1, 60):  # noqa: B007 - the objective reads it
            p = p - 0.1 * grad(of_a_closure)(p)
    assert "gradient-wrong" not in {finding.kind for finding in run.diagnosis}


RNG = numpy.random.default_rng(3)
X = RNG.standard_normal((100, 4))
CLASS = (numpy.array([1.0, -1.5, 0.5, 0.0]) @ X.T + RNG.standard_normal(100) > 0).astype(float)


def log_loss(w):
    return numpy.mean(numpy.logaddexp(0, X @ w) - CLASS * (X @ w)) + 0.05 * w @ w


def its_slope(w):
    return X.T @ (1 / (1 + numpy.exp(-X @ w)) - CLASS) / 100 + 0.1 * w


def of_class(slope, method: str, start=0.0) -> Run:
    with xi.record(live=False) as run:
        minimize(log_loss, numpy.full(4, start), jac=slope, method=method)
    return run


METHODS = ["BFGS", "L-BFGS-B", "CG", "TNC", "SLSQP", "Newton-CG"]
SLIPS = {
    "a sign": lambda w: its_slope(w) * numpy.array([1, -1, 1, 1]),
    "the sign of the penalty": lambda w: its_slope(w) - 0.2 * w,
    "two entries exchanged": lambda w: its_slope(w)[[1, 0, 2, 3]],
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("slip", SLIPS)
def test_a_slope_by_hand_that_is_another_functions_is_found(method: str, slip: str) -> None:
    run = of_class(SLIPS[slip], method)
    assert "gradient-wrong" in {finding.kind for finding in run.diagnosis[:2]}
    assert "noisy-evaluations" not in {finding.kind for finding in run.diagnosis}
    assert not [fact for fact in run.facts if fact.kind == "minimum"]


@pytest.mark.parametrize("method", METHODS)
def test_a_right_slope_by_hand_is_right(method: str) -> None:
    assert not of_class(its_slope, method, 0.5).diagnosis


def test_a_search_that_knows_the_slope_at_its_start_alone_names_the_entry() -> None:
    first = of_class(SLIPS["a sign"], "SLSQP").diagnosis[0]
    assert first.form == "along a search, of its start, one sign"
    assert first.values["parameter"] == "w[1]"


def bowl(x):
    return 0.5 * x @ (numpy.array([1.0, 5.0, 20.0]) * (x - 2)) + 0.5 * x @ x


def without_its_penalty(x):
    return numpy.array([1.0, 5.0, 20.0]) * (x - 1)


@pytest.mark.parametrize("method", METHODS)
def test_where_a_wrong_slope_is_level_is_no_minimum(method: str) -> None:
    with xi.record(live=False) as run:
        minimize(bowl, [4.0, 3.0, -2.0], jac=without_its_penalty, method=method)
    assert not [fact for fact in run.facts if fact.form == "reached"]


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B"])
def test_a_factor_is_told_of_a_few_bent_steps(method: str) -> None:
    with xi.record(live=False) as run:
        minimize(lambda x: x @ (numpy.array([1.0, 5.0]) * x), [4.0, 3.0], jac=lambda x: [x[0], 5 * x[1]], method=method)
    assert run.diagnosis[0].form == "by a factor"
    assert run.diagnosis[0].values["ratio"] == pytest.approx(2)


def ripples(x):
    return numpy.log1p(x @ x) + 0.3 * numpy.sum(numpy.sin(6 * x) ** 2)


INEXACT = {
    "a loss to three digits": (
        lambda w: round(float(log_loss(w)), 3),
        its_slope,
    ),
    "differences": (
        log_loss,
        lambda w: numpy.array([(log_loss(w + 1e-4 * way) - log_loss(w)) / 1e-4 for way in numpy.eye(4)]),
    ),
    "ripples": (ripples, lambda x: 2 * x / (1 + x @ x) + 1.8 * numpy.sin(12 * x)),
    "kinks": (
        lambda w: log_loss(w) + 0.1 * numpy.abs(w).sum(),
        lambda w: its_slope(w) + 0.1 * numpy.sign(w),
    ),
    "a constant of 10 million": (lambda w: log_loss(w) + 1e7, its_slope),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("what", INEXACT)
def test_a_right_slope_of_a_loss_that_is_not_smooth_is_right(method: str, what: str) -> None:
    objective, slope = INEXACT[what]
    for start in (0.3, -1.7, 2.9):
        with xi.record(live=False) as run:
            minimize(objective, numpy.full(4, start) + 0.1 * numpy.arange(4), jac=slope, method=method)
        assert "gradient-wrong" not in {finding.kind for finding in run.diagnosis}


def test_steps_across_many_waves_are_no_wrong_slope() -> None:
    times = numpy.linspace(0, 4, 50)
    with xi.record(live=False) as run:
        p = numpy.array([1.0, 3.0])
        for _ in range(100):
            wave = numpy.sin(p[1] * times)
            misses = p[0] * wave - numpy.sin(5 * times)
            slope = numpy.array([misses @ wave, misses @ (p[0] * times * numpy.cos(p[1] * times))])
            run.add(misses @ misses / 2, p, slope)
            p = p - 0.2 * slope
    assert "gradient-wrong" not in {finding.kind for finding in run.diagnosis}
