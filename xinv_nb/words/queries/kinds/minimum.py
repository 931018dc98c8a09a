"""Whether it converged, or ended at a minimum."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.fact import Fact
from xinv_nb.words.narrator import findings_in
from xinv_nb.words.queries.kinds.value import state
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind
from xinv_nb.words.queries.tracks import of_loss

_CONVERGED = re.compile(r"\bconverge")
_HELD = frozenset(["bound", "constraint-active", "constraint-violated"])
"""Findings of ends that are no level points, and need not be."""
_FAST = re.compile(r"\b(?:fast|quick\w*|slow\w*|rate)\b")
"""Words by which a reader asks how fast, which the facts about convergence tell."""


def answer(query: Query) -> Sequence[Fact]:
    """Return whether the end is a minimum, how it ended, and the loss there; nothing where that cannot be told."""
    facts = facts_of(query.whole)
    judged = [fact for fact in facts if fact.kind == "minimum"][:1]
    ending = [fact for fact in facts if fact.kind == "ending"][:1]
    if not (judged or ending) or query.subjects or _FAST.search(query.asked):
        return []
    held = [fact for fact in facts if fact.data.get("finding") in _HELD]
    if held and not judged:
        return [*findings_in(held, 1)[:1], *ending, *state(query, [of_loss(query.run)])][:3]
    tests = [fact for fact in facts if fact.kind == "stopping tests"][:1] if _CONVERGED.search(query.asked) else []
    return [*judged, *ending, *state(query, [of_loss(query.run)]), *tests]


QUERY = QueryKind("minimum", answer)
