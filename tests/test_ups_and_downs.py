"""A loss that goes up and down by its steps: no noise, told with its fall, advised against only where it matters."""

from __future__ import annotations

import re

import autograd.numpy as np
import numpy
import pytest
from autograd import grad
from autograd.misc.optimizers import adam, rmsprop, sgd

import xinv_nb as xi
from xinv_nb.run import Run

T = numpy.linspace(0, 3, 25)
BATCHES = numpy.random.default_rng(0).integers(0, 60, (200, 6))
X = numpy.random.default_rng(1).normal(size=(60, 3))
Y = X @ numpy.array([1.0, -2.0, 0.5]) + 0.3 * numpy.random.default_rng(2).normal(size=60)


def spring(p, i=0):
    return np.mean((p[0] * np.cos(p[1] * T) - 1.5 * numpy.cos(1.7 * T)) ** 2)


def bowl(p, i=0):
    return 0.5 * (p[0] - 2) ** 2 + 5 * (p[1] + 1) ** 2 + 2 * (p[2] - 1) ** 2


def valley(p, i=0):
    return 30 * (p[0] ** 2 - p[1]) ** 2 + (p[0] - 1) ** 2


def batch(w, i):
    return np.mean((np.dot(X[BATCHES[i]], w) - Y[BATCHES[i]]) ** 2)


def heavy_ball(loss, start, step: float, mass: float, count: int) -> None:
    x, v = numpy.array(start), numpy.zeros(len(start))
    for _ in range(count):
        v = mass * v - step * grad(loss)(x)
        x = x + v


def nesterov(loss, start, step: float, count: int) -> None:
    x = before = numpy.array(start)
    for k in range(count):
        ahead = x + k / (k + 3) * (x - before)
        before, x = x, ahead - step * grad(loss)(ahead)


PROGRAMS = {
    "heavy ball in a bowl": lambda: heavy_ball(bowl, [0.0, 0.0, 0.0], 0.08, 0.7, 100),
    "heavy ball on a spring": lambda: heavy_ball(spring, [1.0, 1.5], 0.2, 0.8, 150),
    "momentum": lambda: sgd(grad(bowl), numpy.zeros(3), num_iters=150, step_size=0.3, mass=0.8),
    "nesterov": lambda: nesterov(bowl, [0.0, 0.0, 0.0], 0.09, 120),
    "adam": lambda: adam(grad(spring), numpy.array([1.0, 1.5]), num_iters=250, step_size=0.1),
    "lively adam": lambda: adam(grad(valley), numpy.array([-0.5, 0.3]), num_iters=60, step_size=0.3),
}


def recorded(program) -> Run:
    with xi.record(live=False) as run:
        program()
    return run


def everything(run: Run) -> str:
    return " ".join([*(caption.text for caption in run.captions), *(fact.text for fact in run.facts)])


@pytest.mark.parametrize("name", PROGRAMS)
def test_of_steps_that_go_up_and_down_no_noise_is_told_and_the_fall_is(name):
    run = recorded(PROGRAMS[name])
    text = everything(run)
    assert "noise" not in text
    assert "median" not in run.captions[0].text
    assert re.search("fell|lower than at the start", run.captions[0].text)
    assert "less momentum" not in text.lower()
    assert "at random" not in run.ask("Is the loss noisy?", model=False).text


@pytest.mark.parametrize("optimizer", [adam, rmsprop, lambda *a, **k: sgd(*a, **k, mass=0.5)])
def test_of_batches_that_are_drawn_noise_is_told(optimizer):
    run = recorded(lambda: optimizer(grad(batch), numpy.zeros(3), num_iters=200, step_size=0.05))
    assert any(phase.noisy for phase in run.phases)
    assert "at random" in run.ask("Is the loss noisy?", model=False).text


def test_swings_that_last_are_advised_against():
    run = recorded(lambda: heavy_ball(bowl, [0.0, 0.0, 0.0], 0.05, 0.99, 100))
    assert "less momentum" in everything(run).lower()


