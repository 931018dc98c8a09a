"""Whether something beside the loss holds the end: constraints, bounds, or the program's own projections.

What holds it determines the parameters as well: that the loss stays the same along a combination says little there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.measures.constraints import constraints_of, is_constrained, pulled_across
from xinv_nb.facts.measures.ends import slope_at_end
from xinv_nb.facts.measures.iterates import Iterates
from xinv_nb.facts.measures.scales import sizes
from xinv_nb.recorded.run import RecordedRun

Mask = NDArray[np.bool_]

_SLOPE = 1e-3
"""Share of the steepest slope that is left at an end from which on something may hold it."""
_AT_REST = 1e-4
"""Share of the usual step for its slope up to which the last steps are none."""
_LATEST = 4
"""The last steps that are looked at."""


def held_at_end(run: RecordedRun, iterates: Iterates) -> Mask:
    """Return which parameters constraints, bounds or the program itself may keep from going where the loss is lower.

    >>> from xinv_nb.facts.measures.iterates import iterates_of
    >>> bool(held_at_end(RecordedRun(), iterates_of(RecordedRun())).any())
    False
    """
    found = np.zeros(run.history.width if run.evaluations else 0, dtype=bool)
    if not len(iterates):
        return found
    if is_constrained(run):
        constraints = constraints_of(run, iterates)
        if not constraints or any(each.is_active or each.broken_by for each in constraints):
            return ~found
    slope = slope_at_end(run)
    return found if slope is None else pulled_across(run, slope) | _rests_on_slopes(run, iterates)


def _rests_on_slopes(run: RecordedRun, iterates: Iterates) -> Mask:
    """Return which parameters still have a slope where the points no longer move."""
    none = np.zeros(run.history.width, dtype=bool)
    if len(iterates) <= 2 * _LATEST or not run.has_gradients:
        return none
    points, slopes = run.history.rows(iterates.rows), run.history.rows(iterates.rows, "gradients")
    scale = sizes(run, iterates)
    steep = np.linalg.norm(slopes * scale, axis=1)
    if not np.isfinite(points).all() or not np.isfinite(steep).all():
        return none
    lengths = np.linalg.norm(np.diff(points, axis=0) / scale, axis=1)
    rates = np.divide(lengths, steep[:-1], out=np.zeros_like(lengths), where=steep[:-1] > 0)
    if rates[-_LATEST:].max() > _AT_REST * np.median(rates[: len(rates) // 2]):
        return none
    return np.asarray(np.abs(slopes[-1] * scale) > _SLOPE * steep.max())
