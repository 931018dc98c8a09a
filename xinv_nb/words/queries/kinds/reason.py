"""Why a parameter or a quantity went where it went."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xinv_nb.facts.analysis import facts_of, story_span
from xinv_nb.facts.fact import Fact
from xinv_nb.language.slots import Said
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind, told

_LATE = re.compile(r"\b(?:at (?:the (?:very )?end|last)|in the end|finally|towards the end|late)\b")
_SPOKEN_OF = {"reason": "parameter", "brought about": "quantity"}


def answer(query: Query) -> Sequence[Fact]:
    """Return the reasons of what is named; of a late stretch, what else changed there."""
    if not query.subjects:
        return []
    facts = facts_of(query.whole)
    if _LATE.search(query.asked):
        return _late(query, facts)
    reasons = [fact for fact in facts if fact.values.get(_SPOKEN_OF.get(fact.kind, "")) in query.subjects]
    if reasons:
        return [] if query.in_full else reasons[:2]  # by full names the facts are found as they are
    whole = [fact for fact in facts if fact.kind == "watch" and fact.span == story_span(query.whole)]
    moved = [fact for fact in whole if fact.values["quantity"] in query.subjects and "went" in fact.slots][:1]
    if not moved or query.run.status == "running":
        return []
    return [*moved, told(query, "reason", "not known", {"call": Said(_call(query))})]


def _call(query: Query) -> str:
    name = next(iter(query.whole.objectives), "")
    return f"run.reasons_for({name if name.isidentifier() else 'objective'})"


def _late(query: Query, facts: Sequence[Fact]) -> Sequence[Fact]:
    """Return how a quantity went in the last stretch, and what the terms of the loss did there."""
    end = story_span(query.whole)
    moves = [fact for fact in facts if fact.kind == "watch" and fact.values["quantity"] in query.subjects]
    late = [fact for fact in moves if fact.span[1] == end[1] and fact.span[0] > end[0]][:1]
    spans = {fact.span for fact in late}
    beside = [fact for fact in facts if fact.kind == "terms" and fact.span in spans]
    others = [fact for fact in facts if fact.kind == "watch" and fact.span in spans and fact not in late]
    pulled = [fact for fact in facts if fact.kind in ("conflict", "balance")]
    return [*late, *(beside or others)[:2], *pulled[:1]] if late and (beside or others) else []


QUERY = QueryKind("reason", answer, {"call": Said})
