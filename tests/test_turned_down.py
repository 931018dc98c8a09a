"""A line search that accepts no step, though it had tried lower points: never told as one that found nothing lower."""

from __future__ import annotations

import autograd.numpy as np
import numpy
import pytest
from autograd import value_and_grad
from scipy.optimize import minimize

import xinv_nb as xi


def quartic(x):
    return 2 * np.sum((x - 2.5) ** 4) + 1


def sixth_power(x):
    return np.sum((x + 2) ** 6) + 1


def told(run):
    return "\n".join([*(fact.text for fact in run.facts), *(caption.text for caption in run.captions)])


@pytest.fixture(params=[(quartic, 0.0, 2), (sixth_power, 0.0, 5)], ids=["quartic", "sixth power"])
def given_up(request):
    f, start, width = request.param
    with xi.record() as run:
        result = minimize(value_and_grad(f), numpy.full(width, start), jac=True, method="CG")
    assert "precision loss" in result.message
    assert run.loss.min() < result.fun - 1
    return f, run, result


def test_the_lower_point_is_told_and_that_it_was_not_accepted(given_up):
    _, run, result = given_up
    finding = run.diagnosis[0]
    assert (finding.kind, finding.severity) == ("left-to-gain", "warning")
    assert finding.values["iteration"] == int(numpy.argmin(run.loss))
    assert finding.values["lowest"] == pytest.approx(run.loss.min())
    assert finding.values["loss"] == pytest.approx(result.fun)
    text = told(run)
    assert "found no lower loss" not in text
    assert "finds no lower loss" not in text
    assert "check that the gradient is exact" not in text
    assert "its line search accepted no further step" in text


def test_the_lowest_loss_is_asked_for(given_up):
    _, run, _ = given_up
    assert f"evaluation {int(numpy.argmin(run.loss))}" in run.ask("What was the lowest loss?", model=False).text


def test_the_advice_leads_lower(given_up):
    f, run, result = given_up
    again = minimize(value_and_grad(f), run.point(run.diagnosis[0].values["iteration"]), jac=True, method="L-BFGS-B")
    assert again.fun < run.loss.min() < result.fun


def test_a_search_that_found_nothing_lower_is_told_as_before():
    with xi.record() as run:
        minimize(lambda x: (float(x @ x), -2 * x), numpy.array([1.0, 2.0]), jac=True, method="CG")
    assert "finds no lower loss along its direction any more" in told(run)
    assert "left-to-gain" not in [finding.kind for finding in run.diagnosis]


def test_it_is_kept_in_the_file(given_up, tmp_path):
    _, run, _ = given_up
    again = xi.load(run.save(tmp_path / "run.xinv") or tmp_path / "run.xinv")
    assert told(again) == told(run)
