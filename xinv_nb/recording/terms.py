"""Where a loss is a sum of watched terms: when to read what each of them asks of the parameters, and how that is told.

A term is a watched number from which the loss is made by adding, subtracting and weighing with constants.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recorded.events import NewEvent
from xinv_nb.recording.evaluation import Tape

_FIRST = (8, 16)
_GAP = 16
_THINNING = 16
"""After evaluation n the next one looked at is 16 later, or n / 16 if that is more.

Not by the clock: the same program is to be told in the same words each time. A reading takes about as long as an
evaluation, so that it is one in twenty of the run's time.
"""

_MOST_EVENTS = 20

_SMALL = 0.1
"""Share of the strongest pull on a parameter below which a pull is none worth to be told."""


class TermReader:
    """Decides in one recording when to read the gradients of the terms, and reads them."""

    def __init__(self) -> None:
        self._seen: dict[Hashable, int] = {}
        """Evaluations so far of each objective that might have terms."""
        self._next: dict[Hashable, int] = {}

    def read(self, objective: Hashable, tape: Tape) -> Mapping[str, Any]:
        """Return the gradient of each term by its name; nothing where there are no terms, or it is not yet time."""
        n = self._seen[objective] = self._seen.get(objective, -1) + 1
        if n < self._next.get(objective, 0):
            return {}
        self._next[objective] = next((first for first in _FIRST if first > n), n + max(_GAP, n // _THINNING))
        found = tape.term_gradients()
        if not found:
            self._next[objective] = 2 * n + _GAP  # there may be terms after a warming-up, or none at all
        return found


# ---------------------------------------------------------------------- in words


@dataclass(frozen=True, slots=True)
class _Sides:
    less: tuple[str, ...]
    more: tuple[str, ...]


class Conflicts:
    """Tells which terms pull a parameter to opposite sides: at the beginning and when that changes."""

    def __init__(self) -> None:
        self._known: dict[int, _Sides] = {}
        self._told = 0

    def events(self, gradients: Mapping[str, NDArray[Any]]) -> Iterator[NewEvent]:
        """Yield an event for each column of the history at which the terms begin to disagree, or do so otherwise."""
        names = list(gradients)
        rows = np.real(np.array([gradients[name] for name in names]))
        strong = np.abs(rows) > _SMALL * np.abs(rows).max(axis=0)
        for column in range(rows.shape[1]):
            less = tuple(n for n, g, s in zip(names, rows[:, column], strong[:, column], strict=True) if s and g > 0)
            more = tuple(n for n, g, s in zip(names, rows[:, column], strong[:, column], strict=True) if s and g < 0)
            if not less or not more or self._known.get(column) == (sides := _Sides(less, more)):
                continue
            self._known[column] = sides
            self._told += 1
            if self._told <= _MOST_EVENTS:
                pulls = {name: float(g) for name, g in zip(names, rows[:, column], strict=True)}
                values = {"less": less, "more": more, "gradients": pulls}
                yield NewEvent("backward", "", "", values, kind="terms", column=column)
