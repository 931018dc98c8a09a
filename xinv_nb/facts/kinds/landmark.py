"""Which places of the domain points went past, on which side, and how near.

Method: a point goes past a place where the line through the place across its whole move is crossed once between start
and end. Told only of points whose coordinates are all parameters: see `Problem.landmarks`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.iterates import Floats, Track
from xinv_nb.facts.measures.names import named
from xinv_nb.language.quantities import is_state
from xinv_nb.language.slots import Named, Said, Slot, Value, Word, pair
from xinv_nb.recorded.problem import Parameter

_MOST = 4
_INSIDE = 0.05
"""Share of a move, at both ends, within which a place is not yet passed."""
_ON_A_SIDE = 0.9
"""Cosine with an axis from which on a place is passed on the side of that axis."""
_SMALL, _LARGE = 0.1, 0.4
"""Shares of the range of all points up to which a move is small, and from which on it is large."""


@dataclass(frozen=True)
class _Point:
    """A point whose coordinates are parameters."""

    name: Named | Said
    tracks: tuple[Track, ...]

    @property
    def path(self) -> Floats:
        return np.stack([track.values for track in self.tracks], axis=1)

    @property
    def known(self) -> list[Parameter]:
        return [track.entry.parameter for track in self.tracks]


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield the places that points went past.

    Examples
    --------
    >>> import numpy as np
    >>> import xinv_nb as xi
    >>> ways = {"east": xi.Parameter(unit="km", directions=("west", "east"))}
    >>> ways["north"] = xi.Parameter(unit="km", directions=("south", "north"))
    >>> village = {"the village": {"east": 3.0, "north": 2.0}}
    >>> with xi.record(problem=xi.Problem("walk", parameters=ways, landmarks=village)) as run:
    ...     for east in np.linspace(0.0, 8.0, 9):
    ...         run.add((east - 8.0) ** 2, {"east": east, "north": 1.0})
    >>> next(fact.text for fact in run.facts if fact.kind == "landmark")
    'The point (east, north) went past the village on the south, 1 km from it.'
    """
    problem = evidence.run.problem
    if problem is None or not problem.landmarks or len(evidence.iterates) < 2:
        return
    tracks = {track.entry.column: track for track in evidence.iterates.numbers if not track.entry.part}
    rows = _rows(evidence, tracks)
    told = 0
    for place, position in problem.landmarks.items():
        points = _by_names(tracks, position) if isinstance(position, Mapping) else rows
        where = np.array(list(position.values()) if isinstance(position, Mapping) else position)
        for point in points:
            fact = _past(evidence, point, place, where, rows) if len(point.tracks) == len(where) else None
            if fact is not None and told < _MOST:
                told += 1
                yield fact


def _rows(evidence: Evidence, tracks: Mapping[int | None, Track]) -> list[_Point]:
    """Return the rows of arrays of which every entry has directions of its own."""
    run, found = evidence.run, []
    names = run.problem.parameters if run.problem is not None else {}
    for leaf in run.history.leaves:
        width = leaf.shape[-1] if leaf.shape else 0
        if width < 2 or leaf.kept is not None:
            continue
        for start in range(leaf.start, leaf.start + leaf.size, width):
            columns = [tracks.get(column) for column in range(start, start + width)]
            own = [track for track in columns if track is not None]
            ways = [track.entry.parameter.directions for track in own]
            if len(own) < width or None in ways or len(set(ways)) < width:
                continue
            index = np.unravel_index(start - leaf.start, leaf.shape)[:-1]
            name = f"{leaf.name}[{', '.join(map(str, index))}]" if index else leaf.name
            known = names.get(name)
            label = known.name if known is not None and known.name else name
            found.append(_Point(Named(name, label, is_of_domain=label != name), tuple(own)))
    return found


def _by_names(tracks: Mapping[int | None, Track], position: Mapping[str, float]) -> list[_Point]:
    by_name = {name: track for track in tracks.values() for name in (track.entry.label, track.entry.name)}
    own = [by_name.get(name) for name in position]
    found = tuple(track for track in own if track is not None)
    if len(found) < len(position) or len(found) != len({track.entry.column for track in found}):
        return []
    if len(found) == 1:
        return [_Point(named(found[0].entry), found)]
    label = f"the point ({', '.join(track.entry.label for track in found)})"
    return [_Point(Said(label), found)]


def _past(evidence: Evidence, point: _Point, place: str, where: Floats, rows: Sequence[_Point]) -> Fact | None:
    path, known = point.path, point.known
    if not np.isfinite(path).all() or len({each.unit for each in known}) > 1:
        return None
    move = path[-1] - path[0]
    length = float(np.linalg.norm(move))
    if not length > 0:
        return None
    along = (path - where) @ move / length**2
    crossings = np.flatnonzero((along[:-1] < 0) & (along[1:] >= 0) | (along[:-1] >= 0) & (along[1:] < 0))
    if len(crossings) != 1 or along[0] > -_INSIDE or along[-1] < _INSIDE:
        return None
    slots: dict[str, Slot] = {"point": point.name, "landmark": Said(place)}
    span, data = evidence.whole, {"length": length}
    if len(known) == 1:
        way = known[0].directions
        start, end = pair(float(path[0, 0]), float(path[-1, 0]), known[0].unit)
        slots |= {"start": start, "end": end, "at": Value(float(where[0]), known[0].unit)}
        if way is None or is_state(way[int(move[0] > 0)]):
            return KIND.fact("past", span, 0.5, slots, data=data)
        return KIND.fact("past, on its way", span, 0.5, slots | {"way": Said(way[int(move[0] > 0)])}, data=data)
    k = int(crossings[0])
    part = along[k] / (along[k] - along[k + 1])
    beside = path[k] + part * (path[k + 1] - path[k]) - where
    distance = float(np.linalg.norm(beside))
    axis = int(np.argmax(np.abs(beside)))
    ways = known[axis].directions
    if distance > length or ways is None or not abs(beside[axis]) >= _ON_A_SIDE * distance > 0:
        return None
    slots |= {"side": Said(ways[int(beside[axis] > 0)]), "distance": Value(distance, known[0].unit)}
    size = _size(length, [each.path for each in rows if len(each.tracks) == len(known)])
    form = "past, on a side" if size is None else "past, on a side, by a move"
    return KIND.fact(form, span, 0.5, slots | ({"size": size} if size is not None else {}), data=data)


def _size(length: float, paths: Sequence[Floats]) -> Word | None:
    """Return what a move is in the range of all points; None where there is one point only."""
    if len(paths) < 2:
        return None
    every = np.vstack(paths)
    share = length / float(np.max(np.ptp(every, axis=0)))
    return Word("small" if share < _SMALL else "large" if share > _LARGE else "medium")


KIND = Kind(
    name="landmark",
    question=Question.MOVEMENT,
    rank=37,
    slots={
        "point": (Named, Said),
        "landmark": Said,
        "start": Value,
        "end": Value,
        "at": Value,
        "way": Said,
        "side": Said,
        "distance": Value,
        "size": Word,
    },
    compute=compute,
    method="the one crossing of the line through the place across the whole move",
    asked_with=r"\b(?:landmarks?|past|pass(?:ed)?|on which side|how near)\b",
)
