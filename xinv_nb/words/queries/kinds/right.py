"""Whether a value or a model is right: no recording knows that; it tells where the fit ended."""

from __future__ import annotations

from collections.abc import Sequence

from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.fact import Fact
from xinv_nb.words.queries.kinds.value import state
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind, told
from xinv_nb.words.queries.tracks import of_loss, of_parameters, of_quantities


def answer(query: Query) -> Sequence[Fact]:
    """Return that the recording has nothing to compare with, but for true values that the problem gives."""
    true = [fact for fact in facts_of(query.whole) if fact.kind == "truth"]
    if true:
        return [fact for fact in true if not query.subjects or fact.values.get("parameter") in query.subjects][:2]
    return [told(query, "right", "not known", {}), *end_state(query)]


def end_state(query: Query, *, or_loss: bool = True) -> list[Fact]:
    """Return what was at the end, as far as it is near to a question: what it names, else quantities, else the loss."""
    if query.subjects:
        named = [*of_quantities(query.run, query.subjects), *of_parameters(query.run, query.subjects)]
        return state(query, named)
    loss = [of_loss(query.run)] if or_loss else []
    return state(query, of_quantities(query.run)) or state(query, loss)


QUERY = QueryKind("right", answer)
