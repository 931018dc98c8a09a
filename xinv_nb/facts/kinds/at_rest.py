"""What holds a parameter where it came to rest: quantities that push it to opposite sides with equal strength.

Method: the descent direction at the end, taken apart by the watched quantities that it goes through (chain rule).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.iterates import Floats, Track
from xinv_nb.facts.measures.names import named
from xinv_nb.facts.measures.path import FollowedPath, Quantity
from xinv_nb.facts.measures.pushing import known_near, named_side, push_unit, pushes_at, pushing, way_of
from xinv_nb.facts.measures.recorded_path import Unknown
from xinv_nb.facts.measures.turning import moved_most
from xinv_nb.language.slots import Clause, Listed, Named, Said, Slot, Value, Word

_MOST = 4
_LATE = 0.1
"""Share of the iterates at the end over which what came to rest hardly moves."""
_FEWEST = 10
_STILL = 0.03
"""Share of its range up to which a parameter hardly moves."""
_EVEN = 0.1
"""Share of the stronger side by which the two may differ, and may be left over."""
_SLIGHT = 0.02
"""Share of its strongest push in the run below which nothing pushes a parameter to speak of."""
_DIGITS = 2


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield for each parameter that came to rest between two sides what pushed it there.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> def cost(x):
    ...     return xi.watch((x - 5.0) ** 2, "misfit") + xi.watch(2 * x, "price", "€")
    >>> with xi.record() as run:
    ...     x = 0.0
    ...     for _ in range(60):
    ...         x = x - 0.1 * grad(cost)(x)
    >>> print(next(fact for fact in run.facts if fact.kind == "at rest").text)
    At the end misfit pushed x up about as strongly as price pushed it down, with 2 on each side.
    """
    path = evidence.followed_path
    if isinstance(path, Unknown) or not evidence.is_minimized or evidence.is_maximized or evidence.is_noisy:
        return
    quantities = pushing(evidence.run, path)
    if len(quantities) < 2 or len(path.points) < _FEWEST or len(path.points) != len(evidence.iterates):
        return
    last = len(path.points) - 1
    if not all(known_near(path, quantity, last, _STILL) for quantity in quantities):
        return
    told = 0
    for track in moved_most(evidence):
        if track.entry.column is None or track.entry.part or told == _MOST:
            continue
        if _is_still(track) and (fact := _between(evidence, path, quantities, track)):
            told += 1
            yield fact


def _is_still(track: Track) -> bool:
    late = track.values[-max(round(_LATE * len(track.values)), 2) :]
    return float(np.ptp(late)) <= _STILL * track.range


def _between(
    evidence: Evidence, path: FollowedPath, quantities: Mapping[Quantity, Floats], track: Track
) -> Fact | None:
    column, last = track.entry.column, len(path.points) - 1
    assert column is not None
    pushes = pushes_at(path, quantities, column, last)
    named_sides = {sign: named_side(pushes, sign) for sign in (1, -1)}
    weaker, stronger = sorted(size for _, size in named_sides.values())
    # What comes through no quantity is left over of the gradient, which is known.
    if not weaker > 0 or abs(float(track.slopes[-1])) > _EVEN * stronger or stronger - weaker > _EVEN * stronger:
        return None
    strongest = max(
        float(np.max(np.abs(cotangents[quantity.places] * quantity.gradients[:, column])))
        for quantity, cotangents in quantities.items()
    )
    if weaker < _SLIGHT * strongest:
        return None
    up = int(np.sign(track.values[-1] - track.values[0])) or 1
    forth, back = named_sides[up][0], named_sides[-up][0]
    unit = push_unit(evidence.run, track.entry)
    slots: dict[str, Slot] = {"parameter": named(track.entry), "quantities": forth, "way": way_of(track, up)}
    slots |= {"others": back, "back": way_of(track, -up)}
    slots["push"] = Value((weaker + stronger) / 2, unit, digits=_DIGITS)
    data = {"pushes": {quantity.name: push for quantity, push in pushes.items()}}
    return KIND.fact("between", (evidence.last, evidence.last), 0.6, slots, data=data)


KIND = Kind(
    name="at rest",
    asked_with=r"\b(?:why|what)\b.*\b(?:stop(?:s|ped)? there|holds?|held|not (?:any )?(?:further|farther)|balanced?)\b",
    question=Question.MOVEMENT,
    rank=37,
    slots={
        "parameter": Named,
        "quantities": Listed,
        "way": (Said, Word, Clause),
        "others": Listed,
        "back": (Said, Word, Clause),
        "push": Value,
    },
    compute=compute,
    method="the descent direction at the end by the quantities that it goes through (chain rule)",
)
