"""How many evaluations were taken and how many turned down."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.fact import Fact
from xinv_nb.language.slots import Count
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind, told


def answer(query: Query) -> Sequence[Fact]:
    """Return how many evaluations the optimizer took and how many it turned down."""
    trials = [fact for fact in facts_of(query.whole) if fact.kind == "trials"][:1]
    taken = int(np.count_nonzero(query.run.accepted))
    if not trials or taken == query.run.evaluations:
        return [told(query, "trials", "none", {"count": Count(query.run.evaluations)})]
    return [*trials, told(query, "trials", "taken", {"taken": Count(taken), "count": Count(query.run.evaluations)})]


QUERY = QueryKind("trials", answer, {"taken": Count, "count": Count})
