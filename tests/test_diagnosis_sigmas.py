"""Standard deviations that do not go with the scatter of the data: told with a probability, where they were given."""

from __future__ import annotations

import autograd.numpy as np
import numpy
import pytest
from autograd import value_and_grad
from scipy.optimize import curve_fit, least_squares, minimize
from scipy.stats import chi2

import xinv_nb as xi
from xinv_nb.facts.measures.chi_squared import tails
from xinv_nb.run import Run

TIMES = numpy.linspace(0, 4, 60)
SIGMA = 0.05
COUNTS = 2 * numpy.exp(-0.7 * TIMES) + SIGMA * numpy.random.default_rng(1).normal(size=60)


def decay(t, height, rate):
    return height * numpy.exp(-rate * t)


def by_curve_fit(sigma: float, absolute: bool = True) -> Run:
    with xi.record(live=False) as run:
        curve_fit(decay, TIMES, COUNTS, [1.0, 1.0], sigma=numpy.full(60, sigma), absolute_sigma=absolute)
    return run


def by_least_squares(sigma: float) -> Run:
    with xi.record(live=False) as run:
        least_squares(lambda p: xi.data(decay(TIMES, *p) - COUNTS, "counts", sigma=sigma) / sigma, [1.0, 1.0])
    return run


def by_autograd(sigma: float) -> Run:
    def loss(p):
        return np.sum((xi.data(p[0] * np.exp(-p[1] * TIMES) - COUNTS, "counts", sigma=sigma) / sigma) ** 2)

    with xi.record(live=False) as run:
        minimize(value_and_grad(loss), [1.0, 1.0], jac=True, method="BFGS", options={"gtol": 1e-6})
    return run


PROGRAMS = [by_curve_fit, by_least_squares, by_autograd]


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(("factor", "form"), [(0.2, "too large"), (5.0, "too small")])
def test_it_is_told_by_how_much_and_how_probable_that_is(program, factor: float, form: str) -> None:
    found = program(factor * SIGMA).diagnosis
    assert [(finding.kind, finding.form, finding.severity) for finding in found] == [("sigmas", form, "caution")]
    assert found[0].values["times"] == pytest.approx(1 / factor, rel=0.25)
    assert found[0].values["freedom"] == 58
    squares = found[0].values["squares"]
    expected = chi2.sf(squares, 58) if form == "too large" else chi2.cdf(squares, 58)
    assert found[0].values["probability"] == pytest.approx(max(expected, 1e-300), rel=1e-6)


@pytest.mark.parametrize("program", PROGRAMS)
def test_with_the_sigmas_multiplied_as_advised_nothing_is_said(program) -> None:
    factor = program(0.2 * SIGMA).diagnosis[0].values["times"]
    assert not program(0.2 * SIGMA * factor).diagnosis


@pytest.mark.parametrize("program", PROGRAMS)
def test_of_sigmas_that_are_about_right_nothing_is_said(program) -> None:
    for factor in (0.8, 1.0, 1.3):
        assert not program(factor * SIGMA).diagnosis


def test_of_relative_sigmas_and_of_none_nothing_is_said() -> None:
    assert not by_curve_fit(0.001, absolute=False).diagnosis
    with xi.record(live=False) as run:
        curve_fit(decay, TIMES, COUNTS, [1.0, 1.0], absolute_sigma=True)
    assert not run.diagnosis
    assert not [fact for fact in run.facts if "χ²" in fact.text]
    with xi.record(live=False) as run:
        least_squares(lambda p: 100 * (decay(TIMES, *p) - COUNTS), [1.0, 1.0])
    assert not run.diagnosis


@pytest.mark.parametrize("freedom", [1, 2, 7, 58, 1000, 40_000])
def test_the_probability_is_that_of_the_distribution(freedom: int) -> None:
    for times in (0.3, 0.8, 0.99, 1.0, 1.01, 1.2, 2.0):
        below, above = tails(times * freedom, freedom)
        assert below == pytest.approx(chi2.cdf(times * freedom, freedom), rel=1e-8, abs=1e-12)
        assert above == pytest.approx(chi2.sf(times * freedom, freedom), rel=1e-8, abs=1e-12)


NODES = numpy.linspace(0, 1, 12)
PLACES = numpy.linspace(0, 1, 40)
KERNEL = numpy.exp(-(((PLACES[:, None] - NODES) / 0.1) ** 2))
SIGNAL = KERNEL @ numpy.exp(-(((NODES - 0.5) / 0.15) ** 2)) + SIGMA * numpy.random.default_rng(2).normal(size=40)
PENALTIES = {
    "of the parameters": numpy.eye(12),
    "of differences": numpy.diff(numpy.eye(12), axis=0),
    "of differences of differences": numpy.diff(numpy.eye(12), n=2, axis=0),
}


@pytest.mark.parametrize("what", PENALTIES)
def test_rows_of_a_penalty_are_not_counted_as_data(what: str) -> None:
    rough = PENALTIES[what]
    with xi.record(live=False) as run:
        least_squares(lambda m: numpy.concatenate([(KERNEL @ m - SIGNAL) / SIGMA, 3 * (rough @ m)]), numpy.zeros(12))
    assert f"the last {len(rough)} residuals look like a penalty" in run.uncertainty.why_not
    assert not [fact for fact in run.facts if fact.kind in ("misfit", "estimate")]


def test_data_that_look_a_little_like_a_penalty_are_data() -> None:
    with xi.record(live=False) as run:
        least_squares(lambda p: p[0] + p[1] * TIMES - COUNTS, [1.0, 1.0])
    assert not run.uncertainty.why_not


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(("wrong", "form"), [([10], "one point"), ([10, 33], "few points")])
def test_single_data_points_far_off_are_no_reason_to_doubt_the_sigmas(monkeypatch, program, wrong, form) -> None:
    spoiled = COUNTS.copy()
    spoiled[wrong] += 3.0
    monkeypatch.setitem(globals(), "COUNTS", spoiled)
    (finding,) = program(SIGMA).diagnosis
    assert (finding.kind, finding.form, finding.severity) == ("sigmas", form, "caution")
    assert finding.values["outliers"] == len(wrong)
    assert finding.values["rest"] < finding.values["times"] / 2
    assert "ata point 11 of 60" in finding.text if len(wrong) == 1 else "of 60 data points" in finding.text
    assert "soft_l1" in finding.advice
    assert "multiply" not in finding.advice
