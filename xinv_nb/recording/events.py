"""From what the probes took note of in one evaluation to its events: repeated ones collapse, words are made here.

Templates and numbers are stored while the simulator runs; text is formatted once for each event that is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xinv_nb.quantities import asked, number, quantity
from xinv_nb.run import PARAMETER, Event, EventPhase


@dataclass(frozen=True, slots=True)
class Happening:
    """One call of `event`."""

    template: str
    at: Any
    values: Mapping[str, Any]
    stage: str


@dataclass(slots=True)
class WatchedValue:
    """One call of `watch`; the backward pass fills in the cotangent."""

    name: str
    unit: str
    value: Any
    at: Any
    stage: str
    cotangent: Any = field(default=np.nan)


def forward_events(happenings: Sequence[Happening], watched: Sequence[WatchedValue]) -> Iterator[Event]:
    """Yield the events of one forward pass; those that differ only in their numbers become one with a count."""
    groups: dict[tuple[Any, ...], list[Happening]] = {}
    for happening in happenings:
        words = tuple((k, v) for k, v in happening.values.items() if isinstance(v, str))
        groups.setdefault((happening.template, happening.stage, *words), []).append(happening)
    for same in groups.values():
        first = same[0]
        text = _formatted(first)
        if len(same) > 1:
            text += f" ({len(same)} times)"
        yield _event("forward", first.template, text, dict(first.values), first.at, first.stage, len(same))
    for name, rows in _by_name(watched).items():
        values = np.concatenate([np.real(np.ravel(r.value)) for r in rows])
        if len(values) == 1:
            text = f"{name} is {quantity(float(values[0]), rows[0].unit)}"
        else:
            low, high = number(float(values.min())), quantity(float(values.max()), rows[0].unit)
            text = f"{name} ranges from {low} to {high}"
        found = (
            {"value": float(values[0])}
            if len(values) == 1
            else {"min": float(values.min()), "max": float(values.max())}
        )
        yield _event("forward", name, text, found, rows[0].at, rows[0].stage, len(rows))


def backward_events(watched: Sequence[WatchedValue]) -> Iterator[Event]:
    """Yield what the gradient asked of each watched quantity in one backward pass."""
    for name, rows in _by_name(watched).items():
        strongest = max(rows, key=lambda row: _size(row.cotangent))
        total = float(sum(np.sum(np.real(row.cotangent)) for row in rows))
        if not np.isfinite(total):
            continue
        where = f" at {strongest.at}" if strongest.at is not None and len(rows) > 1 else ""
        text = asked(name, total) + (f", most of all{where}" if where else "")
        yield _event("backward", name, text, {"cotangent": total}, strongest.at, strongest.stage, len(rows))


def turn(column: int, sign: float) -> Event:
    """Return the event that the gradient of one parameter asks for a new direction; `Run.events` words it."""
    return Event("", -1, "backward", PARAMETER, "", {"column": column, "cotangent": sign})


def _size(cotangent: Any) -> float:
    size = float(np.max(np.abs(cotangent), initial=0.0))
    return size if np.isfinite(size) else -1.0


def _by_name(watched: Sequence[WatchedValue]) -> dict[str, list[WatchedValue]]:
    named: dict[str, list[WatchedValue]] = {}
    for row in watched:
        named.setdefault(row.name, []).append(row)
    return named


def _formatted(happening: Happening) -> str:
    """Fill a template in; a template that does not fit its values is shown as it stands rather than lost."""
    values = {key: _scalar(value) for key, value in happening.values.items()}
    try:
        return happening.template.format(at=happening.at, **values)
    except (KeyError, IndexError, ValueError, TypeError, AttributeError):
        return happening.template


def _scalar(value: Any) -> Any:
    return value.item() if isinstance(value, np.ndarray) and value.size == 1 else value


def _event(
    phase: EventPhase, name: str, text: str, values: Mapping[str, Any], at: Any, stage: str, count: int
) -> Event:
    return Event("", -1, phase, name, text, values, at, stage, count)
