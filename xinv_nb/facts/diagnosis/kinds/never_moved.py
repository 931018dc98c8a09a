"""Nothing moved, since every slope is 0 at the start: an even function at 0, a saddle, a maximum."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from xinv_nb.facts.diagnosis.asking import STANDS_STILL
from xinv_nb.facts.diagnosis.finding import Finding, Severity
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.estimates import Why
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.tape import Ended, ended, story_of, tape_events
from xinv_nb.language.slots import Count, Listed, LossValue, Named, Said, Slot, Value
from xinv_nb.recorded.run import RecordedRun

_ROUNDING = 1e-12
"""Share of a loss up to which a change of it is none."""


def stands_still(run: RecordedRun, story: tuple[int, int]) -> bool:
    """Whether every slope is exactly 0 at the first evaluation of a story, and none of its points is another.

    >>> stands_still(RecordedRun(), (0, 0))
    False
    """
    start, stop = story
    if stop <= start or not run.has_gradients or run.history.is_on_manifold:
        return False
    history = run.history
    first = history.row_of(start)
    if not history.width or np.any(history.gradients.array[first] != 0):
        return False
    return bool((history.values.array[first : history.row_of(stop - 1) + 1] == history.values.array[first]).all())


def is_at_zero(run: RecordedRun, story: tuple[int, int]) -> bool:
    """Whether nothing moved away from a start at which a parameter is 0, where many functions have a mirror.

    >>> is_at_zero(RecordedRun(), (0, 0))
    False
    """
    return stands_still(run, story) and not run.history.values.array[run.history.row_of(story[0])].all()


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield that nothing moved because the start is level, unless it is a minimum as far as can be told.

    Examples
    --------
    >>> import autograd.numpy as np
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> def loss(x):
    ...     return (np.cos(x) - 0.2) ** 2
    >>> with xi.record() as run:
    ...     x = 0.0
    ...     for _ in range(5):
    ...         x = x - 0.1 * grad(loss)(x)
    >>> run.diagnosis[0].text.splitlines()[0][:62]
    'Nothing moved: at the start, where the loss is 0.64, every slo'
    """
    run, story = evidence.run, story_of(evidence)
    span = (story[0], story[1] - 1)
    loss = float(run.loss[story[0]]) if run.evaluations else 0.0
    if not np.isfinite(loss):
        return
    if loss and _is_level_by_differences(run, story):
        yield KIND.finding("level, by differences", span, {"loss": LossValue(loss)}, severity="caution")
        return
    if loss and (flat := _flat(run, story)):
        yield KIND.finding("flat", span, {"loss": LossValue(loss), **flat}, severity="caution")
        return
    if not stands_still(run, story):
        return
    found = [each for each in ended(evidence, "dies") if each.since == story[0]]
    level = [each for each in found if not each.event.values.get("is_flat")]
    if len(level) < len(found):
        return  # that is a gradient that dies
    cancels = any(each.event.values.get("cancels") for each in level)  # then it is not by these alone
    if not level or cancels:
        if cancels or is_at_zero(run, story):
            level_form = "level"
        elif isinstance(evidence.story.estimate, Why) and evidence.story.estimate.without_effect:
            return  # that is a gradient that dies
        else:
            level_form = "level, elsewhere"
        if loss and not tape_events(evidence, "cut off"):
            yield KIND.finding(level_form, span, {"loss": LossValue(loss)}, severity="caution")
        return
    if any(each.is_minimum for each in level):
        return
    columns = sorted({column for each in level for column in each.columns})
    first = replace(level[0], columns=tuple(columns))
    slots = {
        "loss": LossValue(loss),
        **{name: slot for name, slot in first.slots.items() if name not in ("all", "since")},
    }
    form, more = _form(first)
    if loss == 0 and form == "level, at an operation":
        return  # a sum of squares has its minimum there
    severity: Severity | None = "caution" if form == "level, at an operation" else None
    yield KIND.finding(form, span, slots | more, cites=(first.event.id,), severity=severity)


def _is_level_by_differences(run: RecordedRun, story: tuple[int, int]) -> bool:
    """Whether a solver without gradients stayed at a start of zeros, beside which the loss was the same to rounding."""
    start, stop = story
    history, loss = run.history, run.loss[start:stop]
    calls = [call for call in history.calls if call.differences and start <= call.start < stop]
    if run.has_gradients or not calls or not run.accepted[start] or history.values.array[history.row_of(start)].any():
        return False
    accepted = history.rows(np.flatnonzero(run.accepted[start:stop]) + start)
    is_same = bool((np.abs(loss - loss[0]) <= _ROUNDING * abs(loss[0])).all())
    return is_same and not accepted.any()


def _flat(run: RecordedRun, story: tuple[int, int]) -> dict[str, Slot]:
    """Return the solver without gradients that tried several points, all with one and the same loss; else nothing."""
    start, stop = story
    points = run.history.values.array[run.history.row_of(start) : run.history.row_of(stop - 1) + 1]
    calls = [call for call in run.history.calls if call.start == start and call.stop == stop]
    apart = len(np.unique(points, axis=0)) if len(points) == stop - start and not run.has_gradients and calls else 0
    if apart <= run.history.width or (run.loss[start:stop] != run.loss[start]).any():
        return {}
    name = calls[-1].optimizer
    return {"optimizer": Named(name, name, is_of_domain=False), "tried": Count(apart)}


def _form(found: Ended) -> tuple[str, dict[str, Slot]]:
    lowest, highest = (found.event.values.get(f"{which}_curvature") for which in ("lowest", "highest"))
    if lowest is None or highest is None or not lowest < 0:
        return "level, at an operation", {}
    bend: dict[str, Slot] = {"bend": Value(float(lowest))}
    return ("saddle" if highest > 0 else "maximum"), bend


KIND = FindingKind(
    name="never-moved",
    severity="warning",
    rank=9,
    slots={
        "who": Listed,
        "operation": Said,
        "line": Count,
        "file": Said,
        "loss": Value,
        "bend": Value,
        "optimizer": Named,
        "tried": Count,
    },
    compute=compute,
    means="Every slope is 0 at the start, so that nothing moved, though the start is no minimum.",
    seen_by="points and gradients; second derivatives from the operations at which the gradient ends",
    example="a diameter started at 0 in a model that is even in it",
    asked_with=STANDS_STILL,
    silences=("minimum", "identifiability"),
    of_fits=True,
)
