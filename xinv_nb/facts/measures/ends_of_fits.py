"""Where each of several fits ended: its loss, its point, and whether it had come to rest there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.fit import Fit, iterates_of_fit
from xinv_nb.facts.measures.smoothing import calms_down, smoothed
from xinv_nb.facts.measures.stretch import Stretch
from xinv_nb.recorded.calls import OptimizerCall
from xinv_nb.recorded.endings import OUT_OF
from xinv_nb.recorded.run import RecordedRun

PRECISION = 1e-9
"""Share of the fall of the loss below which solvers that met their own tests do not tell two losses apart."""
_SAME_PLACE, _OTHER_PLACE = 1e-3, 0.1
"""Share of the way from the starts within which two fits ended at one point, and from which on at two."""
_LEVEL = 1e-3
"""Share of the largest gradient of a fit at which it has nearly vanished."""
_LATE = 10
"""The last part of a fit that is looked at: one in ten iterates."""
_STILL = 1e-3
"""Share of its whole fall by which the loss of a fit still fell there, or of its spread by which it had risen."""

_RISES = 3
"""Rises in a row from the lowest loss to the end that are no noise."""


@dataclass(frozen=True)
class End:
    """The end of one fit."""

    number: int
    """Its number among the fits, from 1."""
    fit: Fit
    call: OptimizerCall | None
    row: int
    """Its last iterate."""
    start: float
    """The loss at its start."""
    loss: float
    lowest: float
    has_converged: bool
    """Whether a solver says that its own test for convergence was met."""
    is_out: bool
    """Whether the solver was out of evaluations or iterations."""
    is_falling: bool
    has_risen: bool
    is_level: bool
    """Whether the gradient is known, and had nearly vanished there."""
    is_noisy: bool
    """Whether single losses are draws from a noise, so that a low one need be no low point."""

    def is_as_low_as(self, other: End) -> bool:
        """Whether no more than what solvers leave when their tests are met sets the lowest losses of two fits apart."""
        if not (self.has_converged and other.has_converged):
            return False
        fall = min(self.start, other.start) - min(self.lowest, other.lowest)
        return abs(self.lowest - other.lowest) <= PRECISION * fall


def has_converged(call: OptimizerCall) -> bool:
    """Whether a solver says that its own test for convergence was met.

    >>> has_converged(OptimizerCall("BFGS", 0, 9, ending={"success": True, "reason": "converged"}))
    True
    """
    return bool(call.ending.get("success")) and call.ending.get("reason") not in OUT_OF


def ends_of(run: RecordedRun, fits: Sequence[Fit], stretches: Sequence[Stretch]) -> list[End]:
    """Return the ends of fits, in order.

    >>> ends_of(RecordedRun(), [], [])
    []
    """
    calls = {each.start: each.call for each in stretches if not each.look}
    return [_end(run, number, fit, calls.get(fit.start)) for number, fit in enumerate(fits, start=1)]


def _end(run: RecordedRun, number: int, fit: Fit, call: OptimizerCall | None) -> End:
    rows = iterates_of_fit(run, fit)
    rows = rows if len(rows) else np.array([fit.stop - 1])
    loss = run.loss[rows]
    lowest = float(run.loss[fit.best])
    fall, last = float(loss[0]) - lowest, float(loss[-1])
    before = float(loss[-1 - max(len(loss) // _LATE, 1)]) if len(loss) > 1 else last
    ending = {} if call is None else call.ending
    return End(
        number=number,
        fit=fit,
        call=call,
        row=int(rows[-1]),
        start=float(loss[0]),
        loss=last,
        lowest=lowest,
        has_converged=call is not None and has_converged(call),
        is_out=ending.get("reason") in OUT_OF,
        is_falling=fall > 0 and before - last > _STILL * fall,
        is_level=run.has_gradients and _is_level(run, rows),
        is_noisy=_is_noisy(loss),
        has_risen=last - lowest > max(_STILL * abs(fall), 0.0) or not np.isfinite(last),
    )


def _is_noisy(loss: NDArray[np.float64]) -> bool:
    late = np.diff(loss[int(np.argmin(loss)) :])
    if not np.isfinite(loss).all() or (len(late) >= _RISES and (late > 0).all()):
        return False
    return smoothed(loss).is_noisy and not calms_down(loss)


def _is_level(run: RecordedRun, rows: NDArray[np.intp]) -> bool:
    slopes = np.linalg.norm(run.history.rows(rows, "gradients"), axis=1)
    return bool(slopes[-1] <= _LEVEL * np.nanmax(slopes)) if np.isfinite(slopes[-1]) else False


def distances(run: RecordedRun, ends: Sequence[End]) -> NDArray[np.float64] | None:
    """Return how far apart fits ended, as shares of the longest way from a start; None where that is not known.

    >>> distances(RecordedRun(), []) is None
    True
    """
    history = run.history
    if history.kept is not None or not history.width or not ends:
        return None
    points = history.values.array[[end.fit.best for end in ends]]
    starts = history.values.array[[end.fit.start for end in ends]]
    scale = max(float(np.abs(points - starts).max()), float(np.abs(points).max()))
    if not 0 < scale < np.inf or not np.isfinite(points).all():
        return None
    apart: NDArray[np.float64] = np.abs(points[:, None] - points[None]).max(axis=2) / scale
    return apart


def places(apart: NDArray[np.float64]) -> list[list[int]] | None:
    """Return which fits ended at one point; None where some ended neither at one point nor clearly at two.

    >>> places(np.array([[0.0, 0.5], [0.5, 0.0]])), places(np.array([[0.0, 0.01], [0.01, 0.0]]))
    ([[0], [1]], None)
    """
    if ((apart > _SAME_PLACE) & (apart < _OTHER_PLACE)).any():
        return None
    groups = list[list[int]]()
    for k in range(len(apart)):
        own = next((group for group in groups if apart[group[0], k] <= _SAME_PLACE), None)
        if own is None:
            groups.append([k])
        else:
            own.append(k)
    return groups
