"""What to try next: what is wrong, each with what to do about it, or else the advice among the facts."""

from __future__ import annotations

from collections.abc import Sequence

from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.fact import Fact
from xinv_nb.words.queries.kinds import wrong
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind
from xinv_nb.words.summary import findings_in

_MOST = 2


def answer(query: Query) -> Sequence[Fact]:
    """Return what is wrong and what to do about it, or the advice, or that nothing was found to be wrong."""
    facts = facts_of(query.whole)
    advice = [fact for fact in facts if fact.kind == "advice"][:2]
    return findings_in(facts, _MOST) or advice or wrong.answer(query)


QUERY = QueryKind("next", answer)
