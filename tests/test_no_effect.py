"""Fits in which the Jacobian of a parameter is 0: whether the data depend on it, the derivatives alone do not tell."""

from __future__ import annotations

import warnings

import numpy
import pytest
from scipy.optimize import curve_fit, least_squares

import xinv_nb as xi
from xinv_nb.run import Run

T = numpy.arange(12.0)
WAVE = 3 * numpy.sin(T / 5 * numpy.pi)
NM = numpy.linspace(400, 700, 80)


def peak(p):
    return p[0] * numpy.exp(-0.5 * ((NM - p[1]) / p[2]) ** 2)


LINE = peak([5.0, 632.0, 8.0])


def fitted(residuals, start, method="trf", **options) -> Run:
    with xi.record(live=False) as run, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        least_squares(residuals, start, method=method, **options)
    return run


HIDDEN = {
    "rint": (lambda p: p[0] * numpy.sin(T / numpy.rint(p[1]) * numpy.pi) - WAVE, [1.0, 4.2], "p[1]"),
    "int": (lambda p: p[0] * numpy.sin(T / int(p[1]) * numpy.pi) - WAVE, [1.0, 4.2], "p[1]"),
    "clip": (lambda p: numpy.clip(p[0], 0, 1) * p[1] * T - 0.4 * T, [1.4, 0.15], "p[0]"),
    "none": (lambda p: p[0] * T + 0 * p[1] - WAVE, [0.5, 0.7], "p[1]"),
}


@pytest.mark.parametrize("method", ["trf", "lm"])
@pytest.mark.parametrize("name", HIDDEN)
def test_what_has_no_slope_is_not_said_to_be_without_effect(name: str, method: str) -> None:
    residuals, start, who = HIDDEN[name]
    run = fitted(residuals, start, method)
    (finding,) = (each for each in run.diagnosis if each.kind == "undetermined")
    assert f"no residual changes with {who}, by the derivatives" in finding.text
    assert "this run does not show" in finding.text
    assert f"Try other values of {who}" in finding.advice
    said = " ".join([*(fact.text for fact in run.facts), run.uncertainty.why_not])
    assert "depends on it" not in said
    assert "ended at a minimum" not in said


@pytest.mark.parametrize("how", ["trf", "dogbox", "lm", "curve_fit", "bounds"])
def test_a_peak_far_from_the_data_has_no_slope_at_all(how: str) -> None:
    start = [1.0, 100.0, 5.0]
    if how in ("curve_fit", "bounds"):
        bounds = {"bounds": ([0, 0, 1], [10, 1000, 50])} if how == "bounds" else {}
        with xi.record(live=False) as run, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            curve_fit(lambda x, a, c, w: peak([a, c, w]), NM, LINE, p0=start, **bounds)
    else:
        run = fitted(lambda p: peak(p) - LINE, start, how)
    finding = run.diagnosis[0]
    assert (finding.kind, finding.form) == ("gradient-dies", "no residual")
    assert "no residual changes with any parameter" in finding.text
    assert "overlap" in finding.advice
    assert not {"never-moved", "undetermined"} & {each.kind for each in run.diagnosis}


def test_the_advice_to_start_where_they_overlap_helps() -> None:
    run = fitted(lambda p: peak(p) - LINE, [4.0, NM[numpy.argmax(LINE)], 12.0])
    assert list(run.diagnosis) == []
    assert run.loss[-1] < 1e-10


def test_what_lost_its_effect_has_no_standard_error() -> None:
    """The height goes to 0, and with it all that place and width do."""
    run = fitted(lambda p: peak(p) - LINE, [1.0, 500.0, 5.0], "lm")
    (finding,) = run.diagnosis
    assert (finding.kind, finding.form) == ("undetermined", "lost")
    assert "p[1] and p[2]" in finding.text
    assert not any("±" in fact.text for fact in run.facts)


def test_a_fit_that_went_far_down_in_slope_has_its_standard_errors() -> None:
    run = fitted(lambda p: numpy.exp(p[0] * T / 4) - numpy.exp(0.5 * T / 4) - 0.1 * numpy.sin(9 * T), [6.0])
    assert list(run.diagnosis) == []
    assert run.uncertainty.errors


def test_a_start_of_zeros_is_told_as_before() -> None:
    def jacobian(p):
        return (-2 * p[0] * T**2 * numpy.exp(-((p[0] * T) ** 2)))[:, None]

    run = fitted(lambda p: numpy.exp(-((p[0] * T) ** 2)) - numpy.exp(-((0.3 * T) ** 2)), [0.0], jac=jacobian)
    assert run.diagnosis[0].kind == "never-moved"
