"""Which parameters changed a watched quantity: what the move of each brought to it, from its start to its end.

Method: the path integral of the quantity's derivative by each parameter (Aumann and Shapley 1974; Lan et al. 2019).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.kinds.watch import MOST
from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.names import named
from xinv_nb.facts.measures.path import FollowedPath, Quantity, digits_of
from xinv_nb.facts.measures.recorded_path import Unknown
from xinv_nb.language.slots import Clause, Listed, Named, Slot, Value, Way, Word, pair
from xinv_nb.recorded.entries import Entry

_MOST_PARTS = 4
_WORTH = 0.05
"""Share of the largest part from which on a part is told."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield for each watched quantity what the parameters did to it.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> def cost(x):
    ...     xi.watch(x[0] * x[1], "area", "m²")
    ...     return (x[0] - 3.0) ** 2 + (x[1] - 1.0) ** 2
    >>> import numpy as np
    >>> with xi.record() as run:
    ...     x = np.array([1.0, 2.0])
    ...     for _ in range(40):
    ...         x = x - 0.1 * grad(cost)(x)
    >>> next(fact for fact in run.facts if fact.kind == "brought about").text
    'Area rose from 2 to 3 m²: moving x[0] raised it by 3 m² and moving x[1] lowered it by 2 m².'
    """
    path = evidence.followed_path
    if isinstance(path, Unknown) or not evidence.is_minimized:
        return
    for quantity in [q for q in path.quantities if not q.is_loss][:MOST]:
        if fact := _of(evidence, path, quantity):
            yield fact


def _of(evidence: Evidence, path: FollowedPath, quantity: Quantity) -> Fact | None:
    last = len(path.points) - 1
    change = path.change(quantity, 0, last)
    brought: Floats = path.brought(quantity, 0, last)
    if not np.isfinite(change):
        return None
    start, end = pair(float(quantity.values[0]), float(quantity.values[-1]), quantity.unit)
    if start.looks_like(end):
        return None
    parts = list(_parts(evidence, brought))
    if sum(size for _, _, size in parts) < evidence.run.history.width or len(parts) < 2:
        return None  # of one parameter it is no news, and of more than are followed, parts would be missing
    ordered = sorted(((entry, part) for entry, part, _ in parts), key=lambda part: -abs(part[1]))
    told = [(entry, part) for entry, part in ordered if abs(part) >= _WORTH * abs(ordered[0][1])][:_MOST_PARTS]
    doubt, doubts = path.doubt(quantity, 0, last), path.doubts(quantity, 0, last)
    digits = [digits_of(part, brought, change, doubt, _doubt_of(entry, doubts)) for entry, part in told]
    if None in digits:
        return None
    slots: dict[str, Slot] = {"quantity": quantity.named, "went": Way(change), "start": start, "end": end}
    slots["parts"] = Listed(
        tuple(
            _moved_it(named(entry), Value(part, quantity.unit, digits=count or 1))
            for (entry, part), count in zip(told, digits, strict=True)
        )
    )
    data = {"parts_by_name": {entry.name: part for entry, part in ordered}}
    return KIND.fact("of parameters", evidence.whole, 0.35, slots, data=data)


def _parts(evidence: Evidence, brought: Floats) -> Iterator[tuple[Entry, float, int]]:
    """Yield each number that is followed, and each large array as a whole, with its part and how many numbers it is."""
    entries = [track.entry for track in evidence.iterates.tracks if not track.entry.part]
    arrays = {entry.leaf.name for entry in entries if entry.column is None}
    for entry in entries:
        if entry.column is None:
            yield entry, float(brought[entry.leaf.start : entry.leaf.stop].sum()), entry.leaf.size
        elif entry.leaf.name not in arrays:
            yield entry, float(brought[entry.column]), 1


def _doubt_of(entry: Entry, doubts: Floats) -> float:
    """Return by how much the part of a number, or of a large array as a whole, may be wrong."""
    if entry.column is None:
        return float(doubts[entry.leaf.start : entry.leaf.stop].sum())
    return float(doubts[entry.column])


def _moved_it(parameter: Named, part: Value) -> Clause:
    did = Word("lowered" if part.number < 0 else "raised")
    size = replace(part, number=abs(part.number))
    return Clause("moving it changed it", {"parameter": parameter, "did": did, "part": size})


KIND = Kind(
    name="brought about",
    question=Question.CREDIT,
    rank=39,
    slots={"quantity": Named, "went": Way, "start": Value, "end": Value, "parts": Listed},
    compute=compute,
    method="path integrals of the quantities' derivatives (Aumann and Shapley 1974; Lan et al. 2019)",
)
