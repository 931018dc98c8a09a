"""The data point that decides a parameter.

Method: what leaving it out would change, in linear approximation (DFBETA, Belsley, Kuh & Welsch 1980), where Cook's
distance (1977) is large, too; and leverage near 1.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.estimates import Estimate, Why
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.names import data_point, named
from xinv_nb.language.slots import Clause, Named, Slot, Value, pair

_FEWEST = 3
"""Degrees of freedom from which on a data point can be told from the scatter of the others."""
_FAR = 1.0
"""Standard errors that a parameter would move, and Cook's distance, from which on a data point decides."""
_ALONE = 0.99
_NEXT = 0.5
"""Share of the largest influence that the next data point may have at most."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield the data point that moves a parameter by more than a standard error, if one does and no other."""
    found = evidence.estimate
    if isinstance(found, Why) or found.fit.freedom < _FEWEST:
        return
    fit, at = found.fit, found.end.evaluation
    alone = np.flatnonzero(fit.leverages > _ALONE)
    if len(alone) == 1:
        slots: dict[str, Slot] = {"point": _point(found, int(alone[0]))}
        slots["leverage"] = Value(float(fit.leverages[alone[0]]), digits=3)
        yield KIND.fact("alone", (at, at), 0.8, slots)
        return
    if len(alone) or not np.isfinite(fit.without_each).all():
        return
    moves = np.abs(fit.without_each) / fit.errors
    point, column = (int(k) for k in np.unravel_index(np.argmax(moves), moves.shape))
    others = np.delete(moves[:, column], point)
    distances = np.delete(fit.distances, point)
    is_far = moves[point, column] >= _FAR and fit.distances[point] >= _FAR
    if not is_far or others.max() > _NEXT * moves[point, column] or distances.max() > _NEXT * fit.distances[point]:
        return
    entry, move = found.entries[column], float(fit.without_each[point, column])
    value = float(found.values[column])
    other, stands = pair(value + move, value, entry.parameter.unit, both=True)
    slots = {"point": _point(found, point), "parameter": named(entry), "other": other, "value": stands}
    slots["times"] = Value(float(moves[point, column]), digits=2)
    yield KIND.fact("decides", (at, at), 0.8, slots, data={"index": point, "distance": float(fit.distances[point])})


def _point(found: Estimate, point: int) -> Slot:
    """Return a data point by its name; by its place where it has none, or shares it with another."""
    return data_point(*found.end.label(point), point, len(found.fit.residuals))


KIND = Kind(
    name="influence",
    asked_with=r"\b(?:influen|outlier|leverage|which (?:data )?point|decides?\b)",
    question=Question.DETERMINATION,
    rank=57,
    slots={
        "point": (Clause, Named),
        "parameter": Named,
        "other": Value,
        "value": Value,
        "times": Value,
        "leverage": Value,
    },
    compute=compute,
    method="what leaving a data point out changes (Belsley, Kuh & Welsch 1980), Cook's distance (1977), leverage",
)
