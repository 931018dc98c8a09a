"""A parameter held at its bound is a caution; one that only came near is none."""

from __future__ import annotations

import numpy
import pytest
from autograd import grad
from scipy.optimize import least_squares, minimize

import xinv_nb as xi
from xinv_nb.run import Run


def kinds(run: Run) -> list[str]:
    return [finding.kind for finding in run.diagnosis]


def bowl(p):
    return (p[0] - 3.0) ** 2 + 2 * (p[1] + 1.0) ** 2


def slope(p):
    return numpy.array([2 * (p[0] - 3.0), 4 * (p[1] + 1.0)])


def bounded(method: str, bounds) -> Run:
    with xi.record("bounded") as run:
        minimize(bowl, [0.5, 0.5], jac=slope, method=method, bounds=bounds)
    return run


@pytest.mark.parametrize("method", ["L-BFGS-B", "SLSQP", "TNC"])
def test_a_bound_that_holds_a_parameter_is_named_with_the_slope_there(method: str) -> None:
    (finding,) = bounded(method, [(None, 1.0), (None, None)]).diagnosis
    assert (finding.kind, finding.severity) == ("bound", "caution")
    assert "p[0] lies at its upper bound of 1," in finding.text
    assert finding.values["slope"] == pytest.approx(-4.0)
    assert "no minimum yet" not in " ".join(fact.text for fact in bounded(method, [(None, 1.0), (None, None)]).facts)


def test_a_least_squares_fit_at_its_lower_bound_is_told_too() -> None:
    t = numpy.linspace(0, 3, 20)
    data = 2.0 * numpy.exp(-0.4 * t)
    with xi.record("rate") as run:
        least_squares(lambda p: p[0] * numpy.exp(-p[1] * t) - data, [1.0, 1.5], bounds=([0, 0.9], [9, 9]))
    assert "bound" in kinds(run)
    assert "p[1] lies at its lower bound of 0.9," in run.diagnosis[kinds(run).index("bound")].text


def test_several_bounds_are_one_finding() -> None:
    (finding,) = bounded("L-BFGS-B", [(None, 1.0), (0.0, None)]).diagnosis
    assert finding.form == "several"
    assert "p[0]" in finding.text
    assert "p[1]" in finding.text


def test_a_bound_at_the_minimum_itself_holds_nothing() -> None:
    assert kinds(bounded("L-BFGS-B", [(None, 3.0), (None, None)])) == []


def test_a_bound_that_is_not_met_is_no_finding() -> None:
    assert kinds(bounded("L-BFGS-B", [(-9, 9), (-9, 9)])) == []


def test_the_advice_to_widen_the_bound_lowers_the_loss() -> None:
    narrow, wide = (bounded("L-BFGS-B", [(None, limit), (None, None)]) for limit in (1.0, 9.0))
    assert wide.loss[-1] < narrow.loss[-1] - 3
    assert kinds(wide) == []


@pytest.mark.parametrize("method", ["L-BFGS-B", "SLSQP", "TNC"])
def test_the_slope_by_the_solvers_own_differences_will_do(method: str) -> None:
    with xi.record("bounded") as run:
        minimize(bowl, [0.5, 0.5], method=method, bounds=[(None, 1.0), (None, None)])
    (finding,) = run.diagnosis
    assert finding.form == "one"
    assert finding.values["slope"] == pytest.approx(-4.0, rel=1e-3)
    with xi.record("free") as run:
        minimize(bowl, [0.5, 0.5], method=method, bounds=[(None, 4.0), (None, None)])
    assert kinds(run) == []


def test_a_search_without_gradients_that_ended_at_a_bound_says_less() -> None:
    with xi.record("simplex") as run:
        minimize(bowl, [0.5, 0.5], method="Nelder-Mead", bounds=[(None, 1.0), (None, None)])
    (finding,) = run.diagnosis
    assert finding.text == "p[0] ended at its upper bound of 1: the loss may be lower across it."


def looped(after, start=(0.5, 0.5), rate=0.05, steps=80) -> Run:
    """Descend, with what the program does to the point after each step."""
    p = numpy.array(start)
    with xi.record("loop", live=False) as run:
        for k in range(steps):
            value, ahead = bowl(p), slope(p)
            run.add(value, p, ahead)
            p = after(p - rate * ahead, p, k)
    return run


def test_a_limit_that_the_program_itself_sets_is_told() -> None:
    run = looped(lambda p, _, k: numpy.clip(p, -5.0, 1.25))
    (finding,) = run.diagnosis
    assert finding.form == "one, by the program"
    assert finding.text.startswith("x[0] stays at exactly 1.25 from iteration 4 on, though its slope there is −3.5")
    assert run.parameters["x"][4, 0] == 1.25 > run.parameters["x"][3, 0]
    wide = looped(lambda p, _, k: numpy.clip(p, -5.0, 5.0))  # as advised
    assert wide.diagnosis == ()
    assert wide.loss[-1] < run.loss[-1] - 3


def test_no_more_iterations_are_advised_at_limits_of_the_program_alone() -> None:
    run = looped(lambda p, _, k: numpy.clip(p, -0.5, 1.0), steps=30)
    (finding,) = run.diagnosis
    assert finding.form == "several, by the program"
    assert not [fact for fact in run.facts if fact.kind == "advice"]


def test_projected_momentum_by_autograd() -> None:
    p, speed = numpy.array([1.0, 1.0]), 0.0
    with xi.record("loop", live=False) as run:
        for _ in range(150):
            speed = 0.7 * speed - 0.01 * grad(lambda p: bowl(p))(p)
            p = numpy.maximum(p + speed, 0.0)
    (finding,) = run.diagnosis
    assert finding.values["parameter"] == "p[1]"
    assert finding.values["bound"] == 0


@pytest.mark.parametrize(
    "after",
    [
        lambda p, before, k: p if k < 20 else numpy.array([before[0], p[1]]),  # one is frozen half-way
        lambda p, before, k: numpy.array([1.0, p[1]]) if k == 20 else p,  # set once
        lambda p, before, k: numpy.array([before[0], p[1]]),  # never free
        lambda p, before, k: p,
    ],
    ids=["frozen", "set", "fixed", "free"],
)
def test_what_is_no_limit_is_not_told_as_one(after) -> None:
    assert "bound" not in kinds(looped(after))


def test_a_threshold_below_which_a_parameter_is_0_is_no_limit() -> None:
    def shrunk(p, _, k):
        return numpy.sign(p) * numpy.maximum(numpy.abs(p) - 0.05 * 13.0, 0.0)

    assert "bound" not in kinds(looped(shrunk, start=(2.0, -2.0)))
