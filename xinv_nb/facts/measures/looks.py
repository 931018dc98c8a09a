"""Evaluations that no optimizer made: a look at the solution, points on a grid, the check of a gradient."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Look = Literal["grid", "line", "check", "again", "few", ""]
"""Points on a grid or on a line; one point with each coordinate moved a little; points known before; too few to say."""

_FEWEST_ON_GRID = 6
_FEWEST_ON_LINE = 5
_MOST_AGAIN = 4
"""Known points in a row that are a look at them; more may be a fit that repeats another."""
_EVEN = 1e-7
"""Share of their distance by which points on a line may be uneven."""
_NEAR = 1e-3
"""Share of a parameter's size within which finite differences of it are taken."""
_ALONG = 1e-4
_MOST_FREE = 3
"""Parameters that a grid varies at most."""


def look_of(points: Floats, slopes: Floats | None, known: Floats) -> Look:
    """Return what evaluations in a row are, if they are no steps: points on a grid, on a line, a check, known points.

    `known` are points that were evaluated before.

    Examples
    --------
    >>> import numpy as np
    >>> grid = np.array([(a, b) for a in range(3) for b in range(4)], dtype=float)
    >>> look_of(grid, None, grid[:0]), look_of(grid[[0, 5, 3]], None, grid[:0])
    ('grid', '')
    """
    if len(points) == 0:
        return ""
    if len(points) <= _MOST_AGAIN and len(known) and all((known == point).all(axis=1).any() for point in points):
        return "again"
    if _is_check(points, known):
        return "check"
    varied = np.flatnonzero(np.ptp(points, axis=0) > 0)
    if not 0 < len(varied) <= _MOST_FREE:
        return ""
    if len(varied) > 1 and _is_grid(points[:, varied]):
        return "grid"
    if len(points) >= _FEWEST_ON_LINE and _is_even(points) and not _follows(points, slopes):
        return "line"
    return ""


def _is_grid(points: Floats) -> bool:
    """Whether the points are all that some values of each coordinate make together, each once."""
    sides = [len(np.unique(column)) for column in points.T]
    return (
        min(sides) > 1
        and np.prod(sides) == len(points) >= _FEWEST_ON_GRID
        and len(np.unique(points, axis=0)) == len(points)
    )


def _is_even(points: Floats) -> bool:
    """Whether the points lie on a line, one as far from the next as all others."""
    steps = np.diff(points, axis=0)
    return bool(np.abs(steps - steps.mean(axis=0)).max() <= _EVEN * np.abs(steps).max())


def _follows(points: Floats, slopes: Floats | None) -> bool:
    """Whether the steps go down the gradient, which is constant then: a loop's, not a plot's."""
    if slopes is None:
        return False
    step, slope = points[1] - points[0], slopes[0]
    size = np.linalg.norm(step) * np.linalg.norm(slope)
    return bool(size > 0 and np.vdot(step, slope).real < -(1 - _ALONG) * size)


def _is_check(points: Floats, known: Floats) -> bool:
    """Whether the points are one known point with one coordinate moved a little at a time: finite differences."""
    if len(points) < 2 or not len(known):
        return False
    for base in known[[-1, 0]]:
        moved = points != base
        off = points[moved.any(axis=1)]
        if len(off) < 2 or not (moved.sum(axis=1) <= 1).all():
            continue
        moves = np.abs(off - base).max(axis=1)
        if (moves <= _NEAR * np.maximum(np.abs(base).max(), 1.0)).all():
            return True
    return False
