"""Which events of the simulation began, ended or changed during the run, and what moved at the same time.

That two things happened at the same time is said as such, never as cause: only the gradient tells causes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kinds.movement import name_of, verb
from xinv_nb.facts.measures.iterates import Iterates
from xinv_nb.language.quantities import pair
from xinv_nb.recorded.events import Event
from xinv_nb.recorded.run import RecordedRun

_MOST = 24
_MOST_TRENDS = 6
_MOST_COINCIDENCES = 3
_FEWEST = 5
"""Times that an event happened from which on it may have a trend."""
_TREND = 0.25
"""Share of its range that a number in an event changes from first to last, from which it is told."""
_SAMPLE = 500
"""Times that an event happened of which the numbers are looked at."""
_MOSTLY = 0.5
"""Share of all that moves did to the loss around an event, from which one parameter's is told."""
_FAST = 2.0
"""Factor above its mean speed from which a move is one of that moment."""


@dataclass(frozen=True)
class _Group:
    """The times that one thing happened."""

    events: Sequence[Event]
    values: dict[str, int | bool]
    begins: bool
    ends: bool

    @property
    def told_of(self) -> Event:
        return self.events[0] if self.begins else self.events[-1]


def happenings(run: RecordedRun, iterates: Iterates) -> Iterator[Fact]:
    """Yield the first and the last time of events that did not happen throughout, the most frequent first.

    Then those that grew or shrank from their first to their last time, and parameters that moved when one began or
    ended.
    """
    last = run.evaluations - 1
    if last < 2:
        return
    groups = sorted(_groups(run), key=lambda group: -len(group.events))
    changing = [group for group in groups if (group.begins or group.ends) and _said(group.told_of)][:_MOST]
    for group in changing:
        yield _began_or_ended(run, group)
    trends = [fact for group in groups if (fact := _trend(group))]
    yield from trends[:_MOST_TRENDS]
    coincidences = [fact for group in changing if (fact := _coincidence(iterates, group))]
    yield from coincidences[:_MOST_COINCIDENCES]


def _groups(run: RecordedRun) -> Iterator[_Group]:
    history, last = run.history, run.evaluations - 1
    found: dict[tuple[object, ...], list[Event]] = {}
    # Not `run.events`: that words the backward events, which nobody asks for here.
    for event in run.events_as_recorded():
        if event.phase == "forward" and event.name not in history.watches:
            words = tuple(v for v in event.values.values() if isinstance(v, str))
            found.setdefault((event.name, event.stage, *words), []).append(event)
    accepted = run.accepted
    for events in found.values():
        first, final = events[0].evaluation, events[-1].evaluation
        values: dict[str, int | bool] = {"first": first, "last": final, "count": len(events)}
        if not accepted.all() and not any(accepted[event.evaluation] for event in events):
            values["trials only"] = True
        begins = first > 0
        ends = final < last and not run.has_dropped_events
        yield _Group(events, values | {"at": first if begins else final}, begins, ends)


def _began_or_ended(run: RecordedRun, group: _Group) -> Fact:
    first, final = group.events[0], group.events[-1]
    when = "For the first time at" if group.begins else "For the last time at"
    if first.evaluation == final.evaluation and (group.ends or final.evaluation == run.evaluations - 1):
        when = "At"
    text = f"{when} iteration {group.told_of.evaluation}: {_said(group.told_of)}."
    if "trials only" in group.values:
        where = "a point" if first is final else "points"
        text = f"{text[:-1]} (only at {where} that the optimizer tried and rejected)."
    cites = (first.id,) if final is first else (first.id, final.id)
    return Fact("", "event", text, group.values, (first.evaluation, final.evaluation), cites, 0.6)


def _said(event: Event) -> str:
    return " ".join(event.text.split()).rstrip(".")


def _trend(group: _Group) -> Fact | None:
    """Tell of an event whose numbers, or whose count within an evaluation, went from one end of their range away."""
    first, final = group.events[0], group.events[-1]
    if len(group.events) < _FEWEST or not _said(first):
        return None
    span = first.evaluation, final.evaluation
    low, high = sorted((first.count, final.count))
    if high >= 2 * low and high >= 3:
        text = f"“{_once(first)}” happened {_times(first.count)} in iteration {span[0]} and {_times(final.count)} "
        values = {"first": span[0], "last": span[1], "counts": (first.count, final.count)}
        return Fact("", "trend", f"{text}in iteration {span[1]}.", values, span, (first.id, final.id), 0.45)
    sample = [*group.events[:: len(group.events) // _SAMPLE + 1], final]
    for key, value in first.values.items():
        numbers = [event.values.get(key) for event in sample] if _is_number(value) else []
        if not numbers or not all(map(_is_number, numbers)):
            continue
        series = np.array(numbers, dtype=float)
        change, whole = abs(float(series[-1] - series[0])), float(np.ptp(series))
        if np.isfinite(whole) and whole > 0 and change >= _TREND * whole and _said(first) != _said(final):
            text = f"At iteration {span[0]}: {_said(first)}; at iteration {span[1]}: {_said(final)}."
            values = {"first": span[0], "last": span[1], "name": key, "values": (series[0], series[-1])}
            return Fact("", "trend", text, values, span, (first.id, final.id), 0.45)
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def _once(event: Event) -> str:
    return _said(event).removesuffix(f" ({event.count} times)")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _coincidence(iterates: Iterates, group: _Group) -> Fact | None:
    """Tell of the parameter that did most to the loss when an event began or ended, if it then moved fast."""
    event, n = group.told_of, len(iterates)
    k, width = iterates.at(event.evaluation), max(2, len(iterates) // 50)
    i, j = max(k - width, 0), min(k + width, n - 1)
    tracks = [(row, track) for row, track in enumerate(iterates.tracks) if not track.entry.statistic]
    if not 0 < k < n - 1 or len(tracks) < 2:
        return None
    done = [float(abs(iterates.earned[row, j] - iterates.earned[row, i])) for row, _ in tracks]
    total = sum(done)
    best = int(np.argmax(done))
    track = tracks[best][1]
    start, end = float(track.values[i]), float(track.values[j])
    mean = float(np.mean(np.abs(np.diff(track.values))))
    first, second = pair(start, end, track.entry.parameter.unit)
    if not np.isfinite(total) or not done[best] > _MOSTLY * total or first == second:
        return None
    if abs(end - start) < _FAST * mean * (j - i):
        return None
    a, b = int(iterates.rows[i]), int(iterates.rows[j])
    which = "began" if group.begins else "ended"
    text = (
        f"When this {which}, “{_once(event)}” (iteration {event.evaluation}), {name_of(track.entry)} was moving fast: "
    )
    text += f"it {verb(track.entry, end - start)} from {first} to {second} between iterations {a} and {b}."
    values = {"parameter": track.entry.name, "at": event.evaluation, "start": start, "end": end, "from": a, "to": b}
    return Fact("", "coincidence", text, values, (a, b), (event.id,), 0.4)
