"""lmfit's fits are recorded because they call SciPy, under the names and in the values that its users know."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

import xinv_nb as xi
from tests.browser import unavailable

if importlib.util.find_spec("lmfit") is None:
    unavailable_here = "lmfit is in the group recording: uv run --group recording pytest tests/test_lmfit.py"
else:
    unavailable_here = ""
    import lmfit

TIMES = np.linspace(0, 4, 25)
SEEN = 3 * np.exp(-0.7 * TIMES) + 0.05 * np.sin(9 * TIMES)


@pytest.fixture(autouse=True)
def needs_lmfit():
    if unavailable_here:
        unavailable(unavailable_here)


def decay(t, amplitude, rate):
    return amplitude * np.exp(-rate * t)


def misfit(parameters):
    return decay(TIMES, **parameters.valuesdict()) - SEEN


def parameters():
    found = lmfit.Parameters()
    found.add("amplitude", value=1.0, min=0.0, max=10.0)
    found.add("rate", value=1.0)
    return found


@pytest.mark.parametrize("method", ["leastsq", "nelder", "lbfgsb", "powell", "cobyla", "bfgs"])
def test_each_evaluation_is_recorded_with_the_values_of_the_parameters_not_with_numbers_in_a_scale_of_lmfits(method):
    expected = lmfit.minimize(misfit, parameters(), method=method)
    with xi.record() as run:
        result = lmfit.minimize(misfit, parameters(), method=method)
    assert result.params.valuesdict() == expected.params.valuesdict()
    assert run.evaluations == result.nfev
    assert run.notices == []
    assert list(run.parameters) == ["amplitude", "rate"]
    assert run.history.objective == "misfit"
    points = np.stack([run.parameters["amplitude"], run.parameters["rate"]], axis=1)
    squares = np.array([((decay(TIMES, *p) - SEEN) ** 2).sum() for p in points])
    scale = 2 if method == "leastsq" else 1
    np.testing.assert_allclose(scale * run.loss, squares, rtol=1e-9)
    assert run.parameters["amplitude"][run.accepted][-1] == pytest.approx(result.params["amplitude"].value, rel=1e-6)


def test_gradients_and_the_fit_of_a_model_are_those_of_the_parameters():
    with xi.record() as run:
        lmfit.Model(decay).fit(SEEN, t=TIMES, params=parameters())
    assert run.history.objective == "decay"
    rows = np.flatnonzero(np.isfinite(run.gradients["rate"]))
    assert len(rows) > 4
    for row in rows:
        amplitude, rate = run.parameters["amplitude"][row], run.parameters["rate"][row]
        residual = decay(TIMES, amplitude, rate) - SEEN
        slope = residual @ np.exp(-rate * TIMES), residual @ (-amplitude * TIMES * np.exp(-rate * TIMES))
        found = run.gradients["amplitude"][row], run.gradients["rate"][row]
        np.testing.assert_allclose(found, slope, rtol=1e-4, atol=1e-5)
    assert any("amplitude rose from 1 to 3.01" in fact.text for fact in run.facts)
