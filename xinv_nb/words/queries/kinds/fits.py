"""Which of several fits was best, and whether they agree."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from xinv_nb.facts.analysis import facts_of, shown_parts
from xinv_nb.facts.fact import Fact
from xinv_nb.language.slots import Count, Listed, LossValue, Ordinal
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind, told

_BEST = re.compile(r"\b(?:best|lowest|better|winner|won|best one)\b")

_COUNTED = re.compile(r"\bhow many (?:fits|starts|runs|restarts|attempts|tries)\b")


def answer(query: Query) -> Sequence[Fact]:
    """Return what is told across the fits, where that is asked which one was lowest first."""
    found = [fact for fact in facts_of(query.whole) if fact.kind == "fits"]
    parts = shown_parts(query.whole)
    if not found and _COUNTED.search(query.asked) and len(parts.fits) == 1:
        fit = parts.fits[0]
        return [told(query, "fits", "one", {"evaluations": Count(fit.stop - fit.start)}, (fit.start, fit.stop - 1))]
    is_alone = any(fact.form == "the lowest" for fact in found)
    if not (is_alone and _BEST.search(query.asked)):
        return found[:3]
    fit = parts.fits[parts.shown]
    lowest = LossValue(float(np.min(query.whole.loss[fit.best])))
    slots = {"which": Ordinal(parts.shown + 1), "count": Count(len(parts.fits)), "lowest": lowest}
    return [told(query, "fits", "best", slots), *found[:2]]


QUERY = QueryKind(
    "fits", answer, {"which": Ordinal, "count": Count, "lowest": LossValue, "each": Listed, "evaluations": Count}
)
