"""How far the loss could still fall, read from the recorded path: no evaluation is made for it.

Method: the Newton decrement ½ gᵀH⁻¹g (Boyd & Vandenberghe 2004, section 9.5), with the inverse curvature that the
steps and the changes of the gradient over them give (BFGS; Nocedal & Wright 2006, section 6.1); and the decreases of
successive losses, which shrink like what is left (Aitken).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from xinv_nb.facts.measures.iterates import Floats, Iterates
from xinv_nb.facts.measures.losses import finite_iterates
from xinv_nb.recorded.run import RecordedRun

_MOST_PARAMETERS = 100
_MOST_PAIRS = 40
_AGREE = 1.3
"""Factor by which estimates may differ that measure the parameters by other sizes: where steps went in all
directions, it does not matter by which."""
_EARLIER = 2 / 3
"""Share of the path from which the bottom of a bowl is seen already where it is one."""
_SAME_BOTTOM = 0.05
"""Share of what is left by which the bottom may have moved since: in a logistic loss, it goes on and on."""
_EXPLAINED = 0.3
"""Share of the loss's latest changes that the gradients may leave unexplained: else losses or gradients are noisy."""
_LATEST = 5
_FEWEST = 8
"""Decreases that it takes to tell a rate."""
_SCATTER = 0.03
"""Largest standard deviation of their logarithms to base ten about a straight line."""
_SURE = 0.1
"""Largest standard error of that line's slope, as a share of it."""
_STEADY = 0.05
"""Share by which the slopes of its two halves may differ where the rate does not slow down."""


@dataclass(frozen=True)
class Decrement:
    """By how much the loss would fall to the bottom of the bowl that the steps have seen."""

    left: float
    target: Floats
    """Where its bottom lies."""


@dataclass(frozen=True)
class Rate:
    """A loss whose distance to its limit shrinks by a steady factor."""

    factor: float
    """What is left after an iteration, as a share of what was left before."""
    left: float
    seen: float
    """The last of the decreases that it was read from, as a share of the first."""
    is_steady: bool
    """Whether it was the same in both halves of them: one that slows down leads further than it tells."""

    @property
    def more(self) -> float:
        """How many more iterations leave a tenth."""
        return math.log(10) / -math.log(self.factor)


Path = tuple[Floats, Floats, Floats]
"""Points, gradients and losses of iterates."""


def known_path(run: RecordedRun, iterates: Iterates) -> Path | None:
    """Return points, gradients and losses of the accepted iterates where all are known; None where they are not.

    None too on a curved manifold: what a slope has across it is no slope that steps could follow.
    """
    if run.history.is_on_manifold:
        return None
    rows = iterates.rows[np.isfinite(run.loss[iterates.rows])]
    if len(rows) < 2 or not run.history.is_real or any(leaf.kept is not None for leaf in run.history.leaves):
        return None
    points, slopes = run.history.rows(rows), run.history.rows(rows, "gradients")
    known = np.isfinite(slopes).all(axis=1)
    if np.count_nonzero(known) < 2 or not known[-1]:
        return None
    if known.all():
        return points, slopes, run.loss[rows]
    return points[known], slopes[known], run.loss[rows[known]]


def is_consistent(path: Path) -> bool:
    """Whether losses and gradients of the latest iterates are those of one function.

    >>> x = np.array([[3.0], [2.0], [1.0]])
    >>> is_consistent((x, 2 * x, x[:, 0] ** 2)), is_consistent((x, -2 * x, x[:, 0] ** 2))
    (True, False)
    """
    points, slopes, loss = (column[-_LATEST - 1 :] for column in path)
    changes = np.diff(loss)
    told = np.einsum("ij,ij->i", np.diff(points, axis=0), slopes[1:] + slopes[:-1]) / 2
    rounding = 16 * np.finfo(float).eps * np.abs(loss).max()
    return bool(np.abs(changes - told).sum() <= _EXPLAINED * np.abs(changes).sum() + rounding * len(changes))


