"""Steps that are too long for the curvature of the loss: each overshoots by more than the one before."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.diagnosis.asking import ROSE
from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.promises import largest_curvature
from xinv_nb.facts.measures.updates import rule_of
from xinv_nb.language.slots import Iteration, Slot, Value, loss_pair

_FEWEST = 3
"""Steps that have to grow."""
_LONGER = 1.03
"""How many times the longest stable step size the one that was used has to be."""
_GREW = 3.0
"""How many times longer than the first step the last has to be."""
_GROWS = 30.0
"""How many times the curvature over the first step that along the path has to be for it to grow, and not to show itself
by and by, as the steps turn where the loss curves most."""


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield by how much the step size exceeds what the curvature allows, where the loss rose with ever longer steps.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     x = 1.0
    ...     for _ in range(20):
    ...         run.add(5 * x**2, x, 10 * x)
    ...         x -= 0.3 * 10 * x
    >>> run.diagnosis[0].values["curvature"], run.diagnosis[0].values["limit"]
    (10.0, 0.2)
    """
    ways = evidence.ways
    if ways is None or len(ways) < _FEWEST:
        return
    loss = evidence.run.loss
    first, last = int(ways.start[0]), int(ways.end[-1])
    if not loss[last] > loss[first] or not ways.lengths[-1] > _GREW * ways.lengths[0]:
        return
    rule = rule_of(evidence.run, ways)
    if rule is None or not rule.along < 0 or not 0 <= rule.momentum < 1:
        return
    at_first, curvature = largest_curvature(ways[np.array([0])]), largest_curvature(ways)
    late = largest_curvature(ways[np.array([len(ways) // 2])])
    is_growing = curvature > _GROWS * at_first and curvature > 2 * late
    where = 0
    if is_growing:  # it is the steps that led to where the loss curves more
        where = int(np.argmax(ways.curvature > 0))
        curvature = float(ways.curvature[where])
    if not curvature > 0:
        return
    limit = rule.stable_up_to(curvature)
    if not rule.step_size > _LONGER * limit:
        return
    start, end = loss_pair(float(loss[first]), float(loss[last]))
    slots: dict[str, Slot] = {
        "used": Value(rule.step_size, in_powers=True),
        "limit": Value(limit, in_powers=True),
        "curvature": Value(curvature),
        "at": Iteration(int(ways.end[where])),
        "momentum": Value(rule.momentum),
        "start": start,
        "end": end,
        "first": Iteration(first),
        "last": Iteration(last),
        "times": Value(rule.step_size / limit, digits=2),
        "half": Value(limit / 2, digits=2, in_powers=True),
    }
    form = "with momentum" if rule.momentum > 0 else "plain"
    if form == "with momentum" and rule.told is None:
        form = "with momentum of its own"
    if is_growing:
        form = "growing"
    yield KIND.finding(form, (first, evidence.last), slots)


KIND = FindingKind(
    name="step-too-long",
    severity="warning",
    rank=0,
    slots={
        "used": Value,
        "limit": Value,
        "curvature": Value,
        "at": Iteration,
        "momentum": Value,
        "start": Value,
        "end": Value,
        "first": Iteration,
        "last": Iteration,
        "times": Value,
        "half": Value,
    },
    compute=compute,
    means="The steps are too long for the curvature of the loss: each overshoots by more than the one before.",
    seen_by="the largest curvature along the path beside the step size that it allows (Polyak 1964)",
    example="gradient descent with momentum on columns of very different sizes",
    asked_with=ROSE
    + r"|\bstep size|\b(?:last|final|end)\w* (?:\w+ ){0,3}worse|\bworse (?:\w+ ){0,3}(?:end|middle|before|last)",
    silences=("advice", "minimum", "identifiability", "credit", "idle"),
)
