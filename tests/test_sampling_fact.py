"""Loops that draw samples are told as that; loops that minimize, however they swing, are not."""

from __future__ import annotations

import re

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad

import xinv_nb as xi
from xinv_nb.facts.diagnosis.kinds import all_finding_kinds
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


def bowl(q):
    return 0.5 * np.sum(q**2 / np.array([1.0, 9.0]))


def of_proposals(seed: int, width: float) -> Run:
    """A Metropolis chain that takes value and gradient where it proposes to go, and nowhere else."""
    dice = numpy.random.RandomState(seed)
    with xi.record() as run:
        q, here = dice.randn(2), numpy.inf
        for _ in range(300):
            new = q + width * dice.randn(2)
            value, _ = value_and_grad(bowl)(new)
            if numpy.log(dice.rand()) < here - value:
                q, here = new, value
    return run


MINIMIZING = re.compile(
    r"minimum|(?:iterations|steps) would|step size|momentum|batches|better than the last|still (?:falling|rising)"
)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("width", [0.5, 1.0])
def test_a_chain_that_is_seen_at_its_proposals_alone_is_given_no_advice_to_minimize(seed, width):
    run = of_proposals(seed, width)
    texts = [*(fact.text for fact in run.facts), *(caption.text for caption in run.captions)]
    texts += [run.ask(question, model=False).text for question in ("What next?", "Did it converge?", "Is it stuck?")]
    assert "as a sampler draws them" in run.captions[0].text
    assert list(run.diagnosis) == []
    assert not [text for text in texts if MINIMIZING.search(text)]


def test_no_advice_is_given_to_steps_that_are_drawn_at_random_and_mostly_lead_down():
    dice = numpy.random.RandomState(1)
    with xi.record() as run:
        q, here = numpy.zeros(8), numpy.inf
        for _ in range(400):
            new = q + dice.randn(8)
            value, _ = value_and_grad(lambda q: 0.5 * np.sum(q**2 * np.arange(1, 9)))(new)
            if numpy.log(dice.rand()) < here - value:
                q, here = new, value
    assert not [fact for fact in run.facts if fact.kind == "advice"]


@pytest.mark.parametrize("told", ["proposals", "states"])
def test_no_advice_is_given_to_a_chain_without_gradients(told):
    dice = numpy.random.RandomState(2)
    with xi.record() as run:
        q, here = numpy.zeros(2), numpy.inf
        for _ in range(400):
            new = q + 0.7 * dice.randn(2)
            value = float(new @ new / 2)
            if numpy.log(dice.rand()) < here - value:
                q, here = new, value
            run.add(*((value, new) if told == "proposals" else (here, q)))
    assert not [fact for fact in run.facts if fact.kind == "advice"]
    assert list(run.diagnosis) == []


def test_dynamics_without_friction_are_told_apart_from_a_momentum():
    dice = numpy.random.RandomState(0)
    with xi.record() as run:
        q = numpy.array([0.5, -1.0])
        for _ in range(40):
            p = dice.randn(2)
            for _ in range(8):
                q = q + 0.2 * p
                p = p - 0.2 * grad(bowl)(q)
    assert "as a sampler draws them" in run.captions[0].text


def test_what_is_wrong_with_numbers_is_told_of_a_sampler_too():
    assert {kind.name for kind in all_finding_kinds() if kind.of_samples} >= {"not-finite", "cut-off", "broadcast"}
    assert not {kind.name for kind in all_finding_kinds() if kind.of_samples} & {"left-to-gain", "best-not-last"}


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
            elif rule == "gathered":
                v = v + g
                if k % 4 == 0:
                    x, v = x - 0.05 * v, 0 * v
            elif rule == "by coordinates":
                x = x - 0.1 * g * (numpy.arange(2) == k % 2)
            else:
                x = x - 0.11 * g
    return run


@pytest.mark.parametrize("rule", ["momentum", "adam", "plain", "gathered", "by coordinates"])
@pytest.mark.parametrize("seed", range(6))
def test_noise_and_swings_of_a_minimization_are_no_sampling(rule, seed):
    assert not [fact for fact in swinging(rule, seed).facts if fact.kind == "sampling"]
