"""Which quantity pushed a parameter which way, at an iteration, over a stretch that the reader chose, or over the run.

Method: the descent direction, taken apart by the watched quantities that it goes through (chain rule).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.iterates import Floats, Track
from xinv_nb.facts.measures.names import named
from xinv_nb.facts.measures.path import FollowedPath, Quantity
from xinv_nb.facts.measures.pushing import push_unit, pushes_between, pushing, way_of
from xinv_nb.facts.measures.recorded_path import Unknown
from xinv_nb.facts.measures.turning import moved_most
from xinv_nb.language.slots import Clause, Iteration, Listed, Named, Slot, Value
from xinv_nb.recorded.run import RecordedRun

_MOST = 8
_WORTH = 0.05
"""Share of the strongest push from which on one is told."""
_UNEXPLAINED = 0.02
"""Share of the strongest push that may come through no quantity, and not be told."""
_DIGITS = 2
"""Digits of a push: between two readings of the tape it is interpolated."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield what pushed the parameters that matter most on average over the run, and in the stretches chosen.

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
    >>> run.ask("What pushed x at iteration 5?", model=False).text
    'At iteration 5 x was pushed up by misfit with 4.6 and down by price with 2.'
    """
    path = evidence.followed_path
    if isinstance(path, Unknown) or not evidence.is_minimized or evidence.is_maximized:
        return
    quantities = pushing(evidence.run, path)
    if not quantities or len(path.points) != len(evidence.iterates):
        return
    tracks = [t for t in moved_most(evidence) if t.entry.column is not None and not t.entry.part][:_MOST]
    whole = evidence.whole
    for span in dict.fromkeys([whole, *evidence.run.chosen_spans]):
        for track in tracks:
            if fact := _pushed(evidence.run, path, quantities, track, span, 0.2 if span == whole else 0.0):
                yield fact


def _pushed(
    run: RecordedRun,
    path: FollowedPath,
    quantities: Mapping[Quantity, Floats],
    track: Track,
    span: tuple[int, int],
    salience: float,
) -> Fact | None:
    column, (i, j) = track.entry.column, (path.at(end) for end in span)
    assert column is not None
    pushes = pushes_between(path, quantities, column, i, j)
    strongest = max(map(abs, pushes.values()))
    rest = float(np.mean(-track.slopes[i : j + 1])) - sum(pushes.values())
    if not strongest > 0 or not abs(rest) <= _UNEXPLAINED * strongest:
        return None  # something else pushes it as well, and is not watched
    side = {sign: sum(push for push in pushes.values() if push * sign > 0) * sign for sign in (1, -1)}

    def order(quantity: Quantity) -> tuple[float, float]:
        """Put the stronger side first, and of each the strongest quantity first."""
        return -side[1 if pushes[quantity] > 0 else -1], -abs(pushes[quantity])

    told = sorted((q for q in pushes if abs(pushes[q]) >= _WORTH * strongest), key=order)
    slots: dict[str, Slot] = {"parameter": named(track.entry), "pushes": _listed(run, track, told, pushes)}
    data = {"parts": {quantity.name: push for quantity, push in pushes.items()}}
    if i == j:
        slots["at"] = Iteration(int(path.evaluations[i]))
        return KIND.fact("at", span, salience, slots, data=data)
    slots |= {"first": Iteration(span[0]), "last": Iteration(span[1])}
    return KIND.fact("over the run" if salience else "in a stretch", span, salience, slots, data=data)


def _listed(run: RecordedRun, track: Track, told: Sequence[Quantity], pushes: Mapping[Quantity, float]) -> Listed:
    """Return what some quantities did to a parameter: of neighbours that pushed the same way, the way once."""
    unit = push_unit(run, track.entry)
    signs = [1 if pushes[quantity] > 0 else -1 for quantity in told]
    clauses = []
    for place, quantity in enumerate(told):
        form = "it was pushed" + (" as well" if place and signs[place] == signs[place - 1] else "")
        size = Value(abs(pushes[quantity]), unit, digits=_DIGITS)
        clauses.append(Clause(form, {"way": way_of(track, signs[place]), "quantity": quantity.named, "push": size}))
    return Listed(tuple(clauses))


KIND = Kind(
    name="push",
    asked_with=r"\b(?:push|pull)(?:s|es|ed|ing)?\b",
    question=Question.GRADIENT,
    rank=47,
    slots={"parameter": Named, "pushes": Listed, "at": Iteration, "first": Iteration, "last": Iteration},
    compute=compute,
    method="the descent direction by the quantities that it goes through (chain rule)",
)
