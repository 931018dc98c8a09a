"""One request to a model at a time in this process, the newest writing first.

A model that answers two requests at once answers both late; and what a reader asked for last is what the reader waits
for.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

_LOOK_EVERY = 0.05


class RequestQueue:
    """Hands out the turn to ask.

    Examples
    --------
    >>> queue = RequestQueue()
    >>> first, second = queue.ticket(), queue.ticket()
    >>> with queue.turn(first, threading.Event()) as granted:
    ...     granted
    True
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._waiting: set[int] = set()
        self._busy = False
        self._tickets = count()

    def ticket(self) -> int:
        """Return the place of a writing that begins now: a larger number goes first."""
        return next(self._tickets)

    @contextmanager
    def turn(self, ticket: int, stop: threading.Event) -> Iterator[bool]:
        """Wait for the turn and hold it; yields False where `stop` came first."""
        with self._condition:
            self._waiting.add(ticket)
            while not stop.is_set() and (self._busy or ticket < max(self._waiting)):
                self._condition.wait(_LOOK_EVERY)
            self._waiting.discard(ticket)
            granted = not stop.is_set()
            self._busy = self._busy or granted
            self._condition.notify_all()
        try:
            yield granted
        finally:
            if granted:
                with self._condition:
                    self._busy = False
                    self._condition.notify_all()


REQUESTS = RequestQueue()
"""Those of this process."""
