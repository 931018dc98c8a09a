"""Which watched quantity the gradient bore on.

Method: cotangent times the quantity's range over the run, the first-order effect of all that the quantity did, in units
of the loss, so that quantities of different units compare (adjoint sensitivity, Giles and Pierce 2000).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.phases import last_of
from xinv_nb.language.slots import Iteration, Named, Slot, Value

_STRONGER = 1.5
"""Factor by which one quantity's pull stands out."""
_MOST = 4


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield in which phase the gradient bore most on which quantity; where that stays the same, for the whole run."""
    ranges, cotangents = _comparable(evidence)
    if evidence.last < 1 or len(ranges) < 2:
        return
    whole = 0, evidence.last
    spans = [(p.start, last_of(p, evidence.run.loss)) for p in evidence.phases]
    found = [fact for span in spans if (fact := _strongest(span, whole, ranges, cotangents))]
    if len(found) == len(spans) and len({fact.values["quantity"] for fact in found}) == 1:
        over_all = _strongest(whole, whole, ranges, cotangents)
        found = [over_all] if over_all else []
    yield from found[:_MOST]


def _comparable(evidence: Evidence) -> tuple[dict[str, float], dict[str, Floats]]:
    """Return the range of each quantity that is no term of the loss, and the sizes of its cotangents."""
    run = evidence.run
    ranges: dict[str, float] = {}
    cotangents: dict[str, Floats] = {}
    for watch, values in evidence.followed:
        size = np.abs(watch.cotangents) if watch.cotangents.dtype.kind in "fc" else np.zeros(0)
        if len(size) != run.evaluations or not np.isfinite(values).all() or not np.isfinite(size).all():
            continue
        is_told = watch.name in run.history.terms or np.allclose(values, run.loss, rtol=1e-9, atol=0.0)
        if not is_told and np.ptp(values) > 0:
            ranges[watch.name], cotangents[watch.name] = float(np.ptp(values)), size
    return ranges, cotangents


def _strongest(
    span: tuple[int, int], whole: tuple[int, int], ranges: dict[str, float], cotangents: dict[str, Floats]
) -> Fact | None:
    a, b = span
    pulls = {name: float(np.mean(cotangents[name][a : b + 1])) * ranges[name] for name in ranges}
    first, second = sorted(pulls, key=lambda name: -pulls[name])[:2]
    if not pulls[first] > _STRONGER * pulls[second]:
        return None
    slots: dict[str, Slot] = {"quantity": Named(first), "strength": Value(pulls[first])}
    slots |= {"second": Named(second), "second_strength": Value(pulls[second])}
    slots |= {} if span == whole else {"first": Iteration(a), "last": Iteration(b)}
    form = ("over the run" if span == whole else "in a stretch") + ("" if pulls[second] > 0 else ", alone")
    return KIND.fact(form, span, 0.45, slots, data={"pulls": pulls})


KIND = Kind(
    name="pull",
    question=Question.GRADIENT,
    rank=46,
    slots={
        "quantity": Named,
        "strength": Value,
        "second": Named,
        "second_strength": Value,
        "first": Iteration,
        "last": Iteration,
    },
    compute=compute,
    method="mean cotangent times range of each watched quantity (Giles & Pierce 2000)",
)
