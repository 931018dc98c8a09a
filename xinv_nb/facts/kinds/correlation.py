"""Which parameters the data of a least-squares fit hardly tell apart.

Method: the correlations of the estimates (Bates & Watts 1988). Those that second derivatives told are not told again.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.estimates import Why
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.names import named
from xinv_nb.language.slots import Named, Slot, Value

_STRONG = 0.95
_MOST = 3


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield the pairs of parameters that can make up for each other, the most strongly correlated first."""
    found = evidence.estimate
    if isinstance(found, Why):
        return
    known = [
        set(fact.data["parameters"]) for fact in evidence.of("identifiability") if fact.data["how"] == "correlation"
    ]
    correlations, at = found.fit.correlations, found.end.evaluation
    pairs = np.argwhere(np.triu(np.abs(correlations), 1) > _STRONG).tolist()
    for i, j in sorted(pairs, key=lambda ij: -abs(correlations[ij[0], ij[1]]))[:_MOST]:
        one, other, size = named(found.entries[i]), named(found.entries[j]), float(correlations[i, j])
        if {one.name, other.name} in known:
            continue
        slots: dict[str, Slot] = {"one": one, "other": other, "correlation": Value(size, digits=_digits(size))}
        form = "together" if size > 0 else "against each other"
        yield KIND.fact(form, (at, at), 0.7, slots)


def _digits(correlation: float) -> int:
    """Return how many digits a correlation takes that may not be rounded to one."""
    return next((digits for digits in range(2, 12) if abs(round(correlation, digits)) < 1), 12)


KIND = Kind(
    name="correlation",
    asked_with=r"\b(?:correlat|make up for|trade.?off|tell (?:them )?apart)",
    question=Question.DETERMINATION,
    rank=56,
    slots={"one": Named, "other": Named, "correlation": Value},
    compute=compute,
    method="correlations of the estimates of a least-squares fit (Bates & Watts 1988)",
)
