"""Parameters of very different sizes, of which the first step throws one away."""

from __future__ import annotations

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from autograd.misc.optimizers import adam
from scipy.optimize import minimize

import xinv_nb as xi
from xinv_nb.run import Run

T = numpy.linspace(0.0, 1.0, 9)


def problem(small: float, large: float):
    """A decay with a rate in units of `small` and amplitudes in units of `large`."""

    def model(p):
        return p[2] + p[1] * np.exp(-T * p[0] / small)

    data = model(numpy.array([2 * small, 1.5 * large, 4 * large]))
    return lambda p: np.sum((model(p) - data) ** 2), numpy.array([small, 1.2 * large, 4.2 * large])


def solved(method: str, small: float, large: float) -> Run:
    misfit, start = problem(small, large)
    with xi.record(live=False) as run:
        minimize(value_and_grad(misfit), start, jac=True, method=method)
    return run


@pytest.mark.parametrize("method", ["CG", "L-BFGS-B", "SLSQP"])
@pytest.mark.parametrize(("small", "large"), [(1e-17, 1e3), (1e-9, 100.0), (1e-6, 1e3)])
def test_the_parameter_that_is_thrown_away_is_named(method: str, small: float, large: float) -> None:
    found = solved(method, small, large).diagnosis[0]
    assert found.kind == "scale"
    assert found.values["parameter"] == "p[0]"
    assert found.values["start"] == small
    assert found.values["unit"] == pytest.approx(small)


def test_the_ratio_is_that_of_the_slopes() -> None:
    run = solved("L-BFGS-B", 1e-17, 1e3)
    slopes = numpy.abs(run.gradients["p"][0])
    assert run.diagnosis[0].values["ratio"] == pytest.approx(slopes[0] / slopes[1:].min())
    assert not {"advice", "minimum", "identifiability"} & {fact.kind for fact in run.facts}


@pytest.mark.parametrize("method", ["L-BFGS-B", "BFGS", "SLSQP"])
def test_scaled_as_advised_the_fit_succeeds(method: str) -> None:
    misfit, start = problem(1e-17, 1e3)
    unit = solved("L-BFGS-B", 1e-17, 1e3).diagnosis[0].values["unit"]
    units = numpy.array([unit, 1e3, 1e3])
    with xi.record(live=False) as run:
        minimize(value_and_grad(lambda q: misfit(q * units) / 1e6), start / units, jac=True, method=method)
    assert run.loss[-1] < 1e-6
    assert not run.diagnosis


def test_loops_throw_it_away_as_well() -> None:
    misfit, start = problem(1e-9, 100.0)
    with xi.record(live=False) as run:
        adam(lambda p, i: grad(misfit)(p), start, num_iters=100, step_size=0.1)
    assert run.diagnosis[0].kind == "scale"


@pytest.mark.filterwarnings("ignore:overflow")
def test_finite_differences_longer_than_the_parameter() -> None:
    misfit, start = problem(1e-17, 1e3)
    with xi.record(live=False) as run:
        minimize(lambda p: np.minimum(misfit(p), 1e12), start, method="L-BFGS-B")
    assert run.diagnosis[0].kind == "scale"
    assert run.diagnosis[0].form == "by a difference"


@pytest.mark.parametrize("method", ["L-BFGS-B", "BFGS", "CG"])
def test_a_start_near_0_is_no_small_parameter(method: str) -> None:
    start = numpy.array([1e-9, 50.0, 1e-12])
    with xi.record(live=False) as run:
        minimize(
            value_and_grad(lambda p: np.sum((p - np.array([2.0, 60.0, -3.0])) ** 2)), start, jac=True, method=method
        )
    assert not run.diagnosis
