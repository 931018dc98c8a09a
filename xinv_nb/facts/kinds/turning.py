"""Where parameters and watched quantities turned, and how far they went past their goal (see `measures.turning`)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.kinds.watch import MOST as MOST_WATCHED
from xinv_nb.facts.measures.iterates import Floats, Track
from xinv_nb.facts.measures.names import named, watched
from xinv_nb.facts.measures.turning import MOST_TURNS, moved_most, swinging, turns_of
from xinv_nb.facts.measures.watched import is_loss
from xinv_nb.language.slots import Count, Directions, Iteration, Named, Slot, Value, Way, Word, pair
from xinv_nb.recorded.watch import Watch

LEAST = 0.05
"""Share of its range that a parameter goes at least between two turning points."""
_LEAST_WATCHED = 0.1
"""The same of a watched quantity."""
_TOLD_EACH = 2
"""Turning points that are told one by one."""
_MOST = 4
_FEWEST_ITERATES = 4
_SEEN = 0.02
"""Share of a rise by which a value may have fallen before: of more it is not said that it rose."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield the turns of watched quantities, then those of the parameters that do not swing."""
    for watch, values in evidence.followed[:MOST_WATCHED]:
        if not is_loss(values, evidence.run.loss) and (fact := _watched(evidence, watch, values)):
            yield fact
    regular = {track.entry.name for track, _ in swinging(evidence)}
    turned = [
        (track, turns)
        for track in moved_most(evidence)
        if track.entry.name not in regular and 0 < len(turns := turns_of(track.values, LEAST)) <= MOST_TURNS
    ]
    for place, (track, turns) in enumerate(turned[:_MOST]):
        yield _parameter(evidence, track, turns, 0.6 if place == 0 else 0.45)


def _watched(evidence: Evidence, watch: Watch, values: Floats) -> Fact | None:
    path = values[evidence.iterates.rows]
    if len(path) < _FEWEST_ITERATES or not np.isfinite(path).all() or np.ptp(path) == 0:
        return None
    turns = turns_of(path, _LEAST_WATCHED)
    if not 0 < len(turns) <= MOST_TURNS:
        return None
    form, slots, data = _way(path, evidence.iterates.rows, turns, watch.unit, None)
    slots["quantity"] = watched(watch)
    return KIND.fact(f"quantity, {form}", evidence.whole, 0.55, slots, data=data)


def _parameter(evidence: Evidence, track: Track, turns: list[int], salience: float) -> Fact:
    known, values = track.entry.parameter, track.values
    form, slots, data = _way(values, evidence.iterates.rows, turns, known.unit, known.directions)
    slots["parameter"] = named(track.entry)
    beyond = _overshoot(values)
    if beyond > LEAST * track.range:
        slots["overshoot"] = Value(beyond, known.unit)
        form += ", too far"
    data |= {"start": float(values[0]), "end": float(values[-1])}
    return KIND.fact(form, evidence.whole, salience, slots, data=data)


def _way(
    path: Floats, rows: NDArray[np.intp], turns: list[int], unit: str, directions: Directions | None
) -> tuple[str, dict[str, Slot], dict[str, object]]:
    """Return the form of a way with turns, its slots, and what else is known."""
    at = [int(rows[place]) for place in turns]
    data: dict[str, object] = {"turns": at, "values": [float(path[place]) for place in turns]}
    if len(turns) > _TOLD_EACH:
        where = int(np.argmin(path)), int(np.argmax(path))
        low, high = pair(float(path[where[0]]), float(path[where[1]]), unit, both=True)
        slots: dict[str, Slot] = {"times": Count(len(turns)), "low": low, "high": high}
        slots |= {"lowest": Iteration(int(rows[where[0]])), "highest": Iteration(int(rows[where[1]]))}
        return "several", slots, data
    places = [0, *turns, len(path) - 1]
    values = [float(path[place]) for place in places]
    start, top = pair(values[0], values[1], unit)
    slots = {"start": start, "top": top, "went": _went(path[: turns[0] + 1], unit, directions), "at": Iteration(at[0])}
    slots |= {"goal": pair(values[1], values[2], unit)[1], "turned": Way(values[2] - values[1], directions)}
    if len(turns) == 1:
        return "once", slots, data
    slots |= {"again": Way(values[3] - values[2], directions), "at_again": Iteration(at[1])}
    return "twice", slots | {"goal_again": pair(values[2], values[3], unit)[1]}, data


def _went(path: Floats, unit: str, directions: Directions | None) -> Way | Word:
    """Return which way a value went; that it went only, where it was on the other side of its start meanwhile."""
    change = float(path[-1] - path[0])
    aside = float(path.min() if change > 0 else path.max())
    start, there = pair(float(path[0]), aside, unit)
    is_seen = abs(aside - path[0]) > _SEEN * abs(change) and not start.looks_like(there)
    return Word("went") if is_seen else Way(change, directions)


def _overshoot(values: Floats) -> float:
    """Return how far the value went beyond its last, as seen from its first."""
    way = float(values[-1] - values[0])
    if abs(way) <= LEAST * float(np.ptp(values)):
        return 0.0  # it came back to where it began: no goal to go past
    return float(np.max((values - values[-1]) * np.sign(way)))


KIND = Kind(
    name="turning",
    question=Question.MOVEMENT,
    rank=33,
    slots={
        "parameter": Named,
        "quantity": Named,
        "start": Value,
        "top": Value,
        "went": (Way, Word),
        "at": Iteration,
        "goal": Value,
        "turned": Way,
        "again": Way,
        "at_again": Iteration,
        "goal_again": Value,
        "overshoot": Value,
        "times": Count,
        "low": Value,
        "high": Value,
        "lowest": Iteration,
        "highest": Iteration,
    },
    compute=compute,
    method="turning points by hysteresis (rainflow counting, Downing & Socie 1982)",
)
