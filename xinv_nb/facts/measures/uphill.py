"""Whether a run goes up its gradient: an optimizer that was given the negative of it, so that the loss is maximized.

Every method of first order steps against the gradient at first, whatever momentum or scaling it has later: a first step
along it, in all parameters, is a sign that was turned on purpose, or by mistake.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from xinv_nb.facts.measures.iterates import Iterates
from xinv_nb.facts.measures.sizes import norms
from xinv_nb.recorded.run import RecordedRun

Uphill = Literal["", "reached", "rising", "without end"]
"""Whether the run goes up: to where it is level, further, or ever more steeply."""

_FEWEST = 5
_FIRST = 3
"""Steps from the start that all have to go up."""
_LOW, _HIGH = 0.3, 0.7
"""Shares of the range of the loss up to which it starts, and from which on it ends."""
_MOST = 0.9
"""Share of the largest slope from which on the end is as steep as any."""
_LEVEL = 0.2
"""Share of the largest slope below which the end is level."""
_STEEPER = 1.1
_PART = 20


def uphill(run: RecordedRun, iterates: Iterates) -> Uphill:
    """Return whether the run goes up its gradient, and to which end."""
    rows = iterates.rows
    history = run.history
    if len(rows) < _FEWEST or not run.has_gradients or not history.is_real:
        return ""
    loss = run.loss[rows]
    if not np.isfinite(loss).all():
        return ""
    first = history.rows(rows[: _FIRST + 1])
    along = np.diff(first, axis=0) * history.rows(rows[:_FIRST], "gradients")
    if not (along[0] >= 0).all() or not (along.sum(axis=1) > 0).all():
        return ""
    part = max(len(loss) // _PART, 1)
    low, height = float(loss.min()), float(np.ptp(loss))
    if not (loss[0] - low <= _LOW * height < _HIGH * height <= float(np.median(loss[-part:])) - low):
        return ""
    sizes = norms(run, history.rows(rows, "gradients"))
    early, late, steepest = (float(size) for size in (sizes[0], np.median(sizes[-part:]), sizes.max()))
    if late >= _STEEPER * early and late >= _MOST * steepest:
        return "without end"
    return "reached" if late <= _LEVEL * steepest else "rising"
