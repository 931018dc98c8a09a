"""When a parameter, a quantity or the loss was lowest or highest, among the points that the optimizer accepted."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from xinv_nb.facts.fact import Fact
from xinv_nb.facts.measures.precision import is_constant
from xinv_nb.language.slots import Iteration, Named, Slot, Value, pair
from xinv_nb.words.queries.kinds.value import asked_for
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind, told
from xinv_nb.words.queries.tracks import Track

_MOST = 3
_LOW = re.compile(r"\b(?:low|lowest|small|smallest|least|min|minimum|minimal|down|bottom)\b")
_FAR = re.compile(r"\b(?:farthest|furthest|most|far)\b")
_HIGH = re.compile(
    r"\b(?:high|highest|large|largest|big|biggest|great|greatest|max|maximum|maximal|peak|up|top|most)\b"
)


def answer(query: Query) -> Sequence[Fact]:
    """Return the lowest or the highest value, or both where a range is asked for, with when it was."""
    is_low, is_high = _ways(query)
    if not query.subjects and not is_high:
        return []  # where the loss was lowest is among the facts
    if query.subjects and not (is_low or is_high or re.search(r"\b(?:range|between)\b", query.asked)):
        return []
    tracks = [track for track in asked_for(query) if track.is_finite]
    if not 0 < len(tracks) <= _MOST:
        return []
    both = is_low == is_high
    return [fact for track in tracks for fact in _extremes(query, track, low=is_low or both, high=is_high or both)]


def _extremes(query: Query, track: Track, *, low: bool, high: bool) -> list[Fact]:
    if is_constant(track.values):
        return [told(query, "extreme", "stayed", {"quantity": track.named, "end": Value(track.values[-1], track.unit)})]
    found: list[Fact] = []
    if low:
        found += [extreme(query, track, int(np.argmin(track.values)), "lowest"), *_tried(query, track, -1.0)]
    if high:
        found += [extreme(query, track, int(np.argmax(track.values)), "highest"), *_tried(query, track, 1.0)]
    return found


def _tried(query: Query, track: Track, way: float) -> list[Fact]:
    """Return what it came to among the trials that were turned down, where that lies farther out."""
    known = np.flatnonzero(np.isfinite(track.tried))
    if not len(known):
        return []
    place = int(known[np.argmax(way * track.tried[known])])
    if way * track.tried[place] <= (way * track.values).max():
        return []
    at, value = int(track.trials[place]), Value(float(track.tried[place]), track.unit)
    return [told(query, "extreme", "among trials", {"value": value, "at": Iteration(at)}, (at, at))]


def _ways(query: Query) -> tuple[bool, bool]:
    """Return whether the lowest and whether the highest is asked for, also in the directions of the domain."""
    low, high = bool(_LOW.search(query.asked)), bool(_HIGH.search(query.asked))
    for entry in query.run.entries():
        if entry.name in query.subjects and entry.parameter.directions is not None and _FAR.search(query.asked):
            less, more = (rf"\b{re.escape(word.lower())}\b" for word in entry.parameter.directions)
            low, high = bool(re.search(less, query.asked)), bool(re.search(more, query.asked))
    return low, high


def extreme(query: Query, track: Track, place: int, form: str) -> Fact:
    """Return that a number was lowest or highest at one of its places."""
    value, end = pair(float(track.values[place]), float(track.values[-1]), track.unit, both=True)
    slots: dict[str, Slot] = {"quantity": track.named, "value": value, "end": end}
    evaluation = int(track.evaluations[place])
    slots["at"] = Iteration(evaluation)
    if place == 0:
        form += " at the start"
    elif place == len(track.values) - 1:
        form += " at the end"
    return told(query, "extreme", form, slots, (evaluation, evaluation))


QUERY = QueryKind("extreme", answer, {"quantity": Named, "value": Value, "end": Value, "at": Iteration})
