"""The objective is computed in numbers of 32 bits, and the optimizer cannot get on in their rounding."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.rounding import are_float32
from xinv_nb.language.slots import Said, Slot, Value
from xinv_nb.recorded.calls import OptimizerCall
from xinv_nb.recorded.endings import NO_LOWER_LOSS
from xinv_nb.recorded.run import RecordedRun

_FEW_UNITS = 4
_FEWEST = 3
_MOST_ROWS = 200
_STUCK = 5
"""Iterates at one point though the gradient is not level."""
_LEVEL = 0.01
"""Share of the largest slope below which the end is level."""


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield that all numbers are of 32 bits, where the optimizer gave up, or did not move, because of that.

    Examples
    --------
    >>> import numpy as np
    >>> import xinv_nb as xi
    >>> from scipy.optimize import minimize
    >>> t = np.linspace(0, 1, 9, dtype=np.float32)
    >>> def misfit(p):
    ...     p = np.asarray(p, dtype=np.float32)
    ...     return float(np.sum((p[0] * np.exp(-p[1] * t) - np.exp(-t) / 3) ** 2))
    >>> with xi.record() as run:
    ...     result = minimize(misfit, [1.0, 0.1])
    >>> run.diagnosis[0].kind
    'single-precision'
    """
    run = evidence.run
    call = run.history.calls[-1] if run.history.calls else None
    why = _limit(run, call)
    if not why or not _is_single(run, 1 if why == "differences" else _FEWEST):
        return
    slots: dict[str, Slot] = {}
    if call is not None:
        slots["optimizer"] = Said(call.optimizer)
        tolerance = call.options.get("gtol")
        if why == "search" and isinstance(tolerance, float) and run.has_gradients:
            slots["tolerance"] = Value(tolerance)
    form = why if run.has_gradients or why == "differences" else f"{why}, losses"
    yield KIND.finding(form, (0, evidence.last), slots)


def _is_single(run: RecordedRun, fewest: int) -> bool:
    """Whether all losses, or residuals, and all gradients are numbers of 32 bits."""
    rows = np.unique(np.linspace(0, len(run.kept) - 1, _MOST_ROWS).astype(int))
    if run.residuals is not None:
        return are_float32(run.residuals[rows].ravel())
    if not are_float32(run.loss, fewest):
        return False
    gradients = run.history.gradients.array[rows].ravel()
    return not np.isfinite(gradients).any() or are_float32(gradients)


def _limit(run: RecordedRun, call: OptimizerCall | None) -> str:
    """Return in which way the rounding held the fit up; empty where it did not."""
    if not run.history.is_real or run.evaluations < _FEWEST:
        return ""
    if call is not None and _sees_rounding(run, call):
        return "differences"
    if call is not None and call.ending.get("reason") in NO_LOWER_LOSS:
        return "search"
    return "stuck" if call is None and _is_stuck(run) else ""


def _sees_rounding(run: RecordedRun, call: OptimizerCall) -> bool:
    """Whether the first finite differences of an optimizer are of a few units in the last digit of 32 bits."""
    if not call.differences:
        return False
    first, after = call.differences[0]
    base = run.loss[first - 1]
    with np.errstate(all="ignore"):
        unit = float(np.spacing(np.float32(abs(base))))
    return bool(np.abs(run.loss[first:after] - base).max() <= _FEW_UNITS * unit)


def _is_stuck(run: RecordedRun) -> bool:
    """Whether a loop goes on at one point, though its gradient is not level: its steps are below the last digit."""
    rows = run.iterates[-_STUCK:]
    if len(rows) < _STUCK or not run.has_gradients:
        return False
    values, slopes = run.history.rows(rows), run.history.gradients.array
    sizes = np.linalg.norm(slopes, axis=1)
    moved = bool(np.ptp(run.history.values.array, axis=0).any())
    return moved and not np.ptp(values, axis=0).any() and bool(sizes[-1] > _LEVEL * np.fmax.reduce(sizes))


KIND = FindingKind(
    name="single-precision",
    severity="warning",
    rank=5,
    slots={"optimizer": Said, "tolerance": Value},
    compute=compute,
    means="The objective is computed in 32 bits, whose rounding stops the optimizer.",
    seen_by="every loss, residual and gradient equals its rounding to 32 bits, and no step lowers the loss any more",
    example='BFGS with `gtol=1e-9` on an objective of `dtype="float32"`',
    asked_with=r"\b(?:precision|float32|32 bits?|rounding)\b",
    silences=("advice", "identifiability"),
)
