"""When to read from the tape what the watched quantities, and the terms of the loss, depend on.

From these readings `run.reasons`, `run.pushes` and the pulls of the terms are computed. What they cost in all grows
more slowly than the number of evaluations: about as long as 3 evaluations take of twenty, as 12 of a hundred, as 60 of
two thousand. So they are close together at first; later, some of that is kept for where the loss changes much. Cost is
counted on the tape, not timed: the same program is to be told in the same words each time.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass

from xinv_nb.recording.evaluation import Evaluation

_FACTOR, _POWER = 2.2, 2.3
"""Readings of n evaluations may cost as much as 2.2 times the 2.3rd root of n evaluations …"""
_FIRST, _SHARE = 0.5, 0.12
"""… and no more than half an evaluation and 0.12 n of them: this is less where n is small."""
_FREE = 300.0
"""Operations of about 15 µs whose cost may be spent in one objective, however few evaluations it has."""
_REST = 16
_KEPT = 0.85
"""Share of the evaluations that might be gone through so far at which one is read anyway: the rest is for bends."""
_BEND = 0.1
"""Share of what the loss has gone through so far by which it changes since the latest reading where the path bends."""


@dataclass(slots=True)
class _Spent:
    """What was spent on one objective so far."""

    evaluations: int = 0
    next: float = 1
    """The evaluation from which on it is read next, counted from 1."""
    soon: float = 1
    """The evaluation from which on it may be read where the path bends."""
    cost: float = 0.0
    """Of all readings."""
    whole: float = 1.0
    """Of an evaluation."""
    low: float = math.inf
    high: float = -math.inf
    loss: float = math.nan
    """At the latest reading."""


class Readings:
    """Decides in one recording when to read what the quantities depend on.

    `reads_all`: in every evaluation, whatever it costs.
    """

    def __init__(self, *, reads_all: bool = False) -> None:
        self._reads_all = reads_all
        self._of: dict[Hashable, _Spent] = {}

    def is_due(self, objective: Hashable) -> bool:
        """Whether the evaluation of `objective` that begins now is one to read from."""
        spent = self._of.get(objective)
        if spent is None:
            spent = self._of[objective] = _Spent()
        spent.evaluations += 1
        if self._reads_all:
            return True
        if spent.evaluations < spent.next:
            return False
        spent.next = 2 * spent.evaluations + _REST  # unless something is read
        return True

    def taken(self, evaluation: Evaluation) -> None:
        """Take note of an evaluation, and of what was read from it, and decide when to do so again."""
        spent, reading, loss = self._of.get(evaluation.looked_for), evaluation.reading, evaluation.loss
        if spent is None or not math.isfinite(loss):
            return
        if reading is not None and reading.slopes:
            spent.loss, spent.cost = loss, spent.cost + reading.cost
            spent.whole = max(spent.whole, reading.whole)
            spent.soon = _affordable(max(spent.cost - _FREE, 0.0) / spent.whole)
            spent.next = max(spent.evaluations + 1, spent.soon / _KEPT)
        spent.low, spent.high = min(spent.low, loss), max(spent.high, loss)
        if spent.evaluations >= spent.soon and abs(loss - spent.loss) > _BEND * (spent.high - spent.low):
            spent.next = min(spent.next, spent.evaluations + 1)


def _affordable(cost: float) -> float:
    """Return from which evaluation on readings may cost as much as so many evaluations."""
    return max(math.pow(cost / _FACTOR, _POWER), (cost - _FIRST) / _SHARE)
