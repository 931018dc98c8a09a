"""How much of the fall came in how small a part of the run: told on a plain scale, where that was most of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tests.example_runs import from_losses
from xinv_nb.facts.fact import Fact
from xinv_nb.run import Run

FAST_THEN_SLOW = [50.0 + 40.0 * 0.8**k + 0.002 * (100 - k) for k in range(100)]


def recomputed(run: Run, fact: Fact) -> list[float]:
    """The numbers of its sentence, from the losses of the points that were accepted."""
    losses = [float(run.loss[i]) for i in range(run.evaluations) if run.accepted[i]]
    return [losses[0] - float(run.loss[fact.values["at"]]), losses[0] - losses[-1], fact.values["at"], run.evaluations]


def told(losses: Sequence[float]) -> list[Fact]:
    return [fact for fact in from_losses(list(losses)).facts if fact.kind == "progress"]


def test_most_of_a_fall_is_told_with_the_part_of_the_run_that_brought_it() -> None:
    (fact,) = told(FAST_THEN_SLOW)
    at = fact.values["at"]
    assert 0 < at <= 50
    assert fact.values["part"] == pytest.approx(FAST_THEN_SLOW[0] - FAST_THEN_SLOW[at])
    assert fact.values["part"] >= 0.8 * fact.values["fall"]
    assert fact.text.endswith(f"came in the first {at} of 100 iterations.")


def test_the_recording_supports_it() -> None:
    run = from_losses(FAST_THEN_SLOW)
    (fact,) = (fact for fact in run.facts if fact.kind == "progress")
    assert all(claim.supported for claim in run.check(fact.text))


@pytest.mark.parametrize(
    "losses",
    [
        [0.8**k for k in range(60)],
        np.linspace(90.0, 50.0, 60),
        [*np.linspace(90.0, 80.0, 30), *np.linspace(80.0, 50.0, 30)],
        [*FAST_THEN_SLOW, float("nan")],
        np.exp(0.4 * np.random.default_rng(0).standard_normal(80)),
    ],
    ids=["looked at on a logarithmic scale", "evenly", "late", "broken off", "noise"],
)
def test_nothing_is_told_without_clear_evidence(losses: list[float]) -> None:
    assert told(losses) == []
