"""When a live run tells the browser something: at most one message per interval, rate-limited by time.

Nothing pushes back while a cell runs (the browser's answers wait behind it), so the limit is on this side: rows are
coalesced, and costly parts (analysis, the scene) wait until their share of the run's time allows them.
"""

from __future__ import annotations

import time
from collections.abc import Callable


class Budget:
    """Allows something again only when its last cost is at most a given share of the time gone by."""

    def __init__(self, interval: float, share: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self._interval = interval
        self._share = share
        self._clock = clock
        self.due = clock() + interval
        """When it may happen again, by the clock."""

    def is_due(self) -> bool:
        """Whether it may happen now."""
        return self._clock() >= self.due

    def spend(self, work: Callable[[], None]) -> None:
        """Do it, and put the next time off in proportion to what it cost."""
        start = self._clock()
        try:
            work()
        finally:
            end = self._clock()
            self.due = end + max(self._interval, (end - start) / self._share)


class Stream:
    """Decides what goes out with each evaluation of a live run.

    `send(explain, scene)` sends what is new; the flags say whether phases and captions, and a picture of the scene,
    may be added this time.
    """

    def __init__(
        self,
        send: Callable[[bool, bool], None],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._send = send
        self._clock = clock
        self._rows = Budget(0.1, 0.01, clock)
        self._words = Budget(2.0, 0.005, clock)
        self._scene = Budget(0.3, 0.1, clock)

    def poll(self) -> None:
        """Send what is due; called after each evaluation, so it has to be cheap when nothing is."""
        if self._clock() < self._rows.due:
            return
        if self._words.is_due():
            self._words.spend(lambda: self._send(True, False))
        elif self._scene.is_due():
            self._scene.spend(lambda: self._send(False, True))
        else:
            self._rows.spend(lambda: self._send(False, False))
