"""What would be if something were otherwise: a recording cannot tell, and says what could."""

from __future__ import annotations

from collections.abc import Sequence

from xinv_nb.facts.fact import Fact
from xinv_nb.words.queries.kinds.right import end_state
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind, told


def answer(query: Query) -> Sequence[Fact]:
    """Return that another run would have to be recorded, and what this one shows of what is named."""
    return [told(query, "what_if", "another run", {}), *end_state(query)]


QUERY = QueryKind("what_if", answer)
