"""The events of the simulation, grouped by what happened: when each thing began, and when it ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from string import Formatter

import numpy as np

from xinv_nb.language.slots import Said
from xinv_nb.recorded.events import Event
from xinv_nb.recorded.run import RecordedRun

_FEWEST_EVALUATIONS = 3
_MOST = 24
"""Things that began or ended during a run which are told of."""


@dataclass(frozen=True)
class EventGroup:
    """The times that one thing happened."""

    events: Sequence[Event]
    begins: bool
    """Whether it began during the run."""
    ends: bool
    """Whether it ended during the run."""
    is_tried_only: bool
    """Whether it happened only at points that the optimizer tried and rejected."""
    is_unbroken: bool
    """Whether it happened in every accepted evaluation from its first to its last."""

    @property
    def first(self) -> Event:
        """The first time."""
        return self.events[0]

    @property
    def final(self) -> Event:
        """The last time."""
        return self.events[-1]

    @property
    def told_of(self) -> Event:
        """The time at which it is told: the first where it began during the run, else the last."""
        return self.first if self.begins else self.final


def event_groups(run: RecordedRun) -> list[EventGroup]:
    """Return what happened in the simulation, the most frequent first.

    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> def loss(x):
    ...     if x < 3:
    ...         xi.event("the ball lands")
    ...     return x**2
    >>> with xi.record() as run:
    ...     slopes = [grad(loss)(x) for x in (4.0, 2.0, 1.0)]
    >>> [(group.first.text, group.begins, group.ends) for group in event_groups(run)]
    [('the ball lands', True, False)]
    """
    if run.evaluations < _FEWEST_EVALUATIONS:
        return []
    return sorted(_groups(run), key=lambda group: -len(group.events))


def changing(groups: Sequence[EventGroup]) -> list[EventGroup]:
    """Return, of groups, those that began or ended during the run and have words."""
    return [group for group in groups if (group.begins or group.ends) and words_of(group.told_of)][:_MOST]


def words_of(event: Event) -> str:
    """Return an event's words, as a part of a sentence."""
    return " ".join(event.text.split()).rstrip(".")


def said_once(event: Event) -> Said:
    """Return an event's words without how often it happened."""
    return Said(words_of(event).removesuffix(f" ({event.count} times)"))


def said_of_all(group: EventGroup) -> Said:
    """Return the words of what happened several times, with … in the place of numbers that were not always the same."""
    first, final = group.first, group.final
    parts = _fields_of(first)
    if not parts:
        return said_once(first)
    text = ""
    for words, field, spec, conversion in parts:
        text += words
        if field is None:
            continue
        key = field.partition(".")[0].partition("[")[0]
        value = first.values.get(key, first.at if key == "at" else None)
        is_plain = isinstance(value, (int, float, str)) and field == key and not conversion
        if is_plain and not any(
            f"{key} min" in each.values or repr(each.values.get(key)) != repr(value) for each in (first, final)
        ):
            with suppress(ValueError):
                text += format(value, spec or "")
                continue
        text += "…"
    return Said(" ".join(text.split()).rstrip("."))


def _fields_of(event: Event) -> list[tuple[str, str | None, str | None, str | None]]:
    """Return the fields of an event's template, each behind the words before it; none where it has no fields."""
    try:
        return list(Formatter().parse(event.name)) if "{" in event.name else []
    except ValueError:  # a template that does not fit is shown as it stands
        return []


def said_of_range(group: EventGroup) -> Said:
    """Return the words of what happened several times, with from where to where its numbers went.

    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> def loss(x):
    ...     xi.event("it is {x:.1f} m high", x=x)
    ...     return x**2
    >>> with xi.record() as run:
    ...     slopes = [grad(loss)(x) for x in (4.0, 2.0, 1.0)]
    >>> said_of_range(event_groups(run)[0]).text
    'it is 1.0 to 4.0 m high'
    """
    first = group.first
    parts = _fields_of(first)
    if not parts:
        return said_once(first)
    text = ""
    for words, field, spec, conversion in parts:
        text += words
        if field is not None:
            low_high = None if conversion else _range_of(group.events, field)
            if low_high is None:
                return said_of_all(group)
            try:
                low, high = (format(value, spec or "") for value in low_high)
            except (ValueError, TypeError):
                return said_of_all(group)
            text += low if low == high else f"{low} to {high}"
    return Said(" ".join(text.split()).rstrip("."))


def _range_of(events: Sequence[Event], field: str) -> tuple[float, float] | tuple[str, str] | None:
    """Return the lowest and the highest value of a field, or its text where that is the same each time."""
    lows, highs = ([e.values.get(f"{field} {which}", e.values.get(field)) for e in events] for which in ("min", "max"))
    texts = {value for value in lows + highs if isinstance(value, str)}
    if texts:
        (text, *others) = texts
        return None if others or not all(isinstance(value, str) for value in lows) else (text, text)
    numbers = [value for value in lows + highs if isinstance(value, (int, float)) and np.isfinite(value)]
    return (min(numbers), max(numbers)) if len(numbers) == len(lows + highs) else None


def _groups(run: RecordedRun) -> Iterator[EventGroup]:
    watches, last, accepted = run.history.watches, run.evaluations - 1, run.accepted
    found: dict[tuple[object, ...], list[Event]] = {}
    # Not `run.events`: that words the backward events, which nobody asks for here.
    for event in run.events_as_recorded():
        if event.phase == "forward" and event.name not in watches:
            words = tuple(value for value in event.values.values() if isinstance(value, str))
            found.setdefault((event.name, event.stage, *words), []).append(event)
    for events in found.values():
        tried_only = not accepted.all() and not any(accepted[event.evaluation] for event in events)
        ends = events[-1].evaluation < last and not run.has_dropped_events
        first, final = events[0].evaluation, events[-1].evaluation
        times = {event.evaluation for event in events}
        unbroken = times.issuperset((np.flatnonzero(accepted[first : final + 1]) + first).tolist())
        yield EventGroup(events, first > 0, ends, tried_only, unbroken)
