"""How a parameter or a quantity went, where it is named by a word of its name."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xinv_nb.facts.analysis import facts_of, story_span
from xinv_nb.facts.fact import Fact
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind

_MOST = re.compile(r"\b(?:most|farthest|furthest)\b")
_WHOLE = ("movement", "watch")


def answer(query: Query) -> Sequence[Fact]:
    """Return how it went over the run; by its full name it is found among the facts as it is.

    Of nothing that is named: what moved most.
    """
    if query.in_full:
        return []
    whole = story_span(query.whole)
    moves = [fact for fact in facts_of(query.whole) if fact.kind in _WHOLE and fact.span == whole]
    if not query.subjects:
        return [fact for fact in moves if fact.kind == "movement"][:2] if _MOST.search(query.asked) else []
    about = [f for f in moves if f.values.get("parameter", f.values.get("quantity")) in query.subjects]
    return about[: len(query.subjects)][:3]


QUERY = QueryKind("moves", answer)
