"""Which data point fits worst, as far as residuals are known."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.measures.fitted import fitted
from xinv_nb.facts.measures.groups import groups_of
from xinv_nb.facts.measures.names import data_point
from xinv_nb.language.slots import Clause, Named, Slot, Value
from xinv_nb.words.names import subjects_of
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind, told

Floats = NDArray[np.float64]

_DATA = re.compile(r"\b(?:data|points?|residuals?|outliers?|measurements?|observations?|days?|samples?|fits?|curve)\b")
_BEST = re.compile(r"\b(?:best|closest|smallest|least)\b")


def answer(query: Query) -> Sequence[Fact]:
    """Return the data point with the largest or the smallest residual, or that single residuals are not known."""
    asked = _DATA.search(query.asked)
    if asked is None or any(asked[0].rstrip("s") in name.lower().split() for name in subjects_of(query.run)):
        return []  # a word of the domain's own, such as "the first point"
    end = fitted(query.run)
    if not isinstance(end, str):
        points = [data_point(*end.label(k), k, len(end.residuals)) for k in range(len(end.residuals))]
        return _told(query, points, end.residuals, end.evaluation)
    if query.run.history.data:
        return _of_groups(query)
    return [] if query.run.residuals is not None else [told(query, "misfit", "not recorded", {})]


def _of_groups(query: Query) -> Sequence[Fact]:
    """Return the same of groups of data in an objective that is more than them, where their residuals are of one unit.

    Those of several are, if all are divided by their standard deviations.
    """
    groups = groups_of(query.run)
    if len(groups) > 1 and any(group.sigma is None for group in groups):
        return [fact for fact in facts_of(query.whole) if fact.kind == "misfit"]
    points, residuals = list[Slot](), list[float]()
    known = [label for group in groups for label in query.run.history.data[group.name].labels]
    for group in groups:
        own, labels = group.residuals[group.best], query.run.history.data[group.name].labels
        residuals += (own if group.sigma is None else own / group.sigma).tolist()
        for k in range(len(own)):
            is_its_own = bool(labels) and known.count(labels[k]) == 1
            points.append(data_point(labels[k] if is_its_own else group.name, is_its_own, k, len(own)))
    if not groups:
        return []
    evaluation = int(groups[0].evaluations[groups[0].best])
    are_scaled = groups[0].sigma is not None
    return _told(query, points, np.array(residuals), evaluation, ", in sigmas" if are_scaled else "")


def _told(query: Query, points: Sequence[Slot], residuals: Floats, evaluation: int, unit: str = "") -> Sequence[Fact]:
    sizes = np.abs(residuals)
    if len(sizes) < 2 or not np.isfinite(sizes).all():
        return []
    form = "best" if _BEST.search(query.asked) else "worst"
    place = int(np.argmin(sizes) if form == "best" else np.argmax(sizes))
    slots: dict[str, Slot] = {"point": points[place], "residual": Value(float(residuals[place]))}
    slots["usual"] = Value(float(np.sqrt(np.mean(np.delete(sizes, place) ** 2))))
    return [told(query, "misfit", form + unit, slots, (evaluation, evaluation))]


QUERY = QueryKind("misfit", answer, {"point": (Clause, Named), "residual": Value, "usual": Value})