def test_a_run_that_left_its_best_point_by_lively_steps_is_told_so():
    run = recorded(lambda: adam(grad(valley), numpy.array([-0.5, 0.3]), num_iters=33, step_size=0.3))
    assert run.loss[-1] > 1.5 * run.loss.min()
    assert [finding.kind for finding in run.diagnosis] == ["best-not-last"]
    assert "still falling" not in everything(run)


@pytest.mark.parametrize(("size", "is_noise"), [(60, False), (8, True)])
def test_of_large_arrays_of_which_a_sample_is_kept_it_is_told_as_well(size, is_noise):
    draws = numpy.random.default_rng(3)
    rows = [draws.choice(60, size, replace=False) for _ in range(150)]
    wide = draws.normal(size=(60, 40))
    sign = numpy.sign(wide[:, 0] * wide[:, 1])

    def loss(w, i):
        hidden = np.tanh(np.dot(wide[rows[i]], w["in"]))
        return np.mean((np.dot(hidden, w["out"]) - sign[rows[i]]) ** 2)

    start = {"in": 0.3 * draws.normal(size=(40, 600)), "out": 0.3 * draws.normal(size=600)}
    run = recorded(lambda: rmsprop(grad(loss), start, num_iters=150, step_size=0.002))
    assert any(phase.noisy for phase in run.phases) == is_noise


def lens(p, i=0):
    """A vignetting begins where the sum of both is 2."""
    return (p[0] - 2) ** 2 + 2 * (p[1] - 1) ** 2 + np.where(p[0] + p[1] > 2, 4.0, 0.0)


@pytest.mark.parametrize("optimizer", [sgd, adam])
def test_no_phase_is_told_across_a_jump(optimizer):
    run = recorded(lambda: optimizer(grad(lens), numpy.array([-1.0, -1.0]), num_iters=80, step_size=0.05))
    rows = numpy.diff(run.loss)
    after = int(numpy.argmax(rows)) + 1
    assert rows[after - 1] > 3
    phases = [fact for fact in run.facts if fact.kind == "phase"]
    assert any(fact.span[0] == after for fact in phases)
    for fact in phases:
        assert not fact.span[0] < after <= fact.span[1]


def test_a_loss_that_rose_and_then_turned_is_not_said_to_be_falling_still():
    run = recorded(lambda: adam(grad(lambda p, i: (p[0] - 3) ** 2), numpy.array([0.0]), num_iters=100, step_size=0.1))
    phases = [fact.text for fact in run.facts if fact.kind == "phase"]
    assert "rose" in phases[-1]
    assert "still falling" not in everything(run)
    assert "more iterations" not in everything(run).lower()


def test_a_loss_that_creeps_down_from_a_start_far_off_is_not_called_a_minimum() -> None:
    """Heat runs off, and where it came from is looked for: the last steps lower the misfit by a part of itself."""
    n = 30
    spread = 2 * numpy.eye(n) - numpy.eye(n, k=1) - numpy.eye(n, k=-1)
    later = numpy.linalg.matrix_power(numpy.linalg.inv(numpy.eye(n) + 0.4 * spread), 8)
    place = numpy.linspace(0, 1, n)
    source = numpy.exp(-(((place - 0.35) / 0.12) ** 2)) + 0.5 * (place > 0.6) * (place < 0.8)
    data = later @ source + 0.005 * numpy.random.RandomState(3).randn(n)

    def misfit(u):
        return np.sum(((np.dot(later, u) - data) / 0.005) ** 2) + 2.0 * np.sum(np.diff(u) ** 2)

    with xi.record() as run:
        u, speed = numpy.zeros(n), numpy.zeros(n)
        for _ in range(800):
            speed = 0.9 * speed - 1e-6 * grad(misfit)(u)
            u = u + speed
    assert run.loss[-1] < 0.99 * run.loss[-100]
    assert not [fact for fact in run.facts if fact.kind == "minimum"]
