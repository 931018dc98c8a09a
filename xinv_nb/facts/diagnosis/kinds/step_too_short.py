"""Steps that are orders of magnitude shorter than the curvature of the loss allows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.diagnosis.asking import STANDS_STILL
from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.updates import rule_of
from xinv_nb.language.slots import Count, Slot, Value, pair

_ORDERS = 100.0
"""How many times as long the Newton step along the path has to be."""
_HARDLY = 0.1
"""Share of the fall that a Newton step promises up to which the loss hardly fell."""
_CHANGES = 3.0
"""By how many times itself the curvature may change up to where a Newton step leads, as it changed along the path."""
_VISIBLE = 1e-7
"""How much the slopes at both ends of a way have to differ to tell its curvature."""
_FEWEST = 4
"""Ways that show a curvature."""


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield how many times longer a Newton step would be, where the loss hardly fell.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     x = 4.0
    ...     for _ in range(30):
    ...         run.add(x**2, x, 2 * x)
    ...         x -= 1e-5 * 2 * x
    >>> round(run.diagnosis[0].values["newton"], 6)
    0.5
    """
    ways = evidence.ways
    rule = None if ways is None else rule_of(evidence.run, ways)
    if ways is None or rule is None or not rule.in_the_end > 0 or not 0 <= rule.momentum < 1:
        return
    curvatures = ways.curvature[ways.bend > _VISIBLE]
    if len(curvatures) < _FEWEST or not (curvatures > 0).all():
        return
    curvature = float(np.median(curvatures))
    times = 1 / (curvature * rule.in_the_end)
    changes = float(np.ptp(curvatures)) / curvature * times / len(ways)
    if changes > _CHANGES:
        return
    loss, first, last = evidence.run.loss, int(ways.start[0]), int(ways.end[-1])
    promised = float(ways.slopes[0] @ ways.slopes[0]) / (2 * curvature)
    fell = float(loss[first] - loss[last])
    if not times >= _ORDERS or not 0 < fell <= _HARDLY * promised:
        return
    start, end = pair(float(loss[first]), float(loss[last]))
    slots: dict[str, Slot] = {
        "used": Value(rule.step_size),
        "newton": Value(rule.step_size * times),
        "times": Value(times, digits=2),
        "curvature": Value(curvature),
        "start": start,
        "end": end,
        "iterations": Count(last - first),
    }
    yield KIND.finding("hardly fell", (first, evidence.last), slots)


KIND = FindingKind(
    name="step-too-short",
    severity="warning",
    rank=8,
    slots={
        "used": Value,
        "newton": Value,
        "times": Value,
        "curvature": Value,
        "start": Value,
        "end": Value,
        "iterations": Count,
    },
    compute=compute,
    means="The steps are orders of magnitude shorter than the curvature of the loss allows, and the loss hardly fell.",
    seen_by="the Newton step along the path, by the change of the gradient over each step (Barzilai & Borwein 1988)",
    example="gradient descent with a step size of 0.00002 where 0.5 is right",
    asked_with=STANDS_STILL + r"|\bslow|\bstep size",
    silences=("advice", "minimum", "identifiability", "ending: stopped, hardly", "left-to-gain"),
)
