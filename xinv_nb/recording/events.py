"""From what the probes took note of in one evaluation to its events: repeated ones collapse, words are made here.

Templates and numbers are stored while the simulator runs; text is formatted once for each event that is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from string import Formatter
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from xinv_nb.errors import keep_to_itself
from xinv_nb.language.characters import whole
from xinv_nb.language.quantities import number
from xinv_nb.recorded.events import EventKind, EventPhase, NewEvent
from xinv_nb.recorded.plain import is_plain, plain_array, plain_scalar, text_of
from xinv_nb.recording.backends.boxes import plain_value

_REAL = (int, float, np.integer, np.floating)
_DEEPEST = 40
"""Containers inside each other of which the contents are kept; deeper ones as their text."""
_MOST_RANGES = 2
"""Numbers of an event of which the extremes are told."""

_UNCHANGING = frozenset({type(None), str, bool, int, float, complex, np.float64})
"""Types of values that need no copy; the frequent ones."""


class Happening(NamedTuple):
    """One call of `event`."""

    template: str
    at: Any
    values: Mapping[str, Any]
    stage: str
    text: str = ""
    """The words, where they could not wait: an object of the simulator changes before anybody reads."""
    until: str = ""
    """A template, or the words where these could not wait, of what is said when it no longer happens."""


@dataclass(slots=True)
class WatchedValue:
    """One call of `watch`; the backward pass fills in the cotangent."""

    name: str
    unit: str
    value: Any
    at: Any
    stage: str
    cotangent: Any
    """Not a number where the value does not depend on the parameters, so that nothing is asked of it."""
    asked_of: bool = False
    """Whether the value depends on the parameters."""

    def receive(self, cotangent: Any) -> None:
        """Take the cotangent that the backward pass comes by with."""
        self.cotangent = cotangent if isinstance(cotangent, float) else plain_copy(cotangent)


def plain_copy(value: Any) -> Any:
    """Return a copy of a number or an array, out of its boxes; raises `TypeError` where it is none."""
    value = plain_value(value)
    if isinstance(value, float):  # NumPy's too: by far the most frequent
        return value
    array = np.array(value)
    if array.dtype.kind not in "biufc":
        raise TypeError("watch follows numbers and arrays")
    return array[()]


def happening(template: str, at: Any, values: Mapping[str, Any], stage: str, until: str = "") -> Happening:
    """Take note of an event, as it stands now: the simulator goes on changing its arrays and objects."""
    for value in values.values():
        if type(value) not in _UNCHANGING:
            break
    else:
        # What a named tuple is made of, without the detour through its own `__new__`: this is an inner loop.
        return _as_happening((template, at if type(at) in _UNCHANGING else snapshot(at), values, stage, "", until))
    kept = {name: snapshot(value) for name, value in values.items()}
    objects = {name: v for name, v in values.items() if isinstance(kept[name], str) and not isinstance(v, str)}
    text = _filled_in(template, {"at": at, **kept, **objects}) if objects else ""
    until = _filled_in(until, {"at": at, **kept, **objects}) if objects else until
    return Happening(template, snapshot(at), kept, stage, text, until)


_as_happening = partial(tuple.__new__, Happening)


def snapshot(value: Any, depth: int = 0) -> Any:
    """Return a copy of plain data (numbers, arrays, text, containers of them), and any other object as its text."""
    if type(value) in _UNCHANGING:
        return value
    value = plain_value(value)
    if isinstance(value, np.generic):
        is_long = isinstance(value, (np.longdouble, np.clongdouble))
        return value if value.dtype.kind in "biufc" and not is_long else plain_scalar(value)
    if value is None or isinstance(value, (str, bool, int, float, complex)):
        return value
    if isinstance(value, np.ndarray) and (value.dtype != object or not value.ndim):
        return value.copy() if is_plain(value) else plain_array(value)
    if depth < _DEEPEST and isinstance(value, Mapping):
        return {text_of(key): snapshot(item, depth + 1) for key, item in value.items()}
    if depth < _DEEPEST and isinstance(value, (list, tuple, np.ndarray)):
        items = [snapshot(item, depth + 1) for item in value]
        items = [item.item() if isinstance(item, np.generic) else item for item in items]
        return tuple(items) if isinstance(value, tuple) else items
    return text_of(value)


def forward_events(
    happenings: Sequence[Happening], watched: Mapping[str, Sequence[WatchedValue]] = MappingProxyType({})
) -> Iterator[NewEvent]:
    """Yield the events of one forward pass; those that differ only in their numbers become one.

    That one has the numbers of the first, the count, and the extremes with where they were.
    """
    groups: dict[tuple[Any, ...], list[Happening]] = {}
    for happening in happenings:
        words = tuple((k, v) for k, v in happening.values.items() if isinstance(v, str))
        groups.setdefault((happening.template, happening.stage, *words), []).append(happening)
    for same in groups.values():
        first, text, values = same[0], _formatted(same[0]), dict(same[0].values)
        if len(same) > 1:
            ranges = list(_extremes(same, values))
            text += f" ({'; '.join([f'{len(same)} times', *ranges[:_MOST_RANGES]])})"
        event = _event("happening", first.template, text, values, first.at, first.stage, len(same))
        yield event._replace(until=_end_of(first)) if first.until else event
    for name, rows in watched.items():
        one = rows[0]
        if len(rows) == 1 and isinstance(one.value, float):
            found = {"value": float(one.value)}
        else:
            numbers = _numbers([row.value for row in rows])
            if len(numbers) == 0:
                continue
            low, high = float(numbers.min()), float(numbers.max())
            found = {"value": low} if len(numbers) == 1 else {"min": low, "max": high}
        yield _event("watched", name, "", found, one.at, one.stage, len(rows))


def _extremes(same: Sequence[Happening], values: dict[str, Any]) -> Iterator[str]:
    """Put the extremes of numbers that vary among `values`, and yield them in words."""
    for name in list(values):
        numbers = [happening.values[name] for happening in same]
        if all(issubclass(kind, _REAL) for kind in set(map(type, numbers))) and len(set(numbers)) > 1:
            low, high = min(same, key=lambda h: h.values[name]), max(same, key=lambda h: h.values[name])
            parts = []
            for extreme, word in ((low, "min"), (high, "max")):
                values[f"{name} {word}"] = extreme.values[name]
                values[f"{name} {word} at"] = extreme.at
                parts.append(number(extreme.values[name]) + (f" at {extreme.at}" if extreme.at is not None else ""))
            yield f"{name} from {' to '.join(parts)}"


def backward_events(watched: Mapping[str, Sequence[WatchedValue]]) -> Iterator[NewEvent]:
    """Yield what the gradient asked of each watched quantity in one backward pass, and how strongly.

    `share` compares the quantities in the units of the loss: the change of the loss by one percent of each, as a share
    of that of all of them.
    """
    asked_of = {name: asked for name, rows in watched.items() if (asked := [row for row in rows if row.asked_of])}
    pulls = {name: _pull(rows) for name, rows in asked_of.items()} if len(asked_of) > 1 else {}
    whole = sum(pulls.values())
    for name, rows in asked_of.items():
        strongest = rows[0]
        if len(rows) == 1 and isinstance(strongest.cotangent, float):
            total = float(strongest.cotangent)
        else:
            total = float(_numbers([row.cotangent for row in rows]).sum())
            strongest = max(rows, key=lambda row: _size(row.cotangent))
        values = {"cotangent": total}
        if 0 < whole < np.inf:
            values["share"] = pulls[name] / whole
        yield _event("asked", name, "", values, strongest.at, strongest.stage, len(rows))


def watched_events(rows: Sequence[tuple[Any, ...]]) -> list[NewEvent]:
    """Return the events of quantities of one evaluation; a row holds what a `WatchedValue` is made of."""
    watched = by_name(WatchedValue(*row) for row in rows)
    return [*forward_events((), watched), *backward_events(watched)]


def _pull(rows: Sequence[WatchedValue]) -> float:
    """Return by how much the loss would change, to first order, if the quantity changed by its own size."""
    first = rows[0]
    if len(rows) == 1 and isinstance(first.cotangent, float) and isinstance(first.value, float):
        return abs(float(first.cotangent) * float(first.value))
    return float(np.abs(_numbers([row.cotangent for row in rows]) * _numbers([row.value for row in rows])).sum())


def turn(column: int, sign: float) -> NewEvent:
    """Return the event that the gradient of one parameter asks for a new direction."""
    return NewEvent("backward", "", "", {"cotangent": sign}, kind="turn", column=column)


def _numbers(values: Sequence[Any]) -> NDArray[Any]:
    """Return numbers and the entries of arrays, the real parts of complex ones, in one row."""
    if all(isinstance(value, float) for value in values):
        return np.array(values)
    if not any(isinstance(value, np.ndarray) for value in values):
        return np.real(np.array(values))
    return np.real(np.concatenate([np.ravel(value) for value in values]))


def _size(cotangent: Any) -> float:
    if isinstance(cotangent, np.ndarray):
        return float(np.max(np.abs(cotangent), initial=0.0))
    return float(abs(cotangent))


def by_name(watched: Iterable[WatchedValue]) -> dict[str, list[WatchedValue]]:
    """Return the rows of each watched quantity."""
    named: dict[str, list[WatchedValue]] = {}
    for row in watched:
        named.setdefault(row.name, []).append(row)
    return named


def _formatted(happening: Happening) -> str:
    return happening.text or _filled_in(happening.template, {"at": happening.at, **happening.values})


def _end_of(happening: Happening) -> str:
    return happening.until if happening.text else _filled_in(happening.until, {"at": happening.at, **happening.values})


class _OutOfBoxes(Formatter):
    """Formats numbers that a framework is following, also those inside the objects of a simulator."""

    def format_field(self, value: Any, format_spec: str) -> str:
        value = plain_value(value)
        return format(value.item() if isinstance(value, np.ndarray) and value.size == 1 else value, format_spec)


_formatter = _OutOfBoxes()


def _filled_in(template: str, values: Mapping[str, Any]) -> str:
    """Fill a template in; a template that does not fit its values is shown as it stands rather than lost."""
    try:
        return _formatter.vformat(template, (), values)
    except BaseException as error:  # noqa: BLE001 - whatever the values' own formatting raises
        keep_to_itself(error)
        return template


_PHASES: Mapping[EventKind, EventPhase] = {"happening": "forward", "watched": "forward", "asked": "backward"}


def _event(
    kind: EventKind, name: str, text: str, values: Mapping[str, Any], at: Any, stage: str, count: int
) -> NewEvent:
    return NewEvent(_PHASES[kind], name, whole(text), values, at, stage, count, kind)
