"""Loops that draw samples are told as that; loops that minimize, however they swing, are not."""

from __future__ import annotations

import autograd.numpy as np
import numpy
import pytest
from autograd import grad

import xinv_nb as xi
from xinv_nb.facts.fact import Fact
from xinv_nb.run import Run


def recomputed(run: Run, fact: Fact) -> list[float]:
    """The numbers in the sentence of a fact of this kind, counted one step after the other."""
    if "values" in fact.text:
        return [run.evaluations, *numpy.percentile(run.loss, [25, 75])]
    (points,), (slopes,) = run.parameters.values(), run.gradients.values()
    down = [s @ (b - a) < 0 for a, b, s in zip(points[:-1], points[1:], slopes[:-1], strict=True) if (a != b).any()]
    return [100 * sum(down) / len(down)]


def log_density(q):
    return -0.5 * np.sum(q**2 / np.array([1.0, 9.0]))


def hamiltonian(seed: int, leaps: int, step: float) -> Run:
    dice = numpy.random.RandomState(seed)
    with xi.record() as run:
        q = numpy.array([0.2, 0.2])
        for _ in range(30):
            p, new = dice.randn(2), q
            before = log_density(q) - p @ p / 2
            for _ in range(leaps):
                p = p + step / 2 * grad(log_density)(new)
                new = new + step * p
                p = p + step / 2 * grad(log_density)(new)
            if numpy.log(dice.rand()) < log_density(new) - p @ p / 2 - before:
                q = new
    return run


def U(q):  # noqa: N802 - as physics calls a potential
    return -log_density(q)


def test_dynamics_that_refuse_nothing_are_told_by_their_potential():
    dice = numpy.random.RandomState(0)
    with xi.record() as run:
        q = numpy.array([0.5, -1.0])
        for _ in range(40):
            p = dice.randn(2)
            for _ in range(8):
                q = q + 0.2 * p
                p = p - 0.2 * grad(U)(q)
    assert "as a sampler draws them" in run.captions[0].text


def langevin(seed: int) -> Run:
    dice = numpy.random.RandomState(seed)
    with xi.record() as run:
        q = dice.randn(2)
        for _ in range(300):
            q = q + 0.05 * grad(log_density)(q) + numpy.sqrt(0.1) * dice.randn(2)
    return run


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("leaps", "step"), [(6, 0.24), (10, 0.3), (4, 0.5)])
def test_hamiltonian_sampling_is_told_as_sampling(seed, leaps, step):
    run = hamiltonian(seed, leaps, step)
    text = "\n".join([*(fact.text for fact in run.facts), *(caption.text for caption in run.captions)])
    assert "as a sampler draws them" in run.captions[0].text
    for word in ("momentum", "step size", "swing", "minimum", "by turns", "still rising"):
        assert word not in text


@pytest.mark.parametrize("seed", range(4))
def test_langevin_sampling_is_told_by_its_name(seed):
    assert "as a sampler draws them" in langevin(seed).captions[0].text


def swinging(rule: str, seed: int) -> Run:
    dice = numpy.random.RandomState(seed)
    data = dice.randn(60, 2)
    with xi.record() as run:
        x, v, s = dice.randn(2), numpy.zeros(2), numpy.zeros(2)
        for k in range(1, 150):
            batch = data[dice.randint(0, 60, 4)]
            g = grad(lambda x, batch=batch: np.mean((x - batch) ** 2 * np.array([1.0, 8.0])))(x)
            if rule == "momentum":
                v = 0.95 * v - 0.02 * g
                x = x + v
            elif rule == "adam":
                v, s = 0.9 * v + 0.1 * g, 0.999 * s + 0.001 * g**2
                x = x - 0.3 * (v / (1 - 0.9**k)) / (numpy.sqrt(s / (1 - 0.999**k)) + 1e-8)
            else:
                x = x - 0.11 * g
    return run


@pytest.mark.parametrize("rule", ["momentum", "adam", "plain"])
@pytest.mark.parametrize("seed", range(6))
def test_noise_and_swings_of_a_minimization_are_no_sampling(rule, seed):
    assert not [fact for fact in swinging(rule, seed).facts if fact.kind == "sampling"]
