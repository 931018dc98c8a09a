"""Which optimizer it was, and with which step size."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xinv_nb.facts.analysis import shown_parts
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.measures.names import named_optimizer
from xinv_nb.language.slots import Listed, Named, Slot, Value
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind, told

_MEANT = re.compile(r"\b(?:optimi[sz]ers?|solvers?|algorithms?|methods?|minimi[sz]ers?|step ?sizes?|learning rates?)\b")
"""Words without which a question is about something else that was used, such as the data."""
_MOST = 4


def answer(query: Query) -> Sequence[Fact]:
    """Return the names of the optimizers in order, or that the program takes its steps by itself."""
    if not _MEANT.search(query.asked) or not query.whole.evaluations:
        return []
    calls = query.whole.history.calls
    names = list(dict.fromkeys(call.optimizer for call in calls))
    parts = shown_parts(query.whole)
    options = parts.fits[parts.shown].options if parts.fits else {}
    step = options.get("step_size")
    slots: dict[str, Slot] = {}
    if isinstance(step, (int, float)) and len(names) < 2:
        slots["step"] = Value(float(step))
    if not names:
        return [told(query, "optimizer", "own steps" if slots else "own", slots)]
    if len(names) == 1:
        return [told(query, "optimizer", "one", slots | {"optimizer": named_optimizer(names[0])})]
    if len(names) > _MOST:
        return []
    return [told(query, "optimizer", "several", {"optimizers": Listed(tuple(named_optimizer(name) for name in names))})]


QUERY = QueryKind("optimizer", answer, {"optimizer": Named, "optimizers": Listed, "step": Value})
