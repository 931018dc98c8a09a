"""The events of one recording: each beside the evaluation that it belongs to, and no more of them than are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby

from xinv_nb.recorded.events import NewEvent
from xinv_nb.recorded.history import History
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.recorded.writer import RunWriter
from xinv_nb.recording.events import Happening, WatchedValue, forward_events, watched_events


class KeptEvents:
    """Puts events into a run."""

    def __init__(self, run: RecordedRun, writer: RunWriter, most: int, notice: Callable[[str], None]) -> None:
        self._run = run
        self._writer = writer
        self._most = most
        self._notice = notice
        self._count = 0
        self._templates: set[str] = set()
        """What the simulator says inside passes."""
        self.outside: list[tuple[int, Happening]] = []
        """Events outside any pass since the latest evaluation, each with the evaluation it follows."""

    def add(self, history: History | None, evaluation: int, event: NewEvent) -> None:
        """Put an event beside an evaluation of an objective, or of whichever is shown."""
        if self._count >= self._most:
            self._writer.note_dropped_events()
            self._notice(f"More than {self._most:,} events: the later ones were not kept (--max-events keeps more).")
            return
        self._count += 1
        self._writer.add_event(history, evaluation, event)

    def add_watched(self, history: History, evaluation: int, watched: Sequence[WatchedValue]) -> None:
        """Put the events of quantities that are one number each beside an evaluation; they are made when read."""
        rows = tuple([(w.name, w.unit, w.value, w.at, w.stage, w.cotangent, w.asked_of) for w in watched])
        make = partial(watched_events, rows)
        count = len(rows) + sum([row.asked_of for row in watched])
        if self._count + count > self._most:
            for event in make():
                self.add(history, evaluation, event)
            return
        self._count += count
        self._writer.add_events_later(history, evaluation, count, make)

    # ------------------------------------------------------------------ events outside any pass

    def happened_outside(self, happening: Happening) -> None:
        """Keep an event outside any pass: the user's own loop speaks, or the simulator is called just for its value.

        Which of the two it is shows when the same words come, or do not come, from inside a pass.
        """
        if happening.template not in self._templates and len(self.outside) < self._most:
            self.outside.append((max(self._run.evaluations - 1, 0), happening))

    def learn_templates(self, happenings: Sequence[Happening]) -> None:
        """Drop what the simulator said when it was called just for its value, now that it says so inside a pass."""
        new = {h.template for h in happenings} - self._templates
        if not new:
            return
        self._templates |= new
        self.outside = [(row, h) for row, h in self.outside if h.template not in new]
        self._writer.drop_events(lambda owner, event: owner is None and event.name in new)

    def tell_outside(self) -> None:
        """Put the events outside any pass beside the evaluations that they follow."""
        outside, self.outside = self.outside, []  # first: an interrupt may lose some, and none is told twice
        for row, pairs in groupby(outside, key=lambda pair: pair[0]):
            for event in forward_events([happening for _, happening in pairs]):
                self.add(None, row, event)

    def drop_outside(self, happenings: Sequence[Happening]) -> None:
        """Leave out events outside any pass that turn out to belong to an evaluation."""
        theirs = set(map(id, happenings))
        self.outside = [(row, happening) for row, happening in self.outside if id(happening) not in theirs]
