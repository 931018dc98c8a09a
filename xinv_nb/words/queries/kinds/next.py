"""What to try next: what is wrong, each with what to do about it, or else the advice among the facts."""

from __future__ import annotations

from collections.abc import Sequence

from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.fact import Fact
from xinv_nb.words.queries.kinds import wrong
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind


def answer(query: Query) -> Sequence[Fact]:
    """Return what is wrong and what to do about it, or the advice."""
    return wrong.answer(query) or [fact for fact in facts_of(query.whole) if fact.kind == "advice"][:2]


QUERY = QueryKind("next", answer)
