"""Whether it overfits: what was kept out of the fit got worse while the loss went on falling."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kinds.held_out import is_held_out
from xinv_nb.facts.measures.watched import curves
from xinv_nb.words.queries.kinds.extreme import extreme
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind, told
from xinv_nb.words.queries.tracks import of_quantities


def answer(query: Query) -> Sequence[Fact]:
    """Return what tells of overfitting; or that nothing was watched that is known to be kept out of the fit."""
    facts = facts_of(query.whole)
    found = [fact for fact in facts if fact.kind == "held out"][:1]
    names = {str(fact.values["quantity"]) for fact in found}
    if not found:
        for curve in curves(query.run.watches):
            track = of_quantities(query.run, [curve.watch.name])[0]
            if is_held_out(curve.watch.name) and not np.nan_to_num(curve.cotangents).any() and track.is_finite:
                names.add(curve.watch.name)
                found.append(extreme(query, track, int(np.argmin(track.values)), "lowest"))
    if found:
        events = [fact for fact in facts if fact.kind == "event" and _shares(str(fact.values["said"]), names)]
        return [*found[:2], *events[:1]]
    return [told(query, "overfitting", "not watched", {})]


def _shares(said: str, names: set[str]) -> bool:
    """Whether an event speaks of a quantity: by two words of its name."""
    words = set(re.findall(r"[^\W\d_]{4,}", said.lower()))
    return any(len(set(re.findall(r"[^\W\d_]{4,}", name.lower())) & words) > 1 for name in names)


QUERY = QueryKind("overfitting", answer)
