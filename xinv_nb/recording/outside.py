"""Quantities that a program watches in its loop, outside any pass: a held-out loss after each step, say.

The simulator may also be called just for its value, and says then what it says inside passes: a quantity that is
watched inside is not watched outside.
"""

from __future__ import annotations

from collections.abc import Sequence

from xinv_nb.recorded.columns import WatchColumns
from xinv_nb.recorded.history import History
from xinv_nb.recording.events import WatchedValue

_MOST = 1000
"""Values kept between two evaluations."""


class OutsideValues:
    """Puts the values of one recording beside evaluations."""

    def __init__(self) -> None:
        self.names: dict[str, History | None] = {}
        """The quantities that were seen outside only, with the history that each stands in."""
        self.waiting: list[WatchedValue] = []
        """Values that wait for the next evaluation: those of quantities that were watched before the first."""
        self._ahead: set[str] = set()
        self._inside: set[str] = set()
        self._at = (0, 0)
        """Evaluations so far when the latest value came, and values since then."""

    def add(self, value: WatchedValue, history: History) -> None:
        """Put a value beside the latest evaluation, that of `history`, or let it wait for the next."""
        name, count = value.name, len(history)
        if name in self._inside or (name in history.watches and name not in self.names):
            return
        self._at = (count, self._at[1] + 1 if count == self._at[0] else 1)
        if self._at[1] > _MOST:
            return
        self.names.setdefault(name, None)
        if count == 0:
            self._ahead.add(name)
        if name in self._ahead:
            self.waiting.append(value)
        else:
            self._put(value, history)

    def put(self, history: History) -> None:
        """Put the values that waited beside the evaluation that has come, the latest of `history`."""
        waiting, self.waiting = self.waiting, []
        for value in waiting if len(history) else ():
            if value.name in self.names:
                self._put(value, history)

    def joined(self, old: Sequence[History], new: History) -> None:
        """Go on with one history in the place of several."""
        self.names.update({name: new for name, home in self.names.items() if home in old})

    def forget(self, name: str) -> bool:
        """Leave out a quantity that comes from inside a pass now; returns whether it was seen outside."""
        self._inside.add(name)
        home = self.names.pop(name, None)
        if home is not None:
            del home.watches[name]
        return home is not None

    def _put(self, value: WatchedValue, history: History) -> None:
        home = self.names[value.name] or history
        self.names[value.name] = home
        columns = home.watches.get(value.name) or WatchColumns(value.unit)
        columns.extend(len(home) - 1, [value.value], [value.cotangent], [value.at])
        home.watches[value.name] = columns
