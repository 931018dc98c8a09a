"""When to read from the tape what the watched quantities depend on: often at first, then for a share of the time.

From these gradients `run.reasons` and `run.pushes` are computed. Not by the clock: the same program is to be told in
the same words each time.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from xinv_nb.recording.evaluation import Evaluation

_FREE = 1500.0
"""Steps of about 10 µs that may be spent in one objective, however few evaluations it has."""
_SHARE, _LATER_SHARE = 0.15, 0.04
"""Share of the time of all evaluations so far that may be spent beyond that, at first and in a long run."""
_LONG = 500
"""Evaluations from which on nothing more is spent until the lower share allows for it."""
_OF_AN_EVALUATION = 0.6
"""How long the backward pass from one quantity takes, next to an evaluation, if it goes through the whole tape."""
_REST = 16
_LATER = 1.2
"""After evaluation n the terms of a sum are looked at in evaluation 1.2 n."""


@dataclass(slots=True)
class _Spent:
    """What was spent on one objective so far."""

    evaluations: int = 0
    next: int = 1
    """The evaluation from which the gradients are read next, counted from 1."""
    cost: float = 0.0
    passes: float = 0.0
    """Backward passes beyond what is free, each a part of an evaluation."""


class QuantityReader:
    """Decides in one recording when to read the gradients of the watched quantities, and the terms of the loss.

    `reads_all`: in every evaluation, whatever it costs.
    """

    def __init__(self, *, reads_all: bool = False) -> None:
        self._reads_all = reads_all
        self._of: dict[Hashable, _Spent] = {}

    def is_due(self, objective: Hashable) -> bool:
        """Whether the evaluation of `objective` that begins now is one to read them from."""
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

    def has_read(self, evaluation: Evaluation) -> None:
        """Take note of what was read from an evaluation, and decide when to do so again."""
        spent, found = self._of[evaluation.looked_for], evaluation.quantity_gradients
        if found is None or not found.by_name:  # the terms of a sum cost little
            spent.next = max(spent.evaluations + 1, round(_LATER * spent.evaluations))
            return
        spent.cost += found.cost
        if spent.cost > _FREE:
            spent.passes += len(found.by_name) * _OF_AN_EVALUATION
        spent.next = max(spent.evaluations + 1, _affordable(spent.passes))


def _affordable(passes: float) -> int:
    """Return the evaluation from which on so many backward passes are no more than their share."""
    first = passes / _SHARE
    return round(first if first <= _LONG else max(passes / _LATER_SHARE, _LONG))
