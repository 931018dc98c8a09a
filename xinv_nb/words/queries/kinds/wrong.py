"""What is wrong, or what to do about it, in other words than those by which findings are known."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.fact import Fact
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind
from xinv_nb.words.summary import findings_in
from xinv_nb.words.troubles import nothing_found

_MOST = 2
_NO_NUMBER = re.compile(r"\b(?:nan|inf\w*|finite|overflow\w*|number)\b")
_ANYTHING = "is anything wrong?"


def answer(query: Query) -> Sequence[Fact]:
    """Return the gravest findings, or that there is none."""
    found = findings_in(facts_of(query.whole), _MOST)
    if found or _NO_NUMBER.search(query.asked):
        return found  # that all numbers are finite is told where it is asked
    return nothing_found(query.whole, _ANYTHING, None, ())


QUERY = QueryKind("wrong", answer)
