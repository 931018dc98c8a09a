"""Events: what happened in the forward pass, the backward pass and the optimizer, in words of the domain.

Those about a parameter are worded when they are read, for what the reader calls it may be known only then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from xinv_nb.entries import Entry
from xinv_nb.quantities import asked, quantity

EventPhase = Literal["forward", "backward", "optimizer"]

PARAMETER = "\0parameter"
"""Name of an event about what the gradient asks of a parameter, until it is worded."""

BOUND = "\0bound"
"""The same, for an event about a bound."""

TERMS = "\0terms"
"""The same, for an event about terms of the loss that pull a parameter to opposite sides."""


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


def is_worded(event: Event) -> bool:
    """Whether an event can be read as it is."""
    return event.name not in _WORDED


def worded(event: Event, entries: Mapping[int | None, Entry]) -> Event:
    """Return an event with the name and the words that its parameter has; `entries` are found by their columns."""
    return _WORDED[event.name](event, entries) if event.name in _WORDED else event


def _worded_parameter(event: Event, entries: Mapping[int | None, Entry]) -> Event:
    entry = entries.get(event.values["column"])
    name, label, directions = ("parameter", "a parameter", None)
    if entry is not None:
        name, label, directions = entry.name, entry.label, entry.parameter.directions
    cotangent = event.values["cotangent"]
    values = {"parameter": name, "cotangent": cotangent}
    return replace(event, name=name, text=asked(label, cotangent, directions), values=values)


def _worded_bound(event: Event, entries: Mapping[int | None, Entry]) -> Event:
    values = dict(event.values)
    entry = entries.get(values.pop("column"))
    name, label, unit = ("parameter", "a parameter", "")
    if entry is not None:
        name, label, unit = entry.name, entry.label, entry.parameter.unit
    text = f"{label} {values['what']} its {values['side']} bound of {quantity(values['bound'], unit)}"
    return replace(event, name=name, text=text, values={"parameter": name, **values})


def _worded_terms(event: Event, entries: Mapping[int | None, Entry]) -> Event:
    values = dict(event.values)
    entry = entries.get(values.pop("column"))
    name, label, directions = ("parameter", "a parameter", None)
    if entry is not None:
        name, label, directions = entry.name, entry.label, entry.parameter.directions
    less, more = directions or ("down", "up")
    first, second = _pull(values["less"]), _pull(values["more"])
    text = f"{first} {label} {less}, {second} it {more}"
    return replace(event, name=name, text=text, values={"parameter": name, **values})


def _pull(terms: Sequence[str]) -> str:
    return f"{terms[0]} pulls" if len(terms) == 1 else f"{', '.join(terms[:-1])} and {terms[-1]} pull"


_WORDED = {PARAMETER: _worded_parameter, BOUND: _worded_bound, TERMS: _worded_terms}
