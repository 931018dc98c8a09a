"""A descent written by hand that a solver's call interrupts is one fit."""

from __future__ import annotations

import numpy
import pytest
from autograd import grad, value_and_grad
from scipy.optimize import minimize, minimize_scalar

import xinv_nb as xi
from xinv_nb.run import Run


def valley(x):
    return (1 - x[0]) ** 2 + 20 * (x[1] - x[0] ** 2) ** 2


def told(run: Run) -> str:
    return "\n".join([*(fact.text for fact in run.facts), *(caption.text for caption in run.captions)])


def steps(rule):
    """The steps of a descent, from its point and what it remembers to the next ones."""

    def next_one(x, memory):
        slope = grad(valley)(x)
        memory = 0.8 * memory - 0.002 * slope if rule == "momentum" else -0.002 * slope
        return x + memory, memory

    return next_one


@pytest.mark.parametrize("ends_with_a_call", [False, True])
@pytest.mark.parametrize("rule", ["plain", "momentum"])
@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B"])
def test_a_descent_that_is_polished_between_its_steps_is_one_fit(method, rule, ends_with_a_call, tmp_path):
    x, memory, step = numpy.array([-1.2, 1.0]), numpy.zeros(2), steps(rule)
    with xi.record() as run:
        for k in range(60 if ends_with_a_call else 68):
            x, memory = step(x, memory)
            if k % 20 == 19:
                x = minimize(value_and_grad(valley), x, jac=True, method=method, options={"maxiter": 3}).x
    assert [(fit.start, fit.stop) for fit in run.fits] == [(0, run.evaluations)]
    assert f"The loop called {method} 3 times and took over the point where each call ended." in told(run)
    assert "fits were made" not in told(run)
    assert xi.load(run.save(tmp_path / "run.npz")).facts == run.facts


@pytest.mark.parametrize("start", ["here", "elsewhere"])
def test_a_solve_whose_end_the_loop_does_not_take_over_changes_no_story(start):
    def program(*, looks):
        x, memory, step = numpy.array([-1.2, 1.0]), numpy.zeros(2), steps("momentum")
        for k in range(60):
            x, memory = step(x, memory)
            if looks and k == 30:
                at = x if start == "here" else numpy.array([2.0, -3.0])
                minimize(value_and_grad(valley), at, jac=True, method="BFGS")

    with xi.record() as alone:
        program(looks=False)
    with xi.record() as run:
        program(looks=True)
    ((first, after),) = run.fits[0].looks
    assert [(fit.start, fit.stop) for fit in run.fits] == [(0, run.evaluations)]
    lowest = min(run.loss[first:after])
    text = told(run)
    assert "those of BFGS, called between two steps of a loop, which did not go on from where that ended" in text
    assert lowest < min(alone.loss)
    story = [fact for fact in run.facts if fact.kind == "course"]
    assert story[0].values["end"] == alone.loss[-1]


def test_a_descent_that_another_function_of_the_same_value_polishes_is_one_fit(tmp_path):
    def number(x):
        return float(valley(x))

    x = numpy.array([-1.2, 1.0])
    with xi.record() as run:
        for k in range(60):
            x = x - 0.002 * grad(valley)(x)
            if k % 20 == 19:
                x = minimize(number, x, method="Nelder-Mead", options={"maxiter": 5}).x
    assert [(fit.start, fit.stop) for fit in run.fits if fit.objective == "valley"] == [(0, 60)]
    assert "minimized another function of these parameters, 2 times, and the loop went on from" in told(run)
    assert xi.load(run.save(tmp_path / "run.npz")).facts == run.facts


def test_a_search_along_the_slope_between_steps_leaves_one_fit():
    x = numpy.array([-1.2, 1.0])
    with xi.record() as run:
        for _ in range(25):
            way = -grad(valley)(x)
            x = x + minimize_scalar(lambda s: float(valley(x + s * way)), bounds=(0, 0.02), method="bounded").x * way  # noqa: B023
    assert next(iter(run.objectives)) == "valley"
    assert [(fit.start, fit.stop) for fit in run.fits if fit.objective == "valley"] == [(0, 25)]


def test_fits_from_other_starts_by_other_means_stay_fits():
    with xi.record() as run:
        for start in ([-1.2, 1.0], [2.0, -1.0], [0.0, 3.0]):
            x = numpy.array(start)
            for _ in range(20):
                x = x - 0.002 * grad(valley)(x)
            minimize(value_and_grad(valley), x, jac=True, method="BFGS")
    assert len(run.fits) == 6
    starts = [run.parameters["x"][fit.start].tolist() for fit in run.fits[::2]]
    assert starts == [[-1.2, 1.0], [2.0, -1.0], [0.0, 3.0]]
