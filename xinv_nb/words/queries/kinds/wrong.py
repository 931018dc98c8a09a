"""What is wrong, or what to do about it, in other words than those by which findings are known."""

from __future__ import annotations

from collections.abc import Sequence

from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.fact import Fact
from xinv_nb.words.narrator import findings_in
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind

_MOST = 2


def answer(query: Query) -> Sequence[Fact]:
    """Return the gravest findings; nothing where there is none."""
    return findings_in(facts_of(query.whole), _MOST)


QUERY = QueryKind("wrong", answer)
