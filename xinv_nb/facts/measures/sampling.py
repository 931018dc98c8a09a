"""Whether a loop draws samples instead of minimizing: its points wander, and nothing draws them down the slope.

Method: a chain of Markov chain Monte Carlo (Metropolis et al. 1953; Neal 2011 for Hamiltonian dynamics) goes up as
readily as down once it has settled, and comes back to a point when it refuses a proposal. Where gradients are taken at
its proposals alone, the chain itself is not seen: but a minimizer's step is a sum of gradients (and of the step before,
with a momentum), and a proposal's is mostly drawn at random.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

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
_EXPLAINED = 0.45
"""Share of the variance of the steps that gradients and the step before explain, below which the steps are random."""
_MOSTLY_DOWN = 0.78
"""Share of steps down the slope from which on random steps are those of a minimization: with noise added, say."""
_NEARLY_ALWAYS = 0.97
"""Share of steps from which on there is no exception to speak of."""
_MOST_OF, _SAME_PULL = 0.5, 1e-6
"""Share of the steps of a trajectory that go on without friction, and the accuracy to which they do."""
_DRIFTS = 0.3
"""Correlation of successive points below which they are drawn each by itself, and no chain."""
_MOST_COLUMNS, _MOST_ROWS = 10, 5000
"""Parameters and evaluations of which the steps are looked at: they are all of one kind."""
_NAMED = re.compile(r"log_?(?:p|prob|density|post|target|lik)|lnp|lnprob|posterior|potential|energy|(?:^|_)density|^u$")
"""What the objectives of samplers are called."""


@dataclass(frozen=True)
class Wandering:
    """Steps that lead down the slope hardly more often than up, or are drawn at random, below a loss that ranges on."""

    downhill: float
    """The share of the steps that went down the slope; no number where no gradient is known."""
    is_sampling: bool
    """Whether samples are drawn; else it is not known what the steps are for."""


def wandering(run: RecordedRun) -> Wandering | None:
    """Return how the points of a loop wander where nothing of its steps draws the loss down; None where it minimizes.

    Examples
    --------
    >>> wandering(RecordedRun()) is None
    True
    """
    history, own = run.history, run.accepted
    if len(history) < _FEWEST or history.calls or history.kept is not None:
        return None
    loss, points = history.loss.array[own], history.values.array[own]
    if len(loss) < _FEWEST or not np.isfinite(loss).all() or points.dtype.kind != "f" or not _ranges_on(loss):
        return None
    steps = np.diff(points, axis=0)
    moved = np.asarray(steps.any(axis=1))
    if np.count_nonzero(moved) < _FEWEST / 2:
        return None
    comes_back, firsts = _comes_back(points, moved), np.flatnonzero(np.concatenate([[True], moved]))
    if not run.has_gradients:
        wanders = comes_back or _is_random(points[firsts], None, steps[moved])
        return Wandering(np.nan, is_sampling=False) if wanders else None
    slopes = history.gradients.array[own]
    share = float(((steps * slopes[:-1]).sum(axis=1)[moved] < 0).mean())
    is_near_half = abs(share - 0.5) <= _AS_OFTEN
    is_named = _NAMED.search(history.objective.lower()) is not None
    if comes_back and abs(share - 0.5) <= _AS_OFTEN_BACK:
        return Wandering(share, is_sampling=True)
    if is_near_half and (is_named or _keeps_its_energy(slopes, steps)):
        return Wandering(share, is_sampling=True)
    gathered = np.add.reduceat(slopes, firsts, axis=0)  # of several batches at one point, before the step
    if share < _NEARLY_ALWAYS and _is_random(points[firsts], gathered, steps[moved]):
        return Wandering(share, is_sampling=share < _MOSTLY_DOWN and not comes_back)
    return None


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
    stays = np.diff(firsts)  # the last of them may have been cut short
    if len(np.unique(points[firsts], axis=0)) < len(firsts):
        return True
    return bool(len(points) - len(firsts) >= _BACK * len(points) and len(set(stays.tolist())) > 1)


def _is_random(points: Floats, slopes: Floats | None, steps: Floats) -> bool:
    """Whether neither gradients nor the steps before say where the next step goes, and yet the points are a chain."""
    slopes = np.zeros_like(points) if slopes is None else slopes
    if not np.isfinite(slopes).all():
        return False
    points, slopes, steps = points[: _MOST_ROWS + 1], slopes[: _MOST_ROWS + 1], steps[:_MOST_ROWS]
    columns = np.flatnonzero(steps.any(axis=0))[:_MOST_COLUMNS]
    explained = []
    for j in columns:
        down, step = slopes[:-1, j], steps[:, j]
        known = np.stack([down[1:], np.sign(down[1:]), down[:-1], step[:-1], np.ones(len(step) - 1)], axis=1)
        scale = np.abs(known).max(axis=0)
        known = known / np.where(scale > 0, scale, 1.0)
        told = known @ np.linalg.lstsq(known, step[1:], rcond=None)[0]
        explained.append(1 - float(np.var(step[1:] - told)) / max(float(np.var(step[1:])), np.finfo(float).tiny))
    apart = points[:, columns] - points[:, columns].mean(axis=0)
    alike = (apart[1:] * apart[:-1]).sum(axis=0) / (apart**2).sum(axis=0)
    return float(np.median(explained)) < _EXPLAINED and float(alike.max()) > _DRIFTS


def _keeps_its_energy(slopes: Floats, steps: Floats) -> bool:
    """Whether most steps are the one before and a pull of the gradient, with no friction, and the others a new push.

    So does Hamiltonian dynamics go on, which draws a new momentum now and then; a momentum of a minimizer is below 1.
    """
    pull, down = np.diff(steps, axis=0), -slopes[1:-1]
    if not down.any(axis=0).all():
        return False
    with np.errstate(all="ignore"):
        rate = np.nanmedian(np.where(down == 0, np.nan, pull / down), axis=0)
    if not (rate > 0).all():
        return False
    same = np.abs(pull - rate * down).max(axis=1) <= _SAME_PULL * np.abs(steps[1:]).max(axis=1)
    return bool(_MOST_OF <= float(same.mean()) < _NEARLY_ALWAYS)
