"""Why it went on at an iteration: what ends the optimizer, and what the loss did from there on."""

from __future__ import annotations

from collections.abc import Sequence

from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.fact import Fact
from xinv_nb.language.slots import Iteration, Slot, Value, Way, pair
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind, told
from xinv_nb.words.queries.tracks import of_loss


def answer(query: Query) -> Sequence[Fact]:
    """Return how the run ended, and how the loss went on from the iteration that is named."""
    ending = [fact for fact in facts_of(query.whole) if fact.kind == "ending"][:1]
    if query.evaluation is None or query.subjects or not ending or not query.places.has(query.evaluation):
        return []
    at, loss = query.places.there(query.evaluation), of_loss(query.run)
    then = loss.at(at)
    if then is None or not loss.is_finite or not 0 <= at < query.run.evaluations - 1:
        return []
    before, after = pair(then, float(loss.values[-1]), loss.unit)
    if before.looks_like(after):
        slots: dict[str, Slot] = {"at": Iteration(at), "before": before}
        return [*ending, told(query, "not_stopped", "hardly changed", slots, (at, query.run.evaluations - 1))]
    slots = {"at": Iteration(at), "before": before, "after": after, "went": Way(after.number - before.number)}
    return [*ending, told(query, "not_stopped", "went on", slots, (at, query.run.evaluations - 1))]


QUERY = QueryKind("not_stopped", answer, {"at": Iteration, "before": Value, "after": Value, "went": Way})
