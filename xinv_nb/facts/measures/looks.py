"""Evaluations that no optimizer made: points on a grid or along a line, the check of a gradient, known points again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Look = Literal["grid", "line", "scan", "check", "again", "search", "solve", "scatter", "few", ""]
"""Points on a grid, evenly on a line, or on one through an end; one point with each coordinate moved a little; points
known before; those among which a search looks for starts; those of a solver from whose end a loop did not go on; points
of which none follows from another; too few to say."""

_FEWEST_ON_GRID = 6
_FEWEST_ON_LINE = 5
_MOST_AGAIN = 4
"""Known points in a row that are a look at them; more may be a fit that repeats another."""
_EVEN = 1e-7
"""Share of their distance by which points on a line may be uneven."""
_LEAST, _NEAR = 1e-11, 1e-3
"""Shares of a parameter's size between which finite differences of it are taken; rounding moves it less."""
_AT_REST = 1e-6
"""Share of the way between the points within which a loop stays where it is."""
_DOWNHILL = 0.9
"""Share of steps down the slope from which on points along a line may be a loop's steps of one length."""
_FEWEST_SCATTERED = 12
_UNRELATED = (0.6, 1.5)
"""Mean square of successive differences over twice the variance, between which points do not follow each other (it is
1 where each is drawn by itself; von Neumann 1941)."""
_EXPLAINED = 0.85
"""Share of the steps that gradients and the steps before explain at most where no rule leads from point to point."""
_MOST_TRIED = 50
_MOST_CHECKS = 3
"""Checks of a gradient that interrupt a loop; more are how it takes its gradients."""


def grids(points: Floats) -> list[tuple[int, int]]:
    """Return the stretches in which one coordinate runs through the same values again and again, the others waiting.

    Examples
    --------
    >>> import numpy as np
    >>> plot = [(a, b) for a in range(3) for b in range(4)]
    >>> grids(np.array([(0.5, 0.5), (0.4, 0.3), *plot], dtype=float))
    [(2, 14)]
    """
    if len(points) < _FEWEST_ON_GRID or points.shape[1] < 2:
        return []
    alone = (np.diff(points, axis=0) != 0).sum(axis=1) == 1
    begins = np.flatnonzero(alone & ~np.concatenate([[False], alone[:-1]]))
    found: list[tuple[int, int]] = []
    for begin in begins[:_MOST_TRIED].tolist():
        if found and begin < found[-1][1]:
            continue
        if stop := _grid_from(points, begin):
            found.append((begin, stop))
    return found


def _grid_from(points: Floats, begin: int) -> int:
    """Return where the grid ends that begins at a row; 0 where none does."""
    column = int(np.flatnonzero(points[begin + 1] != points[begin])[0])
    values = points[begin:, column]
    back = np.flatnonzero(values[1:] == values[0])
    if not len(back):
        return 0
    side = int(back[0]) + 1
    others = np.delete(points[begin:], column, axis=1)
    waiting: set[bytes] = set()
    while (len(waiting) + 1) * side <= len(values):
        block = slice(len(waiting) * side, (len(waiting) + 1) * side)
        known = others[block.start].tobytes()
        is_row = np.array_equal(values[block], values[:side]) and not (others[block] != others[block.start]).any()
        if not is_row or known in waiting:  # the same row again is a loop that goes round
            break
        waiting.add(known)
    count = len(waiting) * side
    return begin + count if side > 1 and len(waiting) > 1 and count >= _FEWEST_ON_GRID else 0


def lines(points: Floats, slopes: Floats | None) -> list[tuple[int, int]]:
    """Return the stretches in which points lie evenly along a line, and that do not go down all along it.

    Examples
    --------
    >>> import numpy as np
    >>> plot = np.linspace(-1.0, 1.0, 9)[:, None]
    >>> lines(np.concatenate([[[4.0], [2.0]], plot]), np.concatenate([[[8.0], [4.0]], 2 * plot]))
    [(2, 11)]
    """
    if slopes is None or len(points) < _FEWEST_ON_LINE:
        return []
    steps = np.diff(points, axis=0)
    sizes = np.abs(steps).max(axis=1)
    even = (np.abs(np.diff(steps, axis=0)).max(axis=1) <= _EVEN * sizes[:-1]) & (sizes[:-1] > 0)
    downhill = (steps * slopes[:-1]).sum(axis=1) < 0
    found = []
    for a, b in _runs(even):
        if b - a + 2 >= _FEWEST_ON_LINE and downhill[a : b + 1].mean() < _DOWNHILL:
            found.append((a, b + 2))
    return found


