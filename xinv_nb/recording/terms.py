"""Where a loss is a sum of watched terms: how it is told that they ask for opposite things.

A term is a watched number from which the loss is made by adding, subtracting and weighing with constants.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recorded.events import NewEvent

_MOST_EVENTS = 20

_SMALL = 0.1
"""Share of the strongest pull on a parameter below which a pull is none worth to be told."""


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
