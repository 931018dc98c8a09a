"""When most of the fall of the loss was made: by when half of it, nine tenths and 99 % of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.fact import Fact
from xinv_nb.language.slots import Count, Iteration
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind, told
from xinv_nb.words.queries.tracks import of_loss

_SHARES = (("half", 0.5), ("tenths", 0.9), ("hundredths", 0.99))
_OTHER_STORIES = frozenset(["sampling", "players"])
_FEWEST = 5


def answer(query: Query) -> Sequence[Fact]:
    """Return by when the loss had first made half, 90 % and 99 % of its fall to the lowest."""
    facts = facts_of(query.whole)
    loss = of_loss(query.run)
    if any(fact.kind in _OTHER_STORIES for fact in facts) or len(loss.values) < _FEWEST or not loss.is_finite:
        return []
    if any(fact.kind == "course" and "median" in fact.form for fact in facts):
        return []  # single draws of a noisy loss say nothing of when it fell
    start, lowest = float(loss.values[0]), float(loss.values.min())
    if not start > lowest or loss.values[-1] > start:
        return []
    made = {
        name: Iteration(int(loss.evaluations[np.argmax(loss.values <= start - share * (start - lowest))]))
        for name, share in _SHARES
    }
    return [told(query, "progress", "made", {**made, "count": Count(query.run.evaluations)})]


QUERY = QueryKind("progress", answer, {"half": Iteration, "tenths": Iteration, "hundredths": Iteration, "count": Count})
