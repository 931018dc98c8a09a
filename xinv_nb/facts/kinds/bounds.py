"""Which parameters lay at a bound or beyond it, and whether the gradient held them there.

At the minimum of a bounded problem the gradient still points across an active bound (the Karush-Kuhn-Tucker
conditions; Byrd, Lu, Nocedal and Zhu 1995): the loss would fall further outside.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kinds.movement import subject
from xinv_nb.facts.measures.iterates import Iterates, Track
from xinv_nb.language.quantities import quantity
from xinv_nb.recorded.run import RecordedRun

_MOST = 6
_NEAR = 1e-9
"""Share of a parameter's range within which it is at the bound."""


def bounds(run: RecordedRun, iterates: Iterates) -> Iterator[Fact]:
    """Yield for each bound that a parameter reached from when to when it lay there, and what the gradient asked."""
    if run.evaluations < 2 or not len(iterates):
        return
    told = 0
    reported = _reported(run)
    for track in iterates.numbers:
        known: dict[tuple[int, float], tuple[str, ...]] = {
            (side, float(bound)): ()
            for side, bound in zip((-1, 1), track.entry.parameter.bounds or (), strict=False)
            if bound is not None
        }
        known |= reported.get(track.entry.name, {})
        for (side, bound), cites in known.items():
            if told < _MOST and (fact := _at_bound(run, iterates, track, side, bound, cites)):
                told += 1
                yield fact


def _reported(run: RecordedRun) -> dict[str, dict[tuple[int, float], tuple[str, ...]]]:
    """Return the bounds that the optimizer was seen to reach: parameter → side and bound → the events."""
    names = {entry.column: entry.name for entry in run.entries()}
    found: dict[str, dict[tuple[int, float], tuple[str, ...]]] = {}
    for event in run.events_as_recorded():
        if event.kind == "bound":
            key = -1 if event.values["side"] == "lower" else 1, float(event.values["bound"])
            of_name = found.setdefault(names.get(event.column, ""), {})
            of_name[key] = (*of_name.get(key, ()), event.id)
    return found


def _at_bound(
    run: RecordedRun, iterates: Iterates, track: Track, side: int, bound: float, cites: tuple[str, ...]
) -> Fact | None:
    entry, last = track.entry, run.evaluations - 1
    beyond = side * (track.values - bound)
    near = _NEAR * (track.range if track.range > 0 else 1.0)
    there = np.flatnonzero(beyond >= -near)
    if not len(there) or not np.isfinite(track.values[there]).all():
        return None
    first, final = int(iterates.rows[there[0]]), int(iterates.rows[there[-1]])
    name, limit = subject(entry), quantity(bound, entry.parameter.unit)
    which = "lower" if side < 0 else "upper"
    values = {
        "parameter": entry.name,
        "bound": bound,
        "side": which,
        "iterates": len(there),
        "first": first,
        "last": final,
    }
    if beyond.max() > near:
        outside = np.flatnonzero(beyond > near)
        first, farthest = int(iterates.rows[outside[0]]), float(track.values[np.argmax(beyond)])
        text = f"{name} went beyond its {which} bound of {limit} at iteration {first}, as far as "
        text += f"{quantity(farthest, entry.parameter.unit)}."
        return Fact("", "bound", text, values | {"farthest": farthest, "first": first}, (first, last), cites, 0.7)
    through = len(there) == there[-1] - there[0] + 1
    at_end = there[-1] == len(iterates) - 1
    if at_end and through:
        when = f"from iteration {first} to the end" if first > 0 else "all along"
        text = f"{name} lay at its {which} bound of {limit} {when}"
        pull = -side * float(track.slopes[-1])
        values["pull"] = pull
        if pull > 0:
            text += "; the gradient still pulled it across: beyond the bound the loss would fall further"
        elif pull < 0:
            text += "; at the end the gradient no longer held it there"
        return Fact("", "bound", text + ".", values, (first, last), cites, 0.8 if pull > 0 else 0.6)
    when = f"at iteration {first}" if first == final else f"between iterations {first} and {final}"
    often = "" if through else f", at {len(there)} of the accepted points"
    return Fact(
        "", "bound", f"{name} touched its {which} bound of {limit} {when}{often}.", values, (first, final), cites, 0.4
    )
