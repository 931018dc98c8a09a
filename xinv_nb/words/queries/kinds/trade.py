"""What counts for how much in the loss: its terms, and the weight of each watched quantity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.measures.names import watched
from xinv_nb.facts.measures.watched import curves
from xinv_nb.language.slots import Clause, Listed, Named, Slot, Value
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind, told

_MOST = 4
_SAME = 1e-9


def answer(query: Query) -> Sequence[Fact]:
    """Return what one of each quantity counts in the loss, where that is the same all along, and what each brought."""
    terms = [fact for fact in facts_of(query.whole) if fact.kind == "terms"][:1]
    if not terms:
        return []
    weights: list[Slot] = []
    for curve in curves(query.run.watches):
        known = curve.cotangents[np.isfinite(curve.cotangents)]
        if len(known) and known[0] != 0 and np.ptp(known) <= _SAME * abs(known[0]):
            slots: dict[str, Slot] = {"weight": Value(float(known[0])), "quantity": watched(curve.watch)}
            slots["unit"] = Value(1.0, curve.watch.unit)
            weights.append(Clause("one more", slots, "answer trade"))
    if not 1 < len(weights) <= _MOST:
        return terms
    return [told(query, "trade", "weights", {"weights": Listed(tuple(weights))}), *terms]


QUERY = QueryKind("trade", answer, {"weights": Listed, "weight": Value, "quantity": Named, "unit": Value})
