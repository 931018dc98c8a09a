"""How well the model meets the data: χ², degrees of freedom, the scatter of the residuals; also group by group.

Method: χ² beside what it is expected to be, by the cube root that makes it normal (Wilson & Hilferty 1931).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.estimates import Why
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.groups import Group, groups_of
from xinv_nb.language.slots import Count, Iteration, Named, Slot, Value, pair

_MET = 1e-6
"""Share of the largest residuals up to which the model meets the data."""
_CLEAR, _USUAL = 3.0, 2.0
"""Standard deviations by which χ² is clearly off, and up to which it is what is expected."""
_MOST_GROUPS = 4


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield how large the residuals are at the best accepted evaluation, and those of each group of data."""
    if evidence.last < 0 or evidence.run.status == "running":
        return
    yield from _of_all(evidence)
    end = evidence.end_of_fit
    for group in groups_of(evidence.run)[:_MOST_GROUPS]:
        if isinstance(end, str) or len(end.residuals) > group.residuals.shape[1]:  # else it is all of them
            yield _of_group(group)


def _of_all(evidence: Evidence) -> Iterator[Fact]:
    end, width = evidence.end_of_fit, evidence.run.history.width
    if isinstance(end, str):
        return
    points, squares = len(end.residuals), float(end.residuals @ end.residuals)
    freedom, at = points - width, end.evaluation
    if freedom <= 0 or (isinstance(evidence.estimate, Why) and evidence.estimate.form == "none, penalty"):
        return  # what is no data has no scatter
    slots: dict[str, Slot] = {"points": Count(points), "squares": Value(squares)}
    if end.is_exact(_MET):
        form, (slots["start"], slots["squares"]) = "met", pair(end.largest**2, squares)
    elif isinstance(evidence.estimate, Why):  # the fit may leave more or less freedom than it has parameters
        form = "known, plain" if end.has_sigmas else "plain"
        slots["deviation"] = Value(float(np.sqrt(squares / points)))
    else:
        form = f"known{_verdict(squares, freedom)}" if end.has_sigmas else "estimated"
        deviation = float(np.sqrt(squares / freedom))
        slots |= {"freedom": Count(freedom), "deviation": Value(deviation), "times": Value(deviation, digits=2)}
    yield KIND.fact(form, (at, at), 0.65, slots)


def _verdict(squares: float, freedom: int) -> str:
    """Return whether χ² is what is expected, as a part of a form."""
    width = 2 / (9 * freedom)
    off = ((squares / freedom) ** (1 / 3) - (1 - width)) / np.sqrt(width)
    if abs(off) <= _USUAL:
        return ", as expected"
    return ", too large" if off > _CLEAR else ", too small" if off < -_CLEAR else ""


def _of_group(group: Group) -> Fact:
    start, end = (float(np.sqrt(np.mean(group.residuals[row] ** 2))) for row in (0, group.best))
    first, deviation = pair(start, end)
    span = int(group.evaluations[0]), int(group.evaluations[group.best])
    slots: dict[str, Slot] = {"group": Named(group.name, group.name), "points": Count(group.residuals.shape[1])}
    slots |= {"start": first, "deviation": deviation, "first": Iteration(span[0]), "last": Iteration(span[1])}
    if group.sigma is None:
        return KIND.fact("group", span, 0.45, slots)
    slots["times"] = Value(float(np.sqrt(np.mean((group.residuals[group.best] / group.sigma) ** 2))), digits=2)
    return KIND.fact("group, of sigma", span, 0.45, slots)


KIND = Kind(
    name="misfit",
    asked_with=r"\b(?:chi|χ|residual|misfit|goodness|how well does (?:it|the model) fit|degrees of freedom|scatter)",
    question=Question.DETERMINATION,
    rank=53,
    slots={
        "points": Count,
        "freedom": Count,
        "squares": Value,
        "deviation": Value,
        "times": Value,
        "start": Value,
        "group": Named,
        "first": Iteration,
        "last": Iteration,
    },
    compute=compute,
    method="the sum of squares a degree of freedom; χ² beside what is expected (Wilson & Hilferty 1931)",
)
