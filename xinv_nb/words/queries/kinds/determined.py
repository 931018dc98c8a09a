"""How well a parameter is determined: by standard errors or second derivatives, or what would tell."""

from __future__ import annotations

from collections.abc import Sequence

from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.fact import Fact
from xinv_nb.language.slots import Said
from xinv_nb.words.queries.kinds.right import end_state
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind, told

_TELL = ("identifiability", "correlation", "idle")


def answer(query: Query) -> Sequence[Fact]:
    """Return that the recording alone does not show it, and the call that does; nothing where facts tell of it."""
    facts = facts_of(query.whole)
    if any(fact.kind in _TELL for fact in facts) or query.run.status == "running":
        return []
    if any(fact.kind == "estimate" and fact.data.get("error") is not None for fact in facts):
        return []
    objective = query.whole.history.name or "objective"
    call = told(query, "determined", "identify", {"call": Said(f"run.identify({objective})")})
    return [call, *(end_state(query) if query.subjects else [])]


QUERY = QueryKind("determined", answer, {"call": Said})
