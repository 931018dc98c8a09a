"""Which of two like parameters is which, and whether they could be exchanged."""

from __future__ import annotations

from collections.abc import Sequence

from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.fact import Fact
from xinv_nb.language.slots import Said
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind, told
from xinv_nb.words.summary import findings_in


def answer(query: Query) -> Sequence[Fact]:
    """Return what was found of parameters that can be exchanged, or the call that tries it."""
    found = [fact for fact in facts_of(query.whole) if fact.data.get("finding") in ("exchangeable", "twins")]
    if found:
        return findings_in(found, 1)
    return [told(query, "exchange", "try it", {"call": Said(query.call("diagnose"))})]


QUERY = QueryKind("exchange", answer, {"call": Said})
