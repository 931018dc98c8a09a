"""Adam and RMSProp at their limit all the time, with far to go."""

from __future__ import annotations

import autograd.numpy as np
import numpy
import pytest
from autograd import grad
from autograd.misc.optimizers import adam, rmsprop

import xinv_nb as xi
from xinv_nb.run import Run

S = numpy.linspace(-1.0, 1.0, 25)


def far(x):
    return np.mean((x - np.array([900.0, 50.0, -70.0])) ** 2)


def network(w, height: float):
    output = np.dot(np.tanh(np.outer(S, w[:6]) + w[6:12]), w[12:18]) + w[18]
    return np.mean((output - height * np.cos(2 * S)) ** 2)


WEIGHTS = 0.5 * numpy.random.default_rng(1).standard_normal(19)


def by_hand(slope, x, count: int, step: float) -> None:
    first = second = 0 * x
    for k in range(1, count + 1):
        gradient = slope(x)
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        x = x - step * (first / (1 - 0.9**k)) / (numpy.sqrt(second / (1 - 0.999**k)) + 1e-8)


def trained(trainer, loss, start, count: int, step: float) -> Run:
    with xi.record(live=False) as run:
        if trainer is by_hand:
            by_hand(grad(loss), start, count, step)
        else:
            trainer(lambda x, i: grad(loss)(x), start, num_iters=count, step_size=step)
    return run


@pytest.mark.parametrize("trainer", [adam, rmsprop, by_hand])
def test_every_move_is_as_long_as_the_step_size(trainer) -> None:
    run = trained(trainer, far, numpy.zeros(3), 400, 0.01)
    found = run.diagnosis[0]
    moves = numpy.abs(numpy.diff(run.parameters[next(iter(run.parameters))], axis=0))
    assert found.kind == "speed-limit"
    assert found.values["size"] == pytest.approx(0.01)
    assert found.values["share"] == pytest.approx(numpy.mean(moves >= 0.009))
    assert not {"advice", "minimum"} & {fact.kind for fact in run.facts}


@pytest.mark.parametrize("trainer", [adam, by_hand])
def test_a_network_with_outputs_that_have_to_grow(trainer) -> None:
    run = trained(trainer, lambda w: network(w, 300.0), WEIGHTS, 500, 0.001)
    assert run.diagnosis[0].kind == "speed-limit"
    scaled = trained(trainer, lambda w: network(w, 1.0), WEIGHTS, 500, 0.03)
    assert not scaled.diagnosis
    assert scaled.loss[-1] / scaled.loss[0] < 0.1 < run.loss[-1] / run.loss[0]


@pytest.mark.parametrize("trainer", [adam, rmsprop, by_hand])
def test_a_run_that_arrives_is_not_limited(trainer) -> None:
    assert not trained(trainer, lambda x: np.sum((x - 3.0) ** 2), numpy.zeros(2), 400, 0.02).diagnosis


def test_a_run_that_is_nearly_there_needs_more_steps_only() -> None:
    run = trained(adam, lambda x: np.sum((x - 3.0) ** 2), numpy.zeros(2), 120, 0.02)
    (found,) = run.diagnosis
    assert found.kind == "left-to-gain"
    assert found.values["left"] == pytest.approx(run.loss[-1], rel=0.1)


@pytest.mark.parametrize(("trainer", "step"), [(adam, 1e-6), (rmsprop, 1e-4), (adam, 0.002), (by_hand, 1e-5)])
def test_the_step_size_that_is_advised_arrives_in_as_many_steps(trainer, step) -> None:
    def bowl(x):
        return (x[0] - 1) ** 2 + 3 * (x[1] + 2) ** 2

    run = trained(trainer, bowl, numpy.zeros(2), 100, step)
    found = run.diagnosis[0]
    assert found.kind == "speed-limit"
    assert "scale" not in found.advice  # what they have to travel is about 1 as it is
    better = trained(trainer, bowl, numpy.zeros(2), 100, found.values["longer"])
    assert better.loss[-1] < 0.1 * run.loss[0]
    assert better.loss.min() > 0
    assert found.values["longer"] < 0.1  # and no more than needed
