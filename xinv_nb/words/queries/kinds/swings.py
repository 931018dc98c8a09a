"""Why the loss goes up and down: trials, another draw in each iteration, or steps that are drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xinv_nb.facts.analysis import facts_of, phases_of
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.measures.drawn import are_losses_drawn, are_steps_drawn
from xinv_nb.facts.measures.iterates import iterates_of
from xinv_nb.facts.measures.promises import ways_of_iterates
from xinv_nb.facts.measures.ups_and_downs import is_by_steps
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind, told


def answer(query: Query) -> Sequence[Fact]:
    """Return what makes the curve of the loss go up and down, where that is known."""
    facts = facts_of(query.whole)
    if other := [fact for fact in facts if fact.kind == "fits" and fact.form.startswith("of different data")]:
        return other[:1]  # from one to the next, it is another loss
    trials = [fact for fact in facts if fact.kind == "trials" and "difference" not in fact.form]
    if trials:
        return [*trials[:1], told(query, "swings", "trials", {})]
    ways, is_noisy = ways_of_iterates(query.run), any(phase.noisy for phase in phases_of(query.whole))
    if not are_losses_drawn(ways) and are_steps_drawn(query.run) and is_by_steps(ways, iterates_of(query.run)):
        return [told(query, "swings", "drawn steps", {})]
    if is_noisy or are_losses_drawn(ways):
        return [told(query, "swings", "draws", {})]
    loss = query.run.loss[query.run.accepted]
    if len(loss) > 2 and np.isfinite(loss).all() and (np.diff(loss) <= 0).all():
        return [told(query, "swings", "steady", {})]
    return []


QUERY = QueryKind("swings", answer)
