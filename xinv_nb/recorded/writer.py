"""The one writer of a run: all that fills a recording, or is kept with it, goes through here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from xinv_nb.language.characters import whole
from xinv_nb.recorded.captions import Caption
from xinv_nb.recorded.checks import Checks
from xinv_nb.recorded.choices import MOST_SPANS
from xinv_nb.recorded.curvature import Curvature
from xinv_nb.recorded.events import Event, NewEvent
from xinv_nb.recorded.history import History
from xinv_nb.recorded.missed import Missed
from xinv_nb.recorded.problem import Problem
from xinv_nb.recorded.run import RecordedRun, Status


class RunWriter:
    """Fills one run, which its readers cannot write to.

    Examples
    --------
    >>> run = RecordedRun("by hand")
    >>> RunWriter(run).end("interrupted", "stopped by you")
    >>> run.status, run.ending
    ('interrupted', 'stopped by you')
    """

    def __init__(self, run: RecordedRun) -> None:
        self._run = run
        self._events = run.event_count

    # ------------------------------------------------------------------ what is recorded

    def add_history(self, history: History) -> None:
        """Add the recording of one more objective."""
        self._run._histories.append(history)

    def join_histories(
        self, old: Sequence[History], new: History, event_in: Callable[[History, Event], Event | None]
    ) -> None:
        """Put one recording in the place of several that turn out to be of one objective.

        `event_in` returns an event of an old one as it is in the new one, or None where it is there already.
        """
        run = self._run
        run._histories[:] = [new if each is old[0] else each for each in run._histories if each not in old[1:]]
        pairs: list[tuple[History | None, Event]] = []
        for owner, event in run._events:
            if owner is not None and owner in old:
                kept = event_in(owner, event)
                pairs += [(new, kept)] if kept is not None else []
            else:
                pairs.append((owner, event))
        run._events.keep_only(pairs)

    def call_as(self, other: History) -> None:
        """Call objective and parameters as in the recording of the same objective; nothing where these are others."""
        history = self._run.history
        if len(history) and history.width == other.width:
            history.objective, history.outline = other.objective, other.outline
            history.leaves[:] = other.leaves

    def add_event(self, history: History | None, evaluation: int, event: NewEvent) -> None:
        """Add an event beside an evaluation of an objective, or of whichever is shown; it gets its number here."""
        self._events += 1
        self._run._events.add(history, Event(f"e{self._events}", evaluation, *event))

    def add_events_later(
        self, history: History, evaluation: int, count: int, make: Callable[[], Sequence[NewEvent]]
    ) -> None:
        """Add as many events as `make` returns: it is called when somebody reads them."""
        self._events += count
        self._run._events.add_later(history, evaluation, self._events - count + 1, count, make)

    def restore_event(self, history: History | None, event: Event) -> None:
        """Add an event that has its number and its evaluation, out of a file."""
        self._run._events.add(history, event)

    def drop_events(self, is_dropped: Callable[[History | None, Event], bool]) -> None:
        """Take events out of the recording again."""
        events = self._run._events
        if any(is_dropped(owner, event) for owner, event in events):
            events.keep_only([(owner, event) for owner, event in events if not is_dropped(owner, event)])

    def note_dropped_events(self) -> None:
        """Take note that there were more events than are kept."""
        self._run._dropped_events = True

    def note_missed(self, missed: Missed) -> None:
        """Say what the recording could not take."""
        self._run._missed = missed

    def notice(self, text: str) -> None:
        """Tell the reader something about the recording, once."""
        text = whole(text)
        if text not in self._run._notices:
            self._run._notices.append(text)

    def withdraw_notices(self, beginning: str) -> None:
        """Take back the notices that begin so."""
        self._run._notices[:] = [notice for notice in self._run._notices if not notice.startswith(beginning)]

    def end(self, status: Status, ending: str = "") -> None:
        """Say how the run ended."""
        self._run._ending, self._run._status = ending, status

    # ------------------------------------------------------------------ what the user tells

    def set_problem(self, problem: Problem | None) -> None:
        """Say what the run is about."""
        self._run._problem = problem

    def choose_parameters(self, names: Sequence[str]) -> None:
        """Say which parameters the user wants to see."""
        self._run._chosen_parameters = tuple(names)

    def mute(self, kinds: Sequence[str]) -> None:
        """Say of which kinds of findings nothing is to be told."""
        self._run._muted = tuple(kinds)

    def choose_fit(self, number: int | None) -> None:
        """Say which fit is to be told of, by its number from 0; None for the best. What was written is forgotten."""
        self._run._chosen_fit = number
        self._run._captions = None

    def forget_spans(self) -> None:
        """Forget the stretches that were asked for, and their captions."""
        self._run._chosen_spans, self._run._span_captions = (), ()

    # ------------------------------------------------------------------ what is kept with it

    def keep_captions(self, captions: Collection[Caption] | None) -> None:
        """Keep the captions that were written for the whole run; None forgets them."""
        self._run._captions = None if captions is None else tuple(captions)

    def keep_span_caption(self, caption: Caption) -> None:
        """Put a caption of a stretch behind the others, in the place of one of the same stretch."""
        others = [each for each in self._run._span_captions if each.span != caption.span]
        self._run._span_captions = (*others, caption)[-MOST_SPANS:]

    def keep_curvature(self, curvature: Curvature | None) -> None:
        """Keep second derivatives that were taken at the end; None forgets them."""
        with self._run.lock:
            self._run._curvature = curvature
            self._run.memo.pop("analysis", None)

    def keep_replay_of(self, found: Mapping[str, Any]) -> None:
        """Keep what sets this run apart from the one of which it is a replay."""
        with self._run.lock:
            self._run._replay_of = dict(found)
            self._run.memo.pop("analysis", None)

    def keep_checks(self, checks: Checks | None) -> None:
        """Keep what further evaluations of the objective showed; None forgets it."""
        with self._run.lock:
            self._run._checks = checks
            self._run.memo.pop("analysis", None)
