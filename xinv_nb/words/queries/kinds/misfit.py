"""Which data point fits worst, as far as residuals are known."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.fact import Fact
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind, told


def answer(query: Query) -> Sequence[Fact]:
    """Return that single residuals were not recorded, where a question asks for a data point; else nothing."""
    if query.run.residuals is not None or any(fact.kind == "misfit" for fact in facts_of(query.whole)):
        return []
    if not re.search(r"\b(?:points?|residuals?|outliers?|measurements?|days?|data)\b", query.asked):
        return []
    return [told(query, "misfit", "not recorded", {})]


QUERY = QueryKind("misfit", answer)