def _runs(mask: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Yield where the mask holds, as the first place and the one after the last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(int)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def checks(points: Floats) -> list[tuple[int, int]]:
    """Return the stretches within a loop in which each coordinate of a known point is moved a little, one at a time.

    Examples
    --------
    >>> import numpy as np
    >>> way = np.array([[4.0, 1.0], [2.0, 1.5], [1.0, 1.7]])
    >>> checks(np.concatenate([way, way[-1:] + 1e-6 * np.eye(2), way[-1:] - 0.5]))
    [(3, 5)]
    """
    found = _checks(points)
    return found if len(found) <= _MOST_CHECKS else []


def takes_differences(points: Floats) -> bool:
    """Whether a loop takes its gradients by finite differences, so that these are no looks.

    >>> takes_differences(np.zeros((3, 2)))
    False
    """
    return len(_checks(points)) > _MOST_CHECKS


def _checks(points: Floats) -> list[tuple[int, int]]:
    count, width = points.shape
    if width < 2 or count < width + 2:
        return []
    steps = np.diff(points, axis=0)
    moved, sizes = (steps != 0).sum(axis=1), np.maximum(np.abs(points[:-1]).max(axis=1), 1.0)
    near = (moved > 0) & (moved <= 2) & (np.abs(steps).max(axis=1) <= 2 * _NEAR * sizes)
    found: list[tuple[int, int]] = []
    for begin in np.flatnonzero(near).tolist()[:_MOST_TRIED]:
        for length in (2 * width, width):
            after = begin + length
            if after >= count or (found and begin < found[-1][1]):
                continue
            if is_check(points[begin:after], points[[after, max(begin, 1) - 1]]):  # around where it was, or goes on
                found.append((begin, after))
    return found


def look_behind(points: Floats) -> tuple[int, Look]:
    """Return from which row on the last points are a check of a gradient or known ones, and which; or their number.

    Examples
    --------
    >>> import numpy as np
    >>> way = np.array([[4.0, 1.0], [2.0, 1.5], [1.0, 1.7]])
    >>> look_behind(np.concatenate([way, way[-1:] + 1e-6 * np.eye(2)])), look_behind(way)
    ((3, 'check'), (3, ''))
    """
    count, width = points.shape
    for length in sorted({2 * width + 1, 2 * width, width + 1, width}, reverse=True):
        if 1 < length < count and is_check(points[-length:], points[:-length]):
            return count - length, "check"
    again, reach = 0, float(np.ptp(points, axis=0).max()) if count else 0.0
    while again <= _MOST_AGAIN and again < count - 1:
        row = count - again - 1
        # A point that comes twice in a row is a loop at rest, and one that comes again for long a loop that goes round.
        way = float(np.abs(points[row] - points[row - 1]).max())
        known = (points[1 : max(row - 2, 1)] == points[row]).all(axis=1).any()  # to its start a loop may come back
        if way <= _AT_REST * reach or not known or np.array_equal(points[row], points[row - 2]):
            break
        again += 1
    return (count - again, "again") if 0 < again <= _MOST_AGAIN else (count, "")


def are_known(points: Floats, known: Floats) -> bool:
    """Whether a few points were all evaluated before."""
    return len(points) <= _MOST_AGAIN and len(known) > 0 and all((known == p).all(axis=1).any() for p in points)


def is_check(points: Floats, known: Floats) -> bool:
    """Whether the points are one known point with one coordinate moved a little at a time: finite differences."""
    if len(points) < 2 or not len(known) or points.shape[1] < 2:
        return False  # of one parameter, small steps alone are no check
    for base in known[[-1, 0]]:
        moved = points != base
        off = points[moved.any(axis=1)]
        if len(off) < 2 or not (moved.sum(axis=1) <= 1).all():
            continue
        moves, size = np.abs(off - base).max(axis=1), max(float(np.abs(base).max()), 1.0)
        if len(np.unique(moved.argmax(axis=1))) == points.shape[1] and _LEAST * size < moves.min():
            return bool(moves.max() <= _NEAR * size)
    return False


def is_scan(points: Floats, slopes: Floats | None, known: Floats) -> bool:
    """Whether the points lie on one straight line through the latest known one, and do not go down all along it.

    >>> is_scan(np.array([[0.0, 2.0], [0.5, 2.0], [2.0, 2.0]]), None, np.array([[5.0, 4.0], [1.0, 2.0]]))
    True
    """
    if len(points) < 2 or not len(known) or points.shape[1] < 2:
        return False  # of one parameter, all points lie on a line
    off = points - known[-1]
    longest = off[int(np.abs(off).max(axis=1).argmax())]
    size = float(longest @ longest)
    if not 0 < size < np.inf:
        return False
    places = off @ longest / size
    if np.abs(off - places[:, None] * longest).max() > _EVEN * np.abs(longest).max():
        return False
    if slopes is None:
        return True
    return bool(((np.diff(points, axis=0) * slopes[:-1]).sum(axis=1) < 0).mean() < _DOWNHILL)


def are_scattered(points: Floats, slopes: Floats | None) -> bool:
    """Whether points follow neither from each other nor from the gradients there, as where each is drawn by itself.

    >>> dice = np.random.RandomState(0)
    >>> drawn, way = dice.uniform(-5.0, 5.0, (40, 2)), 4 * 0.8 ** np.arange(40.0)[:, None] * np.ones(2)
    >>> are_scattered(drawn, 2 * drawn), are_scattered(way, 2 * way)
    (True, False)
    """
    if slopes is None or len(points) < _FEWEST_SCATTERED or not np.isfinite(points).all():
        return False
    steps, spread = np.diff(points, axis=0), np.var(points, axis=0)
    if not spread.min() > 0 or not np.isfinite(slopes).all():
        return False
    ratio = float(np.mean((steps**2).mean(axis=0) / (2 * spread)))
    if not _UNRELATED[0] < ratio < _UNRELATED[1]:
        return False
    left = 0.0
    for j in range(points.shape[1]):
        known = np.stack([slopes[1:-1, j], steps[:-1, j]], axis=1)
        sizes = np.abs(known).max(axis=0)
        known = known / np.where(sizes > 0, sizes, 1.0)
        told = known @ np.linalg.lstsq(known, steps[1:, j], rcond=None)[0]
        left += float(((steps[1:, j] - told) ** 2).sum() / (steps[1:, j] ** 2).sum())
    return bool(1 - left / points.shape[1] < _EXPLAINED)


def between(stretches: list[tuple[int, int]], count: int) -> Iterator[tuple[int, int, bool]]:
    """Yield the stretches, and what lies between them, as first row, row after the last, and whether it is one."""
    for (_, at), (start, stop) in pairwise([(0, 0), *stretches, (count, count)]):
        if at < start:
            yield at, start, False
        if start < stop:
            yield start, stop, True
