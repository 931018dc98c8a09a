"""Steps that are too long for the curvature of the loss: each overshoots by more than the one before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xinv_nb.facts.diagnosis.asking import ROSE
from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.kinks import cross_kinks
from xinv_nb.facts.measures.losses import finite_iterates
from xinv_nb.facts.measures.promises import Ways, largest_curvature
from xinv_nb.facts.measures.updates import Rule, rule_of
from xinv_nb.language.slots import Iteration, Slot, Value, loss_pair, pair

_FEWEST = 3
"""Steps that have to grow."""
_LONGER = 1.0005
"""How many times the longest stable step size the one that was used has to be."""
_GREW = 3.0
"""How many times longer than the first step the last has to be."""
_LATEST = 10
"""Steps at the end that have to go to and fro,"""
_BACK, _LASTING, _AS_LONG = 0.95, 0.95, 0.999
"""the cosine of the angle between two of them, with the other sign, and how long each is beside the one before: at the
least, and from which on they are told as equally long."""
_EVENLY = 0.02
"""How far, in logarithms, each may be from as long beside the one before as all of them are."""
_NEAR, _ALIKE = 0.05, 0.01
"""Share of the longest stable step size up to which it is told that one is near it, and up to which both are told with
more digits."""
_OUTSIDE = 0.1
_LEFT = 0.01
"""Share of the fall that the loss has to be above what lies between, for the swing to matter."""
_CLEARLY = 1.01
"""How many times the longest stable step size it has to be where the loss only goes up and down."""
_NOISE = (
    "course: noise",
    "course: changed in the median",
    "ending: stopped, only noise",
    "ending: stopped, falling apart",
    "ending: stopped, rising apart",
)
"""Facts that call noise what steps do that are too long."""
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
    swing = _swing(ways)
    grew = ways.lengths[-1] if evidence.is_noisy else ways.lengths.max()  # it may have come to rest far off
    flew_off = loss[last] > loss[first] and grew > _GREW * ways.lengths[0]
    rule = rule_of(evidence.run, ways)
    if rule is None or not rule.along < 0 or not 0 <= rule.momentum < 1:
        return
    if flew_off:
        yield from _flew_off(evidence, ways, rule)
    elif rule.calms:
        return  # shorter and shorter, they come to rest
    elif swing is not None:
        yield from _to_and_fro(evidence, ways, rule, swing)
    else:
        yield from _restless(evidence, ways, rule)


def _flew_off(evidence: Evidence, ways: Ways, rule: Rule) -> Iterator[Finding]:
    at_first, curvature = largest_curvature(ways[np.array([0])]), largest_curvature(ways)
    late = largest_curvature(ways[np.array([len(ways) // 2])])
    is_growing = curvature > _GROWS * at_first and curvature > 2 * late
    where = 0
    if is_growing:  # it is the steps that led to where the loss curves more
        where = int(np.argmax(ways.curvature > 0))
        curvature = float(ways.curvature[where])
    if curvature > 0 and rule.step_size > _LONGER * rule.stable_up_to(curvature):
        form = "growing" if is_growing else _form(rule)
        slots = _slots(evidence, rule, curvature, int(ways.start[0])) | {"at": Iteration(int(ways.end[where]))}
        yield KIND.finding(form, (int(ways.start[0]), evidence.last), slots)


def _form(rule: Rule) -> str:
    if not rule.momentum > 0:
        return "plain"
    return "with momentum of its own" if rule.told is None else "with momentum"


def _slots(evidence: Evidence, rule: Rule, curvature: float, first: int) -> dict[str, Slot]:
    run, limit = evidence.run, rule.stable_up_to(curvature)
    last = int(finite_iterates(run)[-1])
    start, end = loss_pair(float(run.loss[first]), float(run.loss[last]))
    used, longest = (Value(size, in_powers=True) for size in (rule.step_size, limit))
    if abs(rule.step_size - limit) < _ALIKE * limit:
        used, longest = pair(rule.step_size, limit)
    return {
        "used": used,
        "limit": longest,
        "curvature": Value(curvature),
        "momentum": Value(rule.momentum),
        "start": start,
        "end": end,
        "first": Iteration(first),
        "last": Iteration(last),
        "times": Value(rule.step_size / limit, digits=2),
        "twice": Value(2 * rule.step_size / limit, digits=2),
        "half": Value(limit / 2, digits=2, in_powers=True),
    }


@dataclass(frozen=True)
class _Swing:
    """Steps in the end each of which goes back over the one before."""

    factor: float
    """How long each is beside the one before."""
    left: float
    """By how much the loss is higher at the end than where it is lowest on the way there."""


def _swing(ways: Ways) -> _Swing | None:
    late = ways[np.arange(len(ways) - _LATEST, len(ways))] if len(ways) >= _LATEST else None
    if late is None or (late.end[:-1] != late.start[1:]).any():
        return None
    lengths, before, behind = late.lengths, float(late.before[-1]), float(late.behind[-1])
    with np.errstate(all="ignore"):
        cosines = np.einsum("ij,ij->i", late.steps[1:], late.steps[:-1]) / (lengths[1:] * lengths[:-1])
        factor = float((lengths[-1] / lengths[0]) ** (1 / (_LATEST - 1)))
        is_even = bool((np.abs(np.log(lengths[1:] / lengths[:-1]) - np.log(factor)) <= _EVENLY).all())
    sound = late.excess <= _OUTSIDE * (np.abs(late.before) + np.abs(late.behind))  # else it is noise, or a jump
    if not ((cosines < -_BACK).all() and sound.all() and is_even and factor > _LASTING and before < 0 < behind):
        return None
    return _Swing(factor, behind / (1 - before / behind) / 2)


def _to_and_fro(evidence: Evidence, ways: Ways, rule: Rule, swing: _Swing) -> Iterator[Finding]:
    """Yield that the steps go to and fro across what they were to reach, and do not get shorter, or only slowly."""
    run, last = evidence.run, int(ways.end[-1])
    late = ways[np.arange(len(ways) - _LATEST, len(ways))]
    curvature = largest_curvature(late)
    lowest = int(ways.start[np.argmin(run.loss[ways.start])])
    fall = float(run.loss[ways.start[0]] - run.loss[lowest])
    rounding = float(late.rounding[-1])
    if not curvature > 0 or not swing.left > max(_LEFT * fall, rounding):
        return
    slots = _slots(evidence, rule, curvature, lowest)
    if swing.factor > 1 and rule.step_size > _LONGER * rule.stable_up_to(curvature) and lowest < int(late.start[0]):
        yield KIND.finding(_form(rule), (lowest, evidence.last), slots)
        return
    slots |= {"share": Value(100 * (1 - swing.factor), "%", digits=2), "left": Value(swing.left, digits=2)}
    beyond = rule.step_size / rule.stable_up_to(curvature) - 1
    form = "to and fro"
    if swing.factor >= _AS_LONG:
        form = "to and fro, as long"
        # Whatever the loss, the mean curvature across such a swing is that of which the step size is the limit.
        slots = {name: slots[name] for name in ("end", "share", "left")}
        slots["used"] = Value(rule.step_size, in_powers=True)
    elif abs(beyond) < _NEAR:
        form += ", just below" if beyond < 0 else ", just above"
    span = (int(late.start[0]), last)
    yield KIND.finding(form, span, slots, severity="caution" if swing.factor < _AS_LONG else "warning")


def _restless(evidence: Evidence, ways: Ways, rule: Rule) -> Iterator[Finding]:
    """Yield that most steps of the last half were longer than is stable there, and that the loss came to no rest.

    Noise of the gradient by itself leaves the curvature along the steps below what is stable: it changes a gradient by
    about as much as the step was long.
    """
    run, late = evidence.run, ways[np.arange(len(ways) // 2, len(ways))]
    if len(late) < _LATEST or rule.momentum > 0 or not run.has_gradients or cross_kinks(late):
        return
    curvature, lowest = float(np.median(late.curvature)), int(ways.start[np.argmin(run.loss[ways.start])])
    fall, above = (float(run.loss[row] - run.loss[lowest]) for row in (ways.start[0], ways.end[-1]))
    if not curvature > 0 or not above > max(_LEFT * fall, float(late.rounding[-1])):
        return
    if rule.step_size > _CLEARLY * rule.stable_up_to(curvature):
        yield KIND.finding("restless", (lowest, evidence.last), _slots(evidence, rule, curvature, lowest))


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
        "twice": Value,
        "half": Value,
        "share": Value,
        "left": Value,
    },
    compute=compute,
    means="The steps are too long for the curvature of the loss: each overshoots by more than the one before.",
    seen_by="the largest curvature along the path beside the step size that it allows (Polyak 1964)",
    example="gradient descent with momentum on columns of very different sizes",
    asked_with=ROSE
    + r"|\bstep size|\b(?:last|final|end)\w* (?:\w+ ){0,3}worse|\bworse (?:\w+ ){0,3}(?:end|middle|before|last)",
    silences=("advice", "minimum", "identifiability", "credit", "idle", "best-not-last", *_NOISE),
)
