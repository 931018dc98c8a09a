"""Events: what happened in the forward pass, the backward pass and the optimizer, in words of the domain.

Those about a parameter are worded when they are read, for what the reader calls it may be known only then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from xinv_nb.language.quantities import asked, is_state, number, quantity, share
from xinv_nb.recorded.entries import Entry

EventPhase = Literal["forward", "backward", "optimizer"]

EventKind = Literal["happening", "watched", "asked", "turn", "bound", "terms", "optimizer", "not finite", "tape", ""]
"""What an event is about: `happening` is the simulator's own words; `watched` a watched quantity and `asked` what the
gradient asks of it; `turn` that the gradient of a parameter begins to ask for another direction, `bound` that a
parameter reaches or leaves a bound, `terms` that terms of the loss pull one to opposite sides; `optimizer` what the
optimizer does; `not finite` where a number stopped being one; `tape` where a gradient ends, and what else a look at the
tape found. Empty in files of version 1, where it was not kept."""


@dataclass(frozen=True)
class Event:
    """Something that happened in the forward pass, the backward pass or the optimizer, in words of the domain."""

    id: str
    evaluation: int
    phase: EventPhase
    name: str
    text: str
    values: Mapping[str, Any]
    at: Any = None
    stage: str = ""
    count: int = 1
    """How often it happened within this evaluation."""
    kind: EventKind = ""
    column: int | None = None
    """Of an event about one parameter: its column in the history, until the event is worded."""
    until: str = ""
    """What is said when it no longer happens, where the simulator says so."""


class NewEvent(NamedTuple):
    """An event that has not been numbered yet: the fields of `Event` behind its id and its evaluation."""

    phase: EventPhase
    name: str
    text: str
    values: Mapping[str, Any]
    at: Any = None
    stage: str = ""
    times: int = 1
    kind: EventKind = ""
    column: int | None = None
    until: str = ""


def placed(
    kept: Sequence[tuple[object | None, Event]],
    objective: object,
    evaluations: int,
    start: int = 0,
    stop: int | None = None,
) -> list[Event]:
    """Return those of an objective, and those outside any pass, each beside one of its evaluations.

    One outside any pass counts the evaluations of the objective that was shown at its time. Where this one has fewer,
    it stands beside the latest evaluation of which an event was kept before it.
    """
    chosen = [pair for pair in kept[start:stop] if pair[0] is objective or pair[0] is None]
    if not any(owner is None and event.evaluation >= evaluations for owner, event in chosen):
        return [event for _, event in chosen]
    latest = max((event.evaluation for owner, event in kept[:start] if owner is objective), default=0)
    events = []
    for owner, event in chosen:
        if owner is objective:
            latest = max(latest, event.evaluation)
        is_beyond = owner is None and event.evaluation >= evaluations
        events.append(replace(event, evaluation=latest) if is_beyond else event)
    return events


def worded(event: Event, entries: Mapping[int | None, Entry], units: Mapping[str, str]) -> Event:
    """Return an event in words; `entries` are found by their columns, `units` by the names of watched quantities."""
    if event.column is None:
        return event if event.text or event.kind not in _OF_WATCHES else _watch_worded(event, units)
    entry = entries.get(event.column)
    name, label, unit, directions = "parameter", "a parameter", "", None
    if entry is not None:
        name, label, unit, directions = entry.name, entry.label, entry.parameter.unit, entry.parameter.directions
    values = event.values
    if event.kind == "bound":
        text = f"{label} {values['what']} its {values['side']} bound of {quantity(values['bound'], unit)}"
    elif event.kind == "terms":
        less, more = (f"{'to be ' * is_state(way)}{way}" for way in directions or ("down", "up"))
        text = f"{_pull(values['less'])} {label} {less}, {_pull(values['more'])} it {more}"
    else:
        text = asked(label, values["cotangent"], directions)
    return replace(event, name=name, text=text, values={"parameter": name, **values}, column=None)


_OF_WATCHES = ("watched", "asked")


def is_worded(event: Event) -> bool:
    """Whether an event has its words already."""
    return event.column is None and (bool(event.text) or event.kind not in _OF_WATCHES)


def _watch_worded(event: Event, units: Mapping[str, str]) -> Event:
    """Return what is said of a watched quantity: of its values, or of what the gradient asks of it."""
    values, unit = event.values, units.get(event.name, "")
    if event.kind == "watched" and "value" in values:
        text = f"{event.name} is {quantity(values['value'], unit)}"
    elif event.kind == "watched":
        text = f"{event.name} ranges from {number(values['min'])} to {quantity(values['max'], unit)}"
    else:
        text = asked(event.name, values["cotangent"])
        if event.at is not None and event.count > 1:
            text += f", most of all at {event.at}"
        if "share" in values:
            text += f": {share(values['share'])} of the pull on watched quantities"
    return replace(event, text=text)


def _pull(terms: Sequence[str]) -> str:
    return f"{terms[0]} pulls" if len(terms) == 1 else f"{', '.join(terms[:-1])} and {terms[-1]} pull"
