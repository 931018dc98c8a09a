"""Which of several fits was best, and whether they agree."""

from __future__ import annotations

from collections.abc import Sequence

from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.fact import Fact
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind


def answer(query: Query) -> Sequence[Fact]:
    """Return what is told across the fits; nothing where there is one."""
    return [fact for fact in facts_of(query.whole) if fact.kind == "fits"][:3]


QUERY = QueryKind("fits", answer)
