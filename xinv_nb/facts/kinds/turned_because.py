"""Why a parameter turned back: which quantity pushed it the new way by then, and which still the old one.

Method: the descent direction, taken apart by the watched quantities that it goes through (chain rule).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.kinds.turning import LEAST
from xinv_nb.facts.measures.iterates import Floats, Track
from xinv_nb.facts.measures.names import named
from xinv_nb.facts.measures.path import FollowedPath, Quantity
from xinv_nb.facts.measures.pushing import named_side, push_unit, pushes_at, pushing, way_of
from xinv_nb.facts.measures.recorded_path import Unknown
from xinv_nb.facts.measures.turning import moved_most, turns_of
from xinv_nb.language.slots import Clause, Iteration, Listed, Named, Said, Slot, Value, Word

_MOST = 4
_UNEXPLAINED = 0.1
"""Share of the weaker push up to which what comes through no quantity need not be told."""
_MUCH_MORE = 1.1
"""Times the other push from which on one is told to be stronger there; else it only began to be."""
_DIGITS = 2
"""Digits of a push: between two readings of the tape it is interpolated."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield why parameters turned that turned once, where two quantities pushed them to opposite sides.

    Examples
    --------
    >>> import numpy as np
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> def cost(p):
    ...     misfit = xi.watch((p[0] - 4.0) ** 2 + (p[1] - 6.0) ** 2, "misfit")
    ...     return misfit + xi.watch(p[0] * p[1], "price")
    >>> with xi.record() as run:
    ...     p = np.array([0.0, 0.0])
    ...     for _ in range(60):
    ...         p = p - 0.05 * grad(cost)(p)
    >>> next(fact for fact in run.facts if fact.kind == "turned because").text
    'p[0] turned at iteration 15: there price began to push it down harder than misfit pushed it up, with 4.1 each.'
    """
    path = evidence.followed_path
    if isinstance(path, Unknown) or not evidence.is_minimized or evidence.is_maximized:
        return
    quantities = pushing(evidence.run, path)
    if len(quantities) < 2 or len(path.points) != len(evidence.iterates):
        return
    told = 0
    for track in moved_most(evidence):
        if track.entry.column is None or track.entry.part or told == _MOST:
            continue
        turns = turns_of(track.values, LEAST)
        if len(turns) == 1 and (fact := _turned(evidence, path, quantities, track, turns[0])):
            told += 1
            yield fact


def _turned(
    evidence: Evidence, path: FollowedPath, quantities: Mapping[Quantity, Floats], track: Track, place: int
) -> Fact | None:
    assert track.entry.column is not None
    column, after = track.entry.column, np.sign(track.values[-1] - track.values[place])
    wanted = -track.slopes * after
    if not (wanted[place] > 0 and (wanted[:place] < 0).any()):
        return None  # it was carried further, or came back, by something else than the descent direction
    pushes = {q: push * after for q, push in pushes_at(path, quantities, column, place).items()}
    new, old = max(pushes, key=lambda q: pushes[q]), min(pushes, key=lambda q: pushes[q])
    rest = float(wanted[place]) - sum(pushes.values())
    if not pushes[old] < 0 < pushes[new] or abs(rest) > _UNEXPLAINED * -pushes[old]:
        return None
    if pushes[new] <= -pushes[old]:
        return _by_sides(evidence, path, track, pushes, place, int(after))
    at = int(path.evaluations[place])
    unit = push_unit(evidence.run, track.entry)
    slots: dict[str, Slot] = {"parameter": named(track.entry), "at": Iteration(at)}
    slots |= {"quantity": new.named, "way": way_of(track, after), "push": Value(pushes[new], unit, digits=_DIGITS)}
    slots |= {"other": old.named, "back": way_of(track, -after)}
    slots["other_push"] = Value(-pushes[old], unit, digits=_DIGITS)
    data = {"pushes": {quantity.name: push * after for quantity, push in pushes.items()}}
    form = "evenly" if pushes[new] < _MUCH_MORE * -pushes[old] else "of two"
    return KIND.fact(form, evidence.whole, 0.55, slots, data=data)


def _by_sides(
    evidence: Evidence, path: FollowedPath, track: Track, pushes: Mapping[Quantity, float], place: int, after: int
) -> Fact | None:
    """Tell of several that were stronger together; `pushes` are those towards the new way."""
    (quantities, push), (others, other_push) = named_side(pushes, 1), named_side(pushes, -1)
    if push <= other_push or len(quantities.items) < 2:
        return None
    unit = push_unit(evidence.run, track.entry)
    slots: dict[str, Slot] = {"parameter": named(track.entry), "at": Iteration(int(path.evaluations[place]))}
    slots |= {"quantities": quantities, "way": way_of(track, after), "push": Value(push, unit, digits=_DIGITS)}
    slots |= {"others": others, "back": way_of(track, -after), "other_push": Value(other_push, unit, digits=_DIGITS)}
    data = {"pushes": {quantity.name: push * after for quantity, push in pushes.items()}}
    form = "together, evenly" if push < _MUCH_MORE * other_push else "together"
    return KIND.fact(form, evidence.whole, 0.55, slots, data=data)


KIND = Kind(
    name="turned because",
    question=Question.MOVEMENT,
    rank=34,
    slots={
        "parameter": Named,
        "at": Iteration,
        "quantity": Named,
        "way": (Said, Word, Clause),
        "push": Value,
        "other": Named,
        "quantities": Listed,
        "others": Listed,
        "back": (Said, Word, Clause),
        "other_push": Value,
    },
    compute=compute,
    method="the descent direction by the quantities that it goes through (chain rule)",
)
