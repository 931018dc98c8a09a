"""How a watched quantity changed, over the run and in each of its phases, and what the gradient asked of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact, Phase
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.names import watched
from xinv_nb.facts.measures.phases import last_of
from xinv_nb.facts.measures.precision import is_constant, returned
from xinv_nb.facts.measures.smoothing import Smoothed, calms_down, farthest, smoothed
from xinv_nb.facts.measures.watched import Curve, is_loss, share_of_range
from xinv_nb.language.slots import Asked, Iteration, Named, Slot, Value, Way, Word, pair
from xinv_nb.recorded.run import RecordedRun

_LEAP = 0.5
"""Share of its range from which on a single step that took a quantity beyond both ends is told as one."""
_SEVERAL = 6
"""Values from which on one step among them is one of several."""
_FEWEST = 3
"""Times that a quantity is watched from which on it can turn."""
_TOLD = 0.05
"""Share of its range over the whole run from which a change in one stretch is told."""
MOST = 6
"""Quantities told of in the order of the run's programme."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield the change of each watched quantity over the run, then what changed in each phase.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> with xi.record() as run:
    ...     slopes = [grad(lambda x: (xi.watch(x, "depth", "m") - 1) ** 2)(x) for x in (4.0, 3.5, 3.0)]
    >>> next(fact for fact in run.facts if fact.kind == "watch").text
    'Depth fell from 4 to 3 m; all along, a lower depth would lower the loss.'
    """
    for place, every in enumerate(evidence.curves):
        curve = _accepted(evidence.run, every)
        salience = 0.8 if place < MOST else 0.4
        noisy = evidence.is_noisy
        if fact := _changed(evidence.run, curve, 0, len(curve.values) - 1, salience, whole=True, is_noisy=noisy):
            yield fact
    for phase in evidence.phases if len(evidence.phases) > 1 else ():
        yield from changes_in(evidence, phase)


def _accepted(run: RecordedRun, curve: Curve) -> Curve:
    """Return a quantity as it was at the points that the optimizer accepted: trials are no way that it went."""
    kept = run.accepted[curve.evaluations]
    if kept.all() or not kept.any():
        return curve
    return Curve(curve.watch, curve.evaluations[kept], curve.values[kept], curve.cotangents[kept])


def changes_in(evidence: Evidence, phase: Phase) -> Iterator[Fact]:
    """Yield the change of each watched quantity in one stretch of the run."""
    a, b = phase.start, last_of(phase, evidence.run.loss)
    for curve in evidence.curves:
        if len(curve.values) != evidence.run.evaluations:
            continue
        if share_of_range(curve.values, a, b) > _TOLD and (
            fact := _changed(evidence.run, curve, a, b, 0.5, is_noisy=phase.noisy)
        ):
            yield fact


def _changed(
    run: RecordedRun, curve: Curve, a: int, b: int, salience: float, *, whole: bool = False, is_noisy: bool = False
) -> Fact | None:
    """Return how a quantity changed between two of the times that it was watched.

    `is_noisy`: the losses are draws; where the quantity is one as well, single values of it say nothing.
    """
    watch, values = curve.watch, curve.values
    path = smoothed(values[a : b + 1]) if is_noisy and np.isfinite(values[a : b + 1]).all() else None
    is_drawn = path is not None and path.is_noisy
    along = path.values if path is not None and is_drawn else values[a : b + 1]
    start, end = float(along[0]), float(along[-1])
    if not np.isfinite(end - start):
        return None
    cotangents = curve.cotangents[a : max(b, a + 1)]
    first, second = pair(start, end, watch.unit)
    slots: dict[str, Slot] = {"quantity": watched(watch), "start": first, "end": second}
    slots |= {"went": Way(end - start), "up": Word("up" if end > start else "down")}
    form = "changed"
    if a == b:
        form = "was"
    elif is_constant(along):
        form = "stayed"
    elif first.looks_like(second) or returned(along):
        form = "returned"
    if is_drawn and (form != "changed" or (path is not None and not path.differ(0, -1))):
        return None  # such a change may be noise
    data: dict[str, float] = {"from": int(curve.evaluations[a]), "to": int(curve.evaluations[b])}
    if whole and form == "changed" and (part := _part_of(run, curve)):
        form, more = part
        slots |= more
    elif whole and form == "changed" and (turned := _turned(curve, is_drawn=is_drawn)):
        form, more, data["at"] = turned
        slots |= more
    elif is_drawn:
        form = "changed, noisy"
    # A term of the loss has a constant weight: that less of it would lower the loss goes without saying.
    is_term = bool((cotangents > 0).all() and np.allclose(cotangents, cotangents[0]))
    one_way = bool((cotangents > 0).all() or (cotangents < 0).all())
    if one_way and not is_term:
        form += ", asked"
        slots["asked"] = Asked(watch.name, float(cotangents[0]))
    loss = is_loss(values, run.loss[curve.evaluations])
    data |= {"is_term": is_term, "is_loss": loss}
    if np.isfinite(cotangents[0]):  # of what was handed over by hand it is not known
        data["cotangent"] = float(cotangents[0])
    span = (0, run.evaluations - 1) if whole else (int(curve.evaluations[a]), int(curve.evaluations[b]))
    return KIND.fact(form, span, 0.2 if loss else salience, slots, data=data)


def _part_of(run: RecordedRun, curve: Curve) -> tuple[str, dict[str, Slot]] | None:
    """Return the form and the slots of a quantity that was not yet watched at the start, or no more at the end."""
    first, last = int(curve.evaluations[0]), int(curve.evaluations[-1])
    between = int(np.max(np.diff(curve.evaluations), initial=1))
    if run.evaluations - 1 - last > between:
        return "changed, in part", {"first": Iteration(first), "last": Iteration(last)}
    return ("changed, since", {"first": Iteration(first)}) if first > between else None


def _turned(curve: Curve, *, is_drawn: bool) -> tuple[str, dict[str, Slot], int] | None:
    """Return the form, the slots and the turn of a quantity that its ends do not tell: it was clearly beyond both."""
    if len(curve.values) < _FEWEST or not np.isfinite(curve.values).all():
        return None
    path = smoothed(curve.values)
    if path.is_noisy and not is_drawn and calms_down(curve.values):
        path = Smoothed(curve.values, 1, 0.0)  # what swung to and fro, and does no more, was no noise
    place = farthest(path)
    if place is None:
        return None
    start, top, end = (float(path.values[k]) for k in (0, place, -1))
    unit, at = curve.watch.unit, int(curve.evaluations[place])
    before = float(path.values[place - 1])
    if not path.is_noisy and len(path.values) >= _SEVERAL and abs(top - before) >= _LEAP * np.ptp(path.values):
        before_it, there = pair(before, top, unit)
        return "turned, by a step", {"before": before_it, "top": there, "at": Iteration(at)}, at
    slots: dict[str, Slot] = {"start": pair(start, top, unit)[0], "went": Way(top - start), "at": Iteration(at)}
    slots |= {"top": pair(start, top, unit)[1], "end": pair(top, end, unit)[1], "turned": Way(end - top)}
    return "turned, noisy" if path.is_noisy else "turned", slots, at


KIND = Kind(
    name="watch",
    question=Question.SIMULATION,
    rank=20,
    slots={
        "quantity": Named,
        "start": Value,
        "top": Value,
        "before": Value,
        "at": Iteration,
        "first": Iteration,
        "last": Iteration,
        "end": Value,
        "went": Way,
        "turned": Way,
        "up": Word,
        "asked": Asked,
    },
    compute=compute,
    method="values at the ends of the run and of each phase, and beyond them; what the gradient asked where that began",
    of_samples=True,
)
