"""Steps that are orders of magnitude too short."""

from __future__ import annotations

import autograd.numpy as np
import numpy
import pytest
from autograd import grad
from autograd.misc.optimizers import sgd

import xinv_nb as xi
from xinv_nb.run import Run

T = numpy.linspace(0.0, 3.0, 24)


def bowl(p):
    return np.sum(np.array([1.0, 3.0, 2.0]) * (p - np.array([4.0, -1.0, 2.0])) ** 2)


def decay(p):
    return np.mean((p[0] * np.exp(-p[1] * T) - 2 * np.exp(-T)) ** 2)


def valley(p):
    return 100 * (p[1] - p[0] ** 2) ** 2 + (1 - p[0]) ** 2


CASES = [(bowl, (0.0, 0.0, 0.0), 2e-5), (decay, (1.0, 0.5), 1e-5), (valley, (-1.2, 1.0), 1e-8)]


def descended(loss, start, step: float, count: int = 80, mass: float = 0.0) -> Run:
    with xi.record(live=False) as run:
        sgd(lambda p, i: grad(loss)(p), numpy.array(start), num_iters=count, step_size=step, mass=mass)
    return run


@pytest.mark.parametrize("mass", [0.0, 0.9])
@pytest.mark.parametrize(("loss", "start", "step"), CASES, ids=["bowl", "decay", "valley"])
def test_the_newton_step_is_orders_longer_and_does_better(loss, start, step: float, mass: float) -> None:
    run = descended(loss, start, step, mass=mass)
    found = run.diagnosis[0]
    assert found.kind == "step-too-short"
    assert found.values["newton"] == pytest.approx(step * found.values["times"])
    slope = grad(loss)(numpy.array(start))
    ahead = (grad(loss)(numpy.array(start) - 1e-6 * slope) - slope) @ slope / (-1e-6 * slope @ slope)
    assert found.values["curvature"] == pytest.approx(ahead, rel=0.1)
    assert not {"advice", "minimum"} & {fact.kind for fact in run.facts}
    before, after = run.loss[0] - run.loss[-1], descended(loss, start, found.values["newton"] / 2, mass=mass)
    assert after.loss[0] - after.loss[-1] > 10 * before
    assert not after.diagnosis


def kinds(run: Run) -> list[str]:
    return [finding.kind for finding in run.diagnosis]


def test_slow_for_its_condition_is_not_too_short() -> None:
    def narrow(p):
        return 0.5 * np.sum(np.array([1.0, 1e4]) * p**2)

    assert kinds(descended(narrow, (3.0, 0.01), 1e-4, 200)) == ["left-to-gain"]


def test_a_slope_that_hardly_bends_promises_nothing() -> None:
    def barrier(p):
        return np.sum(2.0 * p - 0.1 * np.log(p))

    (found,) = descended(barrier, (2.0, 1.5), 0.005, 40).diagnosis
    assert (found.kind, found.form, found.severity) == ("left-to-gain", "steep", "caution")  # but not how much


def test_few_steps_of_a_fair_size() -> None:
    assert kinds(descended(bowl, (0.0, 0.0, 0.0), 0.01, 10)) == ["left-to-gain"]