def decrement(path: Path) -> Decrement | None:
    """Return how far the loss could fall; None where the steps have not seen enough to tell."""
    if path[0].shape[1] > _MOST_PARAMETERS or not is_consistent(path):
        return None
    points, slopes, loss = path
    ways, pulls = np.ptp(points, axis=0), np.abs(slopes).max(axis=0)
    if not ((ways > 0) & (pulls > 0)).all():
        return None
    found = [_newton_step(points, slopes, scale) for scale in (ways, 1 / pulls)]
    if found[0] is None or found[1] is None:
        return None
    lefts = [float(slopes[-1] @ step) / 2 for step in found if step is not None]
    if not 0 < max(lefts) <= _AGREE * min(lefts):
        return None
    if not _is_bottom_seen_before(path, float(loss[-1]) - lefts[0], lefts[0]):
        return None
    return Decrement(lefts[0], points[-1] - found[0])


def _is_bottom_seen_before(path: Path, bottom: float, left: float) -> bool:
    """Whether an earlier part of the path leads to the same lowest loss, as it does in a bowl."""
    points, slopes, loss = (column[: math.ceil(_EARLIER * len(column))] for column in path)
    ways = np.ptp(points, axis=0)
    step = _newton_step(points, slopes, ways) if (ways > 0).all() else None
    return step is None or abs(float(loss[-1] - slopes[-1] @ step / 2) - bottom) <= _SAME_BOTTOM * left


def _newton_step(points: Floats, slopes: Floats, scale: Floats) -> Floats | None:
    points, slopes = points[-_MOST_PAIRS - 1 :], slopes[-_MOST_PAIRS - 1 :]
    steps, changes = np.diff(points / scale, axis=0), np.diff(slopes * scale, axis=0)
    inverse: Floats | None = None
    identity = np.eye(steps.shape[1])
    for step, change in zip(steps, changes, strict=True):
        curvature, square = float(step @ change), float(change @ change)
        if not curvature > 1e-8 * math.sqrt(float(step @ step) * square):
            continue
        if inverse is None:
            inverse = identity * (curvature / square)
        turn = identity - np.outer(step, change) / curvature
        inverse = turn @ inverse @ turn.T + np.outer(step, step) / curvature
    return None if inverse is None else np.asarray(inverse @ (slopes[-1] * scale) * scale)


def steady_rate(run: RecordedRun) -> Rate | None:
    """Return the factor by which what is left shrank per evaluation at the end; None where there is none."""
    rows = finite_iterates(run)
    if len(rows) <= _FEWEST or not np.array_equal(np.diff(rows[-_FEWEST - 1 :]), np.ones(_FEWEST)):
        return None
    best: Rate | None = None
    for count in sorted({_FEWEST, max(len(rows) // 3, _FEWEST), max(len(rows) // 2, _FEWEST)}):
        loss = run.loss[rows[-count - 1 :]]
        drops = -np.diff(loss)
        if not (drops > 1e4 * np.finfo(float).eps * np.abs(loss[1:])).all():
            break
        place = np.arange(count) - (count - 1) / 2
        logs = np.log10(drops)
        square = float(place @ place)
        slope = _slope(logs)
        scatter = float(np.std(logs - slope * place))
        if slope < 0 and scatter < _SCATTER and scatter / math.sqrt(square) < -_SURE * slope:
            factor = 10**slope
            halves = [_slope(logs[: count // 2]), _slope(logs[count // 2 :])]
            is_steady = abs(halves[1] - halves[0]) <= -_STEADY * slope
            best = Rate(factor, float(drops[-1]) * factor / (1 - factor), factor**count, is_steady)
    return best


def _slope(logs: Floats) -> float:
    place = np.arange(len(logs)) - (len(logs) - 1) / 2
    return float(place @ logs) / float(place @ place)


def steepness(path: Path) -> Floats:
    """Return each parameter's slope at the end as a share of its own steepest: no unit matters to that."""
    slopes = np.abs(path[1])
    return np.asarray(slopes[-1] / np.where(slopes.max(axis=0) > 0, slopes.max(axis=0), 1.0))


def parts(path: Path) -> Floats:
    """Return by how much the moves of each parameter changed the loss, to and fro, by the trapezoidal rule."""
    points, slopes, _ = path
    return np.asarray(np.abs(np.diff(points, axis=0) * (slopes[1:] + slopes[:-1]) / 2).sum(axis=0))
