"""A parameter held at its bound is a caution; one that only came near is none."""

from __future__ import annotations

import numpy
import pytest
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
