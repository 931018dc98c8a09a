"""Whether a loop draws samples instead of minimizing: its points wander, and nothing draws them down the slope.

Method: a chain of Markov chain Monte Carlo (Metropolis et al. 1953; Neal 2011 for Hamiltonian dynamics) goes up as
readily as down once it has settled, and comes back to a point when it refuses a proposal.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recorded.run import RecordedRun

Floats = NDArray[np.float64]

_FEWEST = 60
"""Evaluations below which a wandering loop is not told from a slow one."""
_AS_OFTEN, _AS_OFTEN_BACK = 0.15, 0.3
"""How far the share of steps down the slope may be from a half; and where the loop comes back to known points."""
_SPREAD = 5.0
"""How many times as far the loss may range in its last third as in its first, or the other way round."""
_APART = 2.0
"""How many times the middle half of its values the loss of the first third may lie from that of the last."""
_BACK = 0.02
"""Share of evaluations that are where the one before was, from which on a loop refuses proposals."""
_NAMED = re.compile(r"log_?(?:p|prob|density|post|target|lik)|lnp|lnprob|posterior|potential|energy|(?:^|_)density|^u$")
"""What the objectives of samplers are called."""


def downhill_share(run: RecordedRun) -> float | None:
    """Return the share of steps that went down the slope where a loop draws samples; None where it does not.

    Examples
    --------
    >>> downhill_share(RecordedRun()) is None
    True
    """
    history = run.history
    if len(history) < _FEWEST or not run.has_gradients or history.calls or history.kept is not None:
        return None
    own = run.accepted
    loss, points, slopes = history.loss.array[own], history.values.array[own], history.gradients.array[own]
    if len(loss) < _FEWEST or not np.isfinite(loss).all() or points.dtype.kind != "f":
        return None
    steps = np.diff(points, axis=0)
    moved = np.asarray(steps.any(axis=1))
    down = (steps * slopes[:-1]).sum(axis=1)[moved] < 0
    if len(down) < _FEWEST / 2 or not _ranges_on(loss):
        return None
    comes_back = _comes_back(points, moved)
    if abs(float(down.mean()) - 0.5) > (_AS_OFTEN_BACK if comes_back else _AS_OFTEN):
        return None
    if not comes_back and not _NAMED.search(history.objective.lower()):
        return None
    return float(down.mean())


def _ranges_on(loss: Floats) -> bool:
    """Whether the loss ranges as far at the end as at the start, and about where it did."""
    third = len(loss) // 3
    low, high = np.percentile(loss[:third], [25, 75]), np.percentile(loss[-third:], [25, 75])
    early, late = float(low[1] - low[0]), float(high[1] - high[0])
    if not 0 < early <= _SPREAD * late <= _SPREAD**2 * early:
        return False
    return abs(float(np.median(loss[:third]) - np.median(loss[-third:]))) <= _APART * max(early, late)


def _comes_back(points: Floats, moved: NDArray[np.bool_]) -> bool:
    """Whether the loop is at a point again that it had left, or stays at points for numbers of evaluations that vary.

    That each point is evaluated twice, for its value and for its gradient, say, is no sign of a refusal.
    """
    firsts = np.flatnonzero(np.concatenate([[True], moved]))
    stays = np.diff(np.append(firsts, len(points)))
    if len(np.unique(points[firsts], axis=0)) < len(firsts):
        return True
    return bool(len(points) - len(firsts) >= _BACK * len(points) and stays.min() < stays.max())
