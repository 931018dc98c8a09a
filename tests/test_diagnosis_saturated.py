"""A watched quantity that no longer responds is told, one that is where it should be is not."""

from __future__ import annotations

import warnings

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from scipy.optimize import minimize

import xinv_nb as xi
from xinv_nb.run import Run


def descend(loss, start, step: float, count: int = 200) -> Run:
    p = numpy.array(start, dtype=float)
    with xi.record(live=False) as run:
        for _ in range(count):
            p = p - step * grad(loss)(p)
    return run


def pump(highest: float):
    def loss(p):
        flow = xi.watch(np.clip(p[0] * p[1], 0.0, highest), "flow", "L/s")
        return (flow - 3) ** 2 + 0.5 * (p[0] - 2.5) ** 2 + 0.5 * (p[1] - 1.0) ** 2

    return loss


def basin(highest: float):
    """The level runs over at a height; the pipes have a price of their own."""

    def loss(p):
        level = xi.watch(np.minimum(p["rain"] * 2 + p["inflow"] ** 2, highest), "level", "m")
        return 0.1 * np.sum((level * np.linspace(1, 2, 5) - 7) ** 2) + np.sum((p["rain"] - 3) ** 2) + p["inflow"] ** 2

    return loss


def run_over(highest: float) -> Run:
    loss = basin(highest)
    p = {"rain": 0.2, "inflow": 0.3}
    with xi.record(live=False) as run:
        for _ in range(120):
            slopes = grad(loss)(p)
            p = {name: value - 0.03 * slopes[name] for name, value in p.items()}
    return run


def test_a_flow_that_is_clipped_is_told_though_its_parameters_have_a_gradient() -> None:
    run = descend(pump(2.0), [0.5, 0.5], 0.02)
    (finding,) = run.diagnosis
    flow = run.watches["flow"].values
    since = int(numpy.flatnonzero(flow != 2.0)[-1]) + 1
    assert (finding.kind, finding.form, finding.severity) == ("saturated", "watched", "caution")
    assert finding.span == (since, 199)
    assert finding.text == (
        f"Flow no longer responds: from iteration {since} on it has been 2 L/s to the last digit, while the "
        "parameters went on moving, although a higher flow would lower the loss."
    )
    assert not [fact for fact in run.facts if fact.kind == "minimum"]
    assert "no longer responds" in run.ask("Why does the flow not respond?").text


def test_a_level_that_runs_over_is_told() -> None:
    (finding,) = [each for each in run_over(4.0).diagnosis if each.kind == "saturated"]
    assert finding.values["value"] == 4.0
    assert finding.text.endswith("although a higher level would lower the loss.")


def test_the_advice_helps() -> None:
    clipped, free = descend(pump(2.0), [0.5, 0.5], 0.02), descend(pump(5.0), [0.5, 0.5], 0.02)
    assert free.diagnosis == ()
    assert free.loss[-1] < 0.2 * clipped.loss[-1]


def hinge(p):
    """A penalty that is not paid any more."""
    excess = xi.watch(np.maximum(0.0, p[0] - 1 + 0.3 * p[1]), "excess")
    return excess + excess**2 + (p[0] + 2) ** 2 + 0.01 * (p[1] + 1) ** 2


def fee(p):
    """A price that is at its lowest."""
    return 3 * xi.watch(np.maximum(2.0, p[0] + 0.3 * p[1]), "fee") + (p[0] + 2) ** 2 + 0.01 * (p[1] + 1) ** 2


def balance(p):
    """Two terms that hold a quantity between them, while the parameters move on along a valley."""
    total = xi.watch(p[0] + p[1], "total")
    return (total - 3) ** 2 + (p[0] + p[1]) ** 2 + 1e-3 * (p[0] - p[1] - 5) ** 2


def wanted(p):
    """A quantity that stops just where it is wanted."""
    dose = xi.watch(np.minimum(p[0] * p[1], 2.0), "dose")
    return (dose - 2.0) ** 2 + 0.3 * (p[0] - 3) ** 2 + 0.3 * (p[1] - 1) ** 2


def apart(p):
    """One that depends on a parameter that has arrived, while another still moves."""
    return (xi.watch(p[0] ** 2, "square") - 4.0) ** 2 + 1e-3 * (p[1] - 8.0) ** 2


@pytest.mark.parametrize("loss", [hinge, fee, balance, wanted, apart])
def test_what_stands_still_for_another_reason_is_not_told(loss) -> None:
    run = descend(loss, [1.5, 1.0], 0.02, 600)
    assert run.watches
    assert "saturated" not in [finding.kind for finding in run.diagnosis]


def test_a_parameter_at_its_bound_holds_what_depends_on_it() -> None:
    def loss(p):
        return (xi.watch(p[0] * 2, "double") - 9) ** 2 + np.sum((1 - p[1:]) ** 2 + 100 * (p[2] - p[1] ** 2) ** 2)

    with xi.record(live=False) as run:
        bounds = [(0, 2), (None, None), (None, None)]
        minimize(value_and_grad(loss), [0.5, -1.2, 1.0], jac=True, method="L-BFGS-B", bounds=bounds)
    assert "saturated" not in [finding.kind for finding in run.diagnosis]


@pytest.mark.parametrize("operation", [np.tanh, lambda x: np.clip(x, -1.0, 1.0), lambda x: np.exp(-(x**2))])
def test_losses_that_are_no_numbers_warn_nobody(operation) -> None:
    def loss(p):
        return np.sum(operation(p)) + numpy.nan

    with xi.record(live=False) as run:
        for x in [*numpy.linspace(0.1, 30.0, 10), *numpy.linspace(40.0, 60.0, 10)]:
            grad(loss)(numpy.array([x, x]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert run.diagnosis[0].kind == "not-finite"
