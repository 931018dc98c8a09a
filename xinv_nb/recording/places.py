"""When to read where along the simulation a pull comes from: now and then, for a small share of the time.

Not by the clock: the same program is to be told in the same words each time.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xinv_nb.recording.evaluation import Evaluation, Tape

_FREE = 1000.0
"""Steps of about 10 µs that may be spent in one objective, however few evaluations it has."""
_PRICE = 6.0
"""How long a reading takes beyond that, in evaluations."""
_SHARE, _LATER_SHARE = 0.04, 0.01
"""Share of the time of all evaluations so far that may be spent so, at first and in a long run."""
_LONG = 500
_LATER = 1.5
"""After evaluation n it is read again in evaluation 1.5 n at the earliest."""
_MOST = 24


@dataclass(slots=True)
class _Spent:
    """What was spent on one objective so far."""

    evaluations: int = 0
    next: int = 1
    cost: float = 0.0
    readings: int = 0
    """Readings beyond what is free."""
    found: int = 0


class PlaceReader:
    """Decides in one recording when to read where along the simulation quantities pull, and reads it."""

    def __init__(self) -> None:
        self._of: dict[Hashable, _Spent] = {}

    def read(self, evaluation: Evaluation, tape: Tape) -> Mapping[str, Sequence[Any]]:
        """Return the gradient through each part of the way, by quantity; nothing where it is not yet time."""
        if not any(row.at is not None for row in evaluation.watched):
            return {}
        spent = self._of.setdefault(evaluation.looked_for, _Spent())
        spent.evaluations += 1
        count = spent.evaluations
        if count < spent.next or spent.found >= _MOST:
            return {}
        is_affordable = count >= _affordable(spent.readings + 1)
        left = _FREE - spent.cost
        found = tape.pulls_along(math.inf if is_affordable else left)
        spent.cost += found.cost
        spent.readings += found.cost > left
        spent.found += bool(found.by_name)
        spent.next = max(count + 1, round(_LATER * count))
        if not found.by_name:  # too dear yet, or there is nothing to read
            spent.next = max(2 * spent.next, _affordable(spent.readings + 1))
        return found.by_name


def _affordable(readings: int) -> int:
    """Return the evaluation from which on so many readings are no more than their share."""
    first = readings * _PRICE / _SHARE
    return round(first if first <= _LONG else max(readings * _PRICE / _LATER_SHARE, _LONG))
