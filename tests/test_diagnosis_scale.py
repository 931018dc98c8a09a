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


def in_units(small, large):
    """A decay with its rate in one unit and its height in another."""
    t = numpy.linspace(0.1, 2, 12)
    return lambda p: np.sum((p[1] / large * np.exp(-p[0] / small * t) - 2 * np.exp(-2.5 * t)) ** 2) + 0.01


def by_loop(loss, start, rate):
    x = numpy.array(start)
    with xi.record(live=False) as run:
        for _ in range(100):
            x = x - rate * grad(loss)(x)
    return run


def by_solver(loss, start, method, *, slopes=True):
    with xi.record(live=False) as run:
        minimize(value_and_grad(loss) if slopes else loss, numpy.array(start), jac=slopes, method=method)
    return run


LEFT = {
    "descent": lambda loss, a, b: by_loop(loss, [a, b], 0.1 * a * a),
    "BFGS": lambda loss, a, b: by_solver(loss, [a, b], "BFGS"),
    "L-BFGS-B": lambda loss, a, b: by_solver(loss, [a, b], "L-BFGS-B"),
    "BFGS by differences": lambda loss, a, b: by_solver(loss, [a, b], "BFGS", slopes=False),
}


@pytest.mark.parametrize("how", LEFT)
@pytest.mark.parametrize(("small", "large"), [(1e-10, 1e12), (1.0, 1e12), (2.0, 3e8)])
def test_what_the_steps_leave_where_it_is_or_throw_away_is_found_and_a_unit_mends_it(how, small, large):
    loss = in_units(small, large)
    run = LEFT[how](loss, small, large)
    finding = run.diagnosis[0]
    assert finding.kind == "scale"
    assert run.loss[run.accepted][-1] > 0.3
    at = 0 if finding.form.startswith("thrown") or finding.form == "by a difference" else 1
    assert finding.values["unit"] == pytest.approx(10.0 ** numpy.floor(numpy.log10((small, large)[at])))
    mended = LEFT[how](in_units(1.0, 1.0), 1.0, 1.0)  # as advised, of both
    assert "scale" not in {each.kind for each in mended.diagnosis}
    assert mended.loss[mended.accepted][-1] < 0.1


@pytest.mark.parametrize(("method", "copes"), [("SLSQP", False), ("BFGS", True), ("L-BFGS-B", True)])
def test_all_parameters_may_be_tiny(method, copes):
    loss = lambda p: (p[0] / 1e-9 - 3) ** 2 + (p[1] / 1e-9 - 2) ** 2 + 1.0  # noqa: E731
    run = by_solver(loss, [1e-9, 1e-9], method)
    assert (run.loss.min() < 1.1) == copes
    assert [finding.form for finding in run.diagnosis if finding.kind == "scale"] == (
        [] if copes else ["thrown, alone"]
    )


@pytest.mark.parametrize(
    "rates", [(0.05, 0.05 * 1e12**2), (0.02, 0.02 * 1e12**2)], ids=["a step for each", "shorter ones"]
)
def test_sizes_that_the_program_copes_with_are_no_finding(rates):
    loss, x = in_units(1.0, 1e12), numpy.array([1.0, 1e12])
    with xi.record(live=False) as run:
        for _ in range(400):
            x = x - numpy.array(rates) * grad(loss)(x)
    assert run.loss[-1] < 0.1
    assert "scale" not in {finding.kind for finding in run.diagnosis}


def test_a_large_parameter_that_is_right_from_the_start_is_not_left_behind():
    loss = lambda p: (p[0] - 3) ** 2 + (p[1] / 1e8 - 1) ** 2 + 1.0  # noqa: E731
    run = by_loop(loss, [1.0, 1e8], 0.1)
    assert "scale" not in {finding.kind for finding in run.diagnosis}
