"""Every how many iterations the loss halved: told where it did so steadily, by halves that lasted."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from tests.example_runs import from_losses
from xinv_nb.facts.fact import Fact
from xinv_nb.run import Run

STEADY = [3.0 * 0.5 ** (i / 12) * (1.0 + 0.1 * np.sin(2 * np.pi * i / 12)) for i in range(73)]
"""Halves every twelve iterations, in waves that are no straight line of decreases."""


def recomputed(run: Run, fact: Fact) -> list[float]:
    """The numbers of its sentence, counted one evaluation after the other."""
    first, last = fact.span
    rows = [i for i in range(first, run.evaluations) if run.accepted[i] and np.isfinite(run.loss[i])]
    times, level = 0, run.loss[first] / 2
    for at in rows:
        while at <= last and all(run.loss[i] <= level * (1 + 1e-9) for i in rows if i >= at):
            times, level = times + 1, level / 2
    every = (last - first) * math.log(2) / math.log(run.loss[first] / run.loss[last])
    return [first, last, every, times, run.loss[first], run.loss[last]]


def told(losses: Sequence[float]) -> list[Fact]:
    return [fact for fact in from_losses(list(losses)).facts if fact.kind == "halving"]


@pytest.mark.parametrize("unit", [1.0, 1e-9, 1e250])
def test_a_loss_that_halves_at_a_steady_spacing_is_told_whatever_its_unit(unit: float) -> None:
    (fact,) = told([unit * loss for loss in STEADY])
    first, last, times = fact.values["first"], fact.values["last"], fact.values["times"]
    assert times >= 5
    assert fact.values["every"] == pytest.approx(12.0, rel=0.1)
    assert STEADY[last] <= STEADY[first] * 0.5**times * (1 + 1e-9)
    assert fact.values["every"] == pytest.approx((last - first) / np.log2(STEADY[first] / STEADY[last]))
    assert f"halved about every {fact.values['every']:.3g} iterations, {times} times in a row" in fact.text


def test_what_is_told_does_not_contradict_the_recording() -> None:
    run = from_losses(STEADY)
    (fact,) = (fact for fact in run.facts if fact.kind == "halving")
    assert all(claim.supported is not False for claim in run.check(fact.text))


def test_a_slow_beginning_is_left_out() -> None:
    (fact,) = told([*np.linspace(3.3, 3.01, 40), *STEADY])
    assert fact.values["first"] >= 40
    assert fact.values["every"] == pytest.approx(12.0, rel=0.1)


def test_halves_hang_on_no_last_bit() -> None:
    stairs = [2.0 ** -(i // 6) for i in range(43)]
    rounded = [np.nextafter(loss, 2 * loss) if i % 6 == 0 else loss for i, loss in enumerate(stairs)]
    assert [fact.text for fact in told(stairs)] == [fact.text for fact in told(rounded)] != []


@pytest.mark.parametrize(
    "losses",
    [
        STEADY[:30],
        [loss - 1.0 for loss in STEADY],
        [1.0 / (1.0 + i) for i in range(200)],
        [3.0 + loss for loss in STEADY],
        [0.3**i for i in range(12)],
        [*STEADY, *([STEADY[0]] * 30)],
        [0.5 ** (i / 12) for i in range(73)],
        [*STEADY, *([STEADY[-1]] * 500)],
    ],
    ids=[
        "two halvings are none in a row",
        "a loss below zero has no half",
        "each takes longer than the one before",
        "above its limit it does not halve",
        "each iteration brings more than one",
        "the loss came back",
        "the rate of convergence says it",
        "a small part of the run",
    ],
)
def test_nothing_is_told_without_clear_evidence(losses: list[float]) -> None:
    assert told(losses) == []


def test_nothing_is_told_of_noise() -> None:
    noise = np.exp(0.4 * np.random.default_rng(0).standard_normal(300))
    assert told([0.5 ** (i / 60) * factor for i, factor in enumerate(noise)]) == []
