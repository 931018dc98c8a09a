"""What was paid for what was won: the reasons of moves that made something else worse."""

from __future__ import annotations

from collections.abc import Sequence

from xinv_nb.facts.analysis import facts_of, story_span
from xinv_nb.facts.fact import Fact
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind

_MOST = 3


def answer(query: Query) -> Sequence[Fact]:
    """Return the reasons over the whole run that name a price, of what is named, or of all."""
    reasons = [fact for fact in facts_of(query.whole) if fact.kind == "reason" and "paid" in fact.slots]
    whole = [fact for fact in reasons if fact.span == story_span(query.whole)]
    own = [fact for fact in whole if not query.subjects or fact.values["parameter"] in query.subjects]
    return (own or whole)[:_MOST]


QUERY = QueryKind("paid", answer)
