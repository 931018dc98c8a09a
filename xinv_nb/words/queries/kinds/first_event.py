"""What happened first, or last, in the simulation."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.fact import Fact
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind


def answer(query: Query) -> Sequence[Fact]:
    """Return the event that began first, or last."""
    events = [fact for fact in facts_of(query.whole) if fact.kind == "event" and not fact.data.get("trials only")]
    began = [fact for fact in events if not fact.form.startswith("ended")]
    is_last = bool(re.search(r"\blast\b", query.asked))
    found = sorted(began, key=lambda fact: int(fact.values["at"]), reverse=is_last)
    return [fact for fact in found if fact.values["at"] == found[0].values["at"]][:2] if found else []


QUERY = QueryKind("first_event", answer)
