"""A gradient comes in at an operation and does not go on: a clip, a unit that is off, an exponential next to 0."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.diagnosis.asking import STANDS_STILL
from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.diagnosis.kinds.never_moved import is_at_zero, stands_still
from xinv_nb.facts.diagnosis.kinds.saturated import SIGMOIDS
from xinv_nb.facts.estimates import Why
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.tape import SLOTS, Ended, ended, story_of, widest
from xinv_nb.language.slots import Iteration, LossValue, Named, Slot, Value

_UNDERFLOWS = frozenset(["exp", "exp2", "expm1", "pdf", "sf"])
_EXACT = 1e-6
"""Share of what they once were up to which the residuals of a fit are none."""
_MADE_OF = 1e6
"""How many times as large as one entry of it a loss is at most that is a sum of many."""
_PRODUCTS = frozenset(["multiply", "dot", "matmul", "tensordot", "inner", "einsum", "outer"])


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield the operations at which the gradient of parameters ends, where they had none up to the end.

    Examples
    --------
    >>> import autograd.numpy as np
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> def loss(p):
    ...     return (np.clip(p[0], 0.0, 1.0) * p[1] - 0.4) ** 2
    >>> with xi.record() as run:
    ...     p = np.array([1.5, 0.1])
    ...     for _ in range(20):
    ...         p = p - 0.2 * grad(loss)(p)
    >>> [(finding.kind, finding.values["operation"]) for finding in run.diagnosis]
    [('gradient-dies', 'clip')]
    """
    all_found = widest(ended(evidence, "dies"))
    any_flat = any(found.event.values.get("is_flat") for found in all_found)
    for found in all_found:
        name, values = str(found.event.values["operation"]), found.event.values
        is_flat = bool(values.get("is_flat"))
        if any_flat and not is_flat:
            continue  # multiplied by 0 because of that
        if not found.matters or name in SIGMOIDS or _is_at_rest(found):
            continue
        is_elsewhere = found.since > found.story[0] or stands_still(evidence.run, found.story)
        if not is_flat and (is_elsewhere or found.is_minimum or values.get("cancels")):
            continue
        form, slots = _form(found, name, is_flat=is_flat), found.slots
        if form in ("level", "product") and found.largest > 0:
            continue  # small, as beside a minimum, is not 0
        if form.startswith("underflows"):
            slots |= _of_underflow(found)
        else:
            slots |= {"inflow": Value(float(values["inflow"]))} | _range(found)
        if (other := _only_other(found)) is not None:
            slots |= other
        is_caution = not found.is_grave or (found.since > found.story[0] and not found.is_of_all)
        yield KIND.finding(form, found.span, slots, cites=(found.event.id,), severity="caution" if is_caution else None)
    if not all_found:
        yield from _of_residuals(evidence)


def _of_residuals(evidence: Evidence) -> Iterator[Finding]:
    """Yield that a least-squares fit ended where no residual changes with any parameter."""
    run, story, estimate = evidence.run, story_of(evidence), evidence.story.estimate
    if not isinstance(estimate, Why) or estimate.form != "none, no effect":
        return
    if run.history.width != len(estimate.without_effect):
        return  # that is a parameter without effect
    end = evidence.story.end_of_fit
    if isinstance(end, str) or end.is_exact(_EXACT) or is_at_zero(run, story):
        return
    at = story[0] + end.evaluation if evidence.parts is None else evidence.parts.places.back(end.evaluation)
    slots: dict[str, Slot] = {"loss": LossValue(float(run.loss[at]))}
    if at > story[0]:
        slots["since"] = Iteration(at)
    yield KIND.finding("no residual", (at, story[1] - 1), slots)


def _is_at_rest(found: Ended) -> bool:
    """Whether all of the gradient is 0 where the loss is as low as can be told: a hinge loss that is satisfied, say."""
    if not found.is_of_all:
        return False
    there, values = found.loss, found.event.values
    if values["operation"] in _UNDERFLOWS and abs(there) <= _MADE_OF * values["inflow"] * values.get("largest", 0.0):
        return True  # what becomes so small is the loss itself
    if found.since == found.story[0]:
        return there == 0
    lowest, highest = (float(each.reduce(found.losses)) for each in (np.fmin, np.fmax))
    return not there > lowest + 1e-3 * (highest - lowest)


def _form(found: Ended, name: str, *, is_flat: bool) -> str:
    if name in _UNDERFLOWS:
        return "underflows" if found.event.values.get("largest") else "underflows to 0"
    if is_flat:
        return "flat" if found.largest == 0 else "nearly flat"
    return "product" if name in _PRODUCTS else "level"


def _of_underflow(found: Ended) -> dict[str, Slot]:
    """Return the numbers of an exponential that is next to 0, and the largest slope that is left of it."""
    values = found.event.values
    slots: dict[str, Slot] = {"loss": LossValue(found.loss)}
    slots["largest"] = Value(_largest(found))
    slots["result"] = Value(float(values.get("largest", values["outflow"])))
    return slots


def _largest(found: Ended) -> float:
    """Return the largest number in the gradient of these parameters at the first evaluation."""
    history = found.run.history
    return float(np.abs(history.gradients.array[history.row_of(found.since), list(found.columns)]).max())


def _range(found: Ended) -> dict[str, Slot]:
    """Return between what a clip is open, and the value of the parameter where that is what is clipped."""
    values, slots = found.event.values, dict[str, Slot]()
    if "a_min" in values and "a_max" in values:
        slots |= {"low": Value(float(values["a_min"])), "high": Value(float(values["a_max"]))}
    if values.get("is_direct") and found.value is not None:
        slots["value"] = found.value
    return slots


def _only_other(found: Ended) -> dict[str, Slot] | None:
    """Return the one other parameter, where it is the only one that moves."""
    run = found.run
    others = [entry for entry in run.entries() if entry.column not in found.columns]
    if len(others) != 1 or others[0].column is None or run.history.width != len(found.columns) + 1:
        return None
    entry, first, last = others[0], found.story[0], found.story[1] - 1
    start, end = (float(run.column(entry)[row]) for row in (first, last))
    if start == end or not np.isfinite([start, end]).all():
        return None
    unit = entry.parameter.unit
    name = Named(entry.name, entry.label, unit, entry.parameter.directions, bool(entry.parameter.name))
    return {"other": name, "start": Value(start, beside=end), "end": Value(end, unit, beside=start)}


KIND = FindingKind(
    name="gradient-dies",
    severity="warning",
    rank=8,
    slots={
        **SLOTS,
        "value": Value,
        "low": Value,
        "high": Value,
        "inflow": Value,
        "loss": Value,
        "largest": Value,
        "result": Value,
        "other": Named,
        "start": Value,
        "end": Value,
    },
    compute=compute,
    means="The gradient of a parameter is 0, or next to that, because an operation passes nothing on.",
    seen_by="what comes into each operation and goes on, on one walk back over the tape (Griewank & Walther 2008)",
    example="`np.clip` around a value out of its range, a ReLU that is off, a peak far from the data",
    asked_with=STANDS_STILL + r"|\bgradient (?:\w+ ){0,2}(?:0|zero|vanish|die)",
    silences=("idle: no gradient", "minimum", "identifiability"),
    of_fits=True,
    of_samples=True,
)
