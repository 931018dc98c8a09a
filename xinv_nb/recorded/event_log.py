"""The events of a run in their order, each with the history that it is about; many are made when somebody reads them.

A simulator with eight watched quantities has sixteen events in each evaluation: making these is what would cost.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

from xinv_nb.recorded.events import Event, NewEvent

if TYPE_CHECKING:
    from xinv_nb.recorded.history import History

Pair = tuple["History | None", Event]


class _Together:
    """Events of one evaluation that are made at once."""

    def __init__(self, make: Callable[[], Sequence[NewEvent]]) -> None:
        self._make = make
        self._made: Sequence[NewEvent] = ()

    def event(self, number: int, evaluation: int, place: int) -> Event:
        """Return one of them, with its number in the run."""
        if not self._made:
            self._made = self._make()
        return Event(f"e{number}", evaluation, *self._made[place])


class EventLog(Sequence[Pair]):
    """Pairs of a history and an event.

    Examples
    --------
    >>> log = EventLog()
    >>> log.add_later(None, 3, 1, 2, lambda: [NewEvent("forward", name, "", {}) for name in ("speed", "height")])
    >>> len(log), [(event.id, event.evaluation, event.name) for _, event in log]
    (2, [('e1', 3, 'speed'), ('e2', 3, 'height')])
    """

    def __init__(self) -> None:
        self._pairs: list[Any] = []
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return len(self._pairs)

    @overload
    def __getitem__(self, which: int) -> Pair: ...
    @overload
    def __getitem__(self, which: slice) -> list[Pair]: ...
    def __getitem__(self, which: int | slice) -> Pair | list[Pair]:
        if not isinstance(which, slice):
            return self[which:][0] if which < 0 else self[which : which + 1][0]
        with self._lock:
            pairs = self._pairs
            for place in range(*which.indices(len(pairs))):
                owner, event = pairs[place]
                if type(event) is tuple:
                    together, *of = event
                    pairs[place] = owner, together.event(*of)
            return pairs[which]

    def __iter__(self) -> Iterator[Pair]:
        return iter(self[:])

    def add(self, owner: History | None, event: Event) -> None:
        """Add an event at the end."""
        self._pairs.append((owner, event))

    def add_later(
        self, owner: History | None, evaluation: int, number: int, count: int, make: Callable[[], Sequence[NewEvent]]
    ) -> None:
        """Add as many events of one evaluation as `make` returns when it is called, numbered from `number` on."""
        together = _Together(make)
        self._pairs += [(owner, (together, number + place, evaluation, place)) for place in range(count)]

    def keep_only(self, pairs: Iterable[Pair]) -> None:
        """Have these events and no others."""
        with self._lock:
            self._pairs[:] = pairs
