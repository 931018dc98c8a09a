"""A sigmoid at its end, or a watched quantity that stands still at its end, no longer responds to the parameters."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.diagnosis.asking import STANDS_STILL
from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.names import watched
from xinv_nb.facts.measures.tape import SLOTS, Ended, ended, story_of, widest
from xinv_nb.facts.measures.unresponsive import unresponsive
from xinv_nb.language.slots import Asked, Iteration, Named, Slot, Value

SIGMOIDS = frozenset(["tanh", "arctan", "expit", "erf", "erfc", "cdf", "1 / (1 + exp)"])
"""Operations whose ends are level."""


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield the units whose slope is 0, or next to that, where all that hangs on them stands still.

    Examples
    --------
    >>> import autograd.numpy as np
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> def loss(p):
    ...     return (np.tanh(p[0]) + p[1] - 0.2) ** 2
    >>> with xi.record() as run:
    ...     p = np.array([30.0, 0.0])
    ...     for _ in range(20):
    ...         p = p - 0.2 * grad(loss)(p)
    >>> [(finding.kind, finding.values["operation"]) for finding in run.diagnosis]
    [('saturated', 'tanh')]
    """
    for found in widest(ended(evidence, "dies")):
        name, values = str(found.event.values["operation"]), found.event.values
        if name not in SIGMOIDS or not found.matters:
            continue
        if found.is_of_all and not _is_high(found):
            continue
        slots: dict[str, Slot] = found.slots | {"inflow": Value(float(values["inflow"]))}
        slots["slope"] = Value(float(values["outflow"]) / float(values["inflow"]))
        form = "flat" if values["outflow"] == 0 else "nearly flat"
        is_caution = not found.is_grave or found.since > found.story[0]
        yield KIND.finding(form, found.span, slots, cites=(found.event.id,), severity="caution" if is_caution else None)
    yield from _watched(evidence)


def _watched(evidence: Evidence) -> Iterator[Finding]:
    """Yield the watched quantity that has not responded for longest."""
    story = story_of(evidence)
    found = sorted(unresponsive(evidence.run, evidence.curves, story), key=lambda each: each.since)
    for each in found[:1]:
        name, unit = each.watch.name, each.watch.unit
        slots: dict[str, Slot] = {"quantity": watched(each.watch), "since": Iteration(each.since)}
        slots |= {"value": Value(each.value, unit), "asked": Asked(name, each.cotangent)}
        yield KIND.finding("watched", (each.since, story[1] - 1), slots, severity="caution")


def _is_high(found: Ended) -> bool:
    """Whether the loss is not as low as it was anywhere in the story, or was like that from its start on."""
    if found.since == found.story[0]:
        return found.loss != 0
    return found.loss > float(np.fmin.reduce(found.losses))


KIND = FindingKind(
    name="saturated",
    severity="warning",
    rank=10,
    slots={**SLOTS, "inflow": Value, "slope": Value, "quantity": Named, "value": Value, "asked": Asked},
    compute=compute,
    means="A sigmoid or its like is at its end, or a watched quantity keeps one value: it no longer responds to the "
    "parameters.",
    seen_by="what comes into each operation and goes on, on one walk back over the tape (Glorot & Bengio 2010); a "
    "watched value that stays the same to the last bit while the parameters move and its cotangent asks for another",
    example="a tanh of inputs that are not scaled; a flow that is clipped",
    asked_with=STANDS_STILL + r"|\bsaturat|\brespon[ds]",
    silences=("idle: no gradient", "minimum", "identifiability"),
    of_fits=True,
    of_samples=True,
)
