"""When each parameter had half of its way behind it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.kinds.movement import main_tracks
from xinv_nb.facts.measures.iterates import Track
from xinv_nb.facts.measures.names import named
from xinv_nb.facts.measures.reversals import goes_back
from xinv_nb.language.slots import Clause, Iteration, Listed, Named, Slot, pair

_MOST = 4
_APART = 1.5
"""Factor between the first and the last half-way from which the order is worth to be told."""
_ONE_WAY = 0.3
"""Share of a parameter's range that its whole way makes at least."""
_FEWEST = 5


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield the iterations by which the parameters had gone half of their ways, in that order."""
    iterates, last = evidence.iterates, evidence.last
    if last < 1 or not len(iterates):
        return
    half: dict[str, int] = {}
    names: dict[str, Named] = {}
    for track in main_tracks(evidence):
        if _goes_one_way(track, len(iterates)) and len(half) < _MOST:
            way = float(track.values[-1] - track.values[0])
            ahead = np.flatnonzero((track.values - track.values[0]) / way < 0.5)  # for good: noise goes there and back
            half[track.entry.name] = int(iterates.rows[int(ahead[-1]) + 1])
            names[track.entry.name] = named(track.entry)
    if not half or last + 1 < _FEWEST:
        return
    ordered = sorted(half, key=lambda name: half[name])
    first, rest = ordered[0], ordered[1:]
    if rest and half[ordered[-1]] <= _APART * half[first] + 1:
        return
    if len(iterates.tracks) == 1 and half[first] in (0, last):
        return
    # It begins a sentence as a word, whosever name it is.
    slots: dict[str, Slot] = {"parameter": Named(first, names[first].label), "at": Iteration(half[first])}
    if rest:
        others = [Clause("half-way", {"parameter": names[n], "at": Iteration(half[n])}) for n in rest]
        slots["others"] = Listed(tuple(others))
    data = {"half": {name: half[name] for name in ordered}}
    yield KIND.fact("in order" if rest else "one", evidence.whole, 0.5 if rest else 0.3, slots, data=data)


def _goes_one_way(track: Track, iterates: int) -> bool:
    """Whether a parameter goes from its start to its end in the main."""
    start, end = pair(float(track.values[0]), float(track.values[-1]))
    way = end.number - start.number
    return (
        not start.looks_like(end)
        and not track.wanders(0, iterates - 1)
        and not track.entry.statistic
        and abs(way) > _ONE_WAY * track.range
        and not goes_back(track.values)
    )


KIND = Kind(
    name="order",
    question=Question.MOVEMENT,
    rank=31,
    slots={"parameter": Named, "at": Iteration, "others": Listed},
    compute=compute,
    method="the iterate from which on a parameter is past the middle between its start and its end",
)
