"""Which data point fits worst, as far as residuals are known."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from xinv_nb.facts.fact import Fact
from xinv_nb.facts.measures.fitted import Fitted, fitted
from xinv_nb.language.slots import Clause, Count, Named, Slot, Value
from xinv_nb.words.names import subjects_of
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind, told

_DATA = re.compile(r"\b(?:data|points?|residuals?|outliers?|measurements?|observations?|days?|samples?)\b")
_BEST = re.compile(r"\b(?:best|closest|smallest|least)\b")


def answer(query: Query) -> Sequence[Fact]:
    """Return the data point with the largest or the smallest residual, or that single residuals are not known."""
    asked = _DATA.search(query.asked)
    if asked is None or any(asked[0].rstrip("s") in name.lower().split() for name in subjects_of(query.run)):
        return []  # a word of the domain's own, such as "the first point"
    end = fitted(query.run)
    if isinstance(end, str):
        return [] if query.run.residuals is not None else [told(query, "misfit", "not recorded", {})]
    sizes = np.abs(end.residuals)
    if len(sizes) < 2 or not np.isfinite(sizes).all():
        return []
    form = "best" if _BEST.search(query.asked) else "worst"
    place = int(np.argmin(sizes) if form == "best" else np.argmax(sizes))
    slots: dict[str, Slot] = {"point": _point(end, place, len(sizes))}
    slots["residual"] = Value(float(end.residuals[place]))
    slots["usual"] = Value(float(np.sqrt(np.mean(np.delete(sizes, place) ** 2))))
    return [told(query, "misfit", form, slots, (end.evaluation, end.evaluation))]


def _point(end: Fitted, point: int, count: int) -> Slot:
    label, is_its_own = end.label(point)
    if label and is_its_own:
        return Named(label, label)
    place: dict[str, Slot] = {"number": Count(point + 1), "count": Count(count)}
    return Clause("data point of", place | {"label": Named(label, label)}) if label else Clause("data point", place)


QUERY = QueryKind("misfit", answer, {"point": (Clause, Named), "residual": Value, "usual": Value})
