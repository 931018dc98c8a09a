"""Finds objectives that move each other: each is given the parameters of the other, and steps on its own loss.

The two players of a game, such as a generator and the one that tells its pictures from true ones, are differentiated by
turns, each by its own parameters: `grad(disc)(d, g)` and `grad(gen)(g, d)`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from xinv_nb.recording.arguments import Part

_FEWEST = 3
"""Points that one has to be given of the other, and the other of the one: fewer may be equal by chance."""
_LATEST = 100
"""Evaluations after which nobody is looked for whose points nobody was given."""


def find_players(part: Part, row: int, groups: Iterable[Sequence[Part]]) -> None:
    """Find out whether a part, which has a new evaluation, and another one are given the points of each other."""
    if row > _LATEST and not part.given_to:
        return
    for other in (each for parts in groups if part not in parts for each in parts):
        if not other.moments:
            continue
        _note(part, row, other)
        _note(other, len(other.moments) - 1, part)
        if min(len(part.given_to.get(other, ())), len(other.given_to.get(part, ()))) >= _FEWEST:
            _are_players(part, other)


def _note(part: Part, row: int, other: Part) -> None:
    """Take note if `other` was given a point of `part` at its latest evaluation."""
    points = part.given_to.get(other, ())
    if part.history.kept is not None or len(points) >= _FEWEST:
        return
    own = {part.mark_at(position, row) for position in part.arguments}
    given = own & {marks.latest for marks in other.others.values()} - {None, *points}
    if given:
        part.given_to[other] = [*points, *given][:_FEWEST]


def _are_players(part: Part, other: Part) -> None:
    for one, two in ((part, other), (other, part)):
        if two.history.objective not in one.history.moved_by:
            one.history.moved_by = (*one.history.moved_by, two.history.objective)
