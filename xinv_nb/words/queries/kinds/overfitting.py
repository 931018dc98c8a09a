"""Whether it overfits: what was kept out of the fit got worse while the loss went on falling."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.fact import Fact
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind, told


def answer(query: Query) -> Sequence[Fact]:
    """Return what tells of overfitting; that nothing kept out of the fit was watched, where that is so."""
    facts = facts_of(query.whole)
    found = [fact for fact in facts if fact.kind == "held out"]
    if found:
        named = {str(fact.values["quantity"]).lower() for fact in found}
        events = [fact for fact in facts if fact.kind == "event" and _shares(str(fact.values["said"]), named)]
        return [*found[:1], *events[:1]]
    apart = [each for each in query.run.watches.values() if not np.nan_to_num(np.real(each.cotangents)).any()]
    return [] if apart else [told(query, "overfitting", "not watched", {})]


def _shares(said: str, names: set[str]) -> bool:
    """Whether an event speaks of a quantity: by two words of its name."""
    words = set(said.lower().replace(":", " ").split())
    return any(len({word for word in name.split() if len(word) > 3} & words) > 1 for name in names)


QUERY = QueryKind("overfitting", answer)
