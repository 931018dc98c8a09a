"""A loss without a lowest value is told as one, with no advice to go on; a loss that only crosses zero is not."""

from __future__ import annotations

import warnings

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from autograd.misc.optimizers import adam
from scipy.optimize import minimize

import xinv_nb as xi

DATA = numpy.random.RandomState(1).normal(2.0, 0.7, 60)


def gaussian(p):
    return np.sum(-0.5 * ((DATA - p[0]) / np.exp(p[1])) ** 2 - p[1])


def binomial(q):
    return np.sum(7 * np.log(q) + 3 * np.log(1 - q))


def poisson(a):
    return np.sum(numpy.arange(1.0, 9.0) * a - np.exp(a))


def descent(objective, start, rate, steps):
    x = numpy.array(start, dtype=float)[()]
    for _ in range(steps):
        x = x - rate * grad(objective)(x)


def recorded(program):
    with warnings.catch_warnings(), xi.record() as run:
        warnings.simplefilter("ignore")
        program()
    return run


RUNAWAYS = {
    "a likelihood by a loop": lambda: descent(gaussian, [1.0, 0.5], 1e-3, 40),
    "counts by a loop": lambda: descent(poisson, 1.0, 0.01, 50),
    "by Adam": lambda: adam(lambda p, i: grad(gaussian)(p), numpy.array([1.0, 0.5]), num_iters=80, step_size=0.05),
    "by CG": lambda: minimize(value_and_grad(lambda a: np.sum(poisson(a))), [1.0], jac=True, method="CG"),
    "by BFGS": lambda: minimize(value_and_grad(lambda a: np.sum(poisson(a))), [1.0], jac=True, method="BFGS"),
    "without a gradient": lambda: minimize(lambda a: np.sum(poisson(a)), [1.0], method="Nelder-Mead"),
    "a saddle": lambda: descent(lambda p: p[0] ** 2 - p[1] ** 2 + 0.5, [1.0, 0.3], 0.05, 60),
}


@pytest.mark.parametrize("program", RUNAWAYS.values(), ids=RUNAWAYS)
def test_a_loss_without_end_is_told_and_nothing_that_goes_on_is_advised(program):
    run = recorded(program)
    (finding,) = [each for each in run.diagnosis[:2] if each.kind == "unbounded"]
    assert finding.severity == "warning"
    assert " without end, from " in finding.text
    assert "negative" in finding.advice
    told = " ".join([fact.text for fact in run.facts] + [caption.text for caption in run.captions])
    for word in ("ore iterations", "fall further", "at a minimum", "smaller step"):
        assert word not in told


def test_as_advised_its_negative_has_a_lowest_value():
    run = recorded(lambda: minimize(value_and_grad(lambda p: -gaussian(p)), [1.0, 0.5], jac=True))
    assert run.diagnosis == ()
    assert run.parameters["p"][-1][0] == pytest.approx(DATA.mean(), abs=1e-4)


HEALTHY = {
    "crosses zero and levels off": lambda: descent(lambda x: (x - 3.0) ** 2 - 5.0, 9.0, 0.1, 40),
    "unfinished": lambda: descent(lambda x: (x - 3.0) ** 2 - 5.0, 9.0, 0.001, 400),
    "a likelihood": lambda: minimize(value_and_grad(lambda p: -gaussian(p)), [0.0, 1.0], jac=True, method="L-BFGS-B"),
    "from a saddle into a well": lambda: descent(lambda x: x**4 - x**2, 0.01, 0.05, 120),
    "a line, at one slope": lambda: descent(lambda x: 3.0 - x, 0.0, 0.1, 60),
    "too long a step": lambda: descent(lambda x: x**2 - 1.0, 1.0, 1.2, 30),
}


@pytest.mark.parametrize("program", HEALTHY.values(), ids=HEALTHY)
def test_a_loss_that_has_an_end_is_not_told_to_have_none(program):
    assert not [finding for finding in recorded(program).diagnosis if finding.kind == "unbounded"]


@pytest.mark.parametrize("program", RUNAWAYS.values(), ids=RUNAWAYS)
def test_what_has_no_lowest_value_has_nothing_left_to_gain(program):
    assert "left-to-gain" not in [finding.kind for finding in recorded(program).diagnosis]


def test_a_loss_is_told_as_infinite_from_the_first_such_point_on_that_was_accepted():
    waits = numpy.random.RandomState(1).exponential(2.0, 50)
    run = recorded(
        lambda: minimize(value_and_grad(lambda p: np.sum(p[0] - np.exp(p[0]) * waits)), [0.0], jac=True, method="BFGS")
    )
    infinite = numpy.flatnonzero(run.accepted & ~numpy.isfinite(run.loss))
    tried = ~run.accepted & numpy.isfinite(run.loss)
    assert tried[: infinite[0]].any()
    (course,) = [fact for fact in run.facts if fact.kind == "course"]
    assert course.text.endswith(f"from evaluation {infinite[0]} on it was infinite.")
