"""The run in short: what it came to, what did it, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence

from xinv_nb.facts.analysis import facts_of, story_span
from xinv_nb.facts.fact import Fact
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind

_TOLD = (("course",), ("reason", "credit", "movement"), ("ending",))
"""Kinds of facts in their order, of each the first that the run has."""
_REASONS = 2


def answer(query: Query) -> Sequence[Fact]:
    """Return how the loss went, the reasons of the moves that did most, and why it stopped."""
    if query.subjects or query.evaluation is not None or query.stretch is not None:
        return []
    whole = [fact for fact in facts_of(query.whole) if fact.span == story_span(query.whole) or fact.kind == "ending"]
    found: list[Fact] = []
    for kinds in _TOLD:
        of_kind = next((own for kind in kinds if (own := [f for f in whole if f.kind == kind])), [])
        found += of_kind[: _REASONS if kinds[0] == "reason" else 1]
    return found


QUERY = QueryKind("summary", answer)
