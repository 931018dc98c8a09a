"""Which parameter mattered least to the fall of the loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.measures.names import named
from xinv_nb.language.slots import LossValue, Named, Share, Slot, Value
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind, told

_COMPLETE = ("one", "two", "two, raised")
"""Forms of the fact of who earned the fall whose shares are known, and of all parameters."""


def answer(query: Query) -> Sequence[Fact]:
    """Return the smallest share of the fall, or that one's moves raised the loss."""
    credit = next((fact for fact in facts_of(query.whole) if fact.kind == "credit"), None)
    if credit is None or credit.form not in _COMPLETE:
        return []
    parts: Mapping[str, float] = credit.data["parts"]  # by how much each changed the loss
    name = max(parts, key=lambda each: parts[each])
    entry = next(entry for entry in query.run.entries() if entry.name == name)
    slots: dict[str, Slot] = {"parameter": named(entry)}
    if parts[name] > abs(float(credit.data["total"])) * float(credit.data["remainder"]):
        return [told(query, "least", "raised", slots | {"amount": LossValue(parts[name])}), credit]
    return [told(query, "least", "share", slots | {"share": Share(parts[name] / credit.data["total"])}), credit]


QUERY = QueryKind("least", answer, {"parameter": Named, "share": Share, "amount": Value})
