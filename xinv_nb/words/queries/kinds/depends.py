"""Whether the loss depends on a parameter: from what was found of parameters that have no effect, or from the fall."""

from __future__ import annotations

from collections.abc import Sequence

from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.fact import Fact
from xinv_nb.words.names import mentioned_in, subjects_of
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind
from xinv_nb.words.summary import findings_in

_WITHOUT_EFFECT = frozenset(["gradient-dies", "cut-off", "never-moved", "saturated", "undetermined", "broadcast"])


def answer(query: Query) -> Sequence[Fact]:
    """Return what was found wrong with what is named; where no name is known, what stands still in this run."""
    facts = facts_of(query.whole)
    found = [fact for fact in facts if fact.data.get("finding") in _WITHOUT_EFFECT]
    labels = {label for label, name in subjects_of(query.run).items() if name in query.subjects}
    if labels:
        numbers = {fact.data["id"] for fact in found if mentioned_in(fact.text, labels)}
        found = [fact for fact in found if fact.data["id"] in numbers]
    return findings_in(found, 1)


QUERY = QueryKind("depends", answer)
