"""Which evaluations a program's own loop turned down, because it started again from the point before.

Method: where the loss rose, the next step of a loop that goes on leads from where it is; of one that goes back it leads
from the last point that was lower. Second derivatives (or a Jacobian) say from where, if the program takes them there;
and so does a step straight down the gradient of the earlier point, as it is taken once momentum is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recording.derived import bits

Floats = NDArray[np.float64]

_ALONG = 1e-6
"""Sine of the angle up to which a step leads straight down a gradient, apart from the rounding of points."""
_BESIDE = 1e-3
"""Sine of the angle from which on it clearly does not."""
_ROUNDING = 8 * float(np.finfo(float).eps)
_FEWEST = 2
"""Points at which derivatives were taken that show that a program takes them where it steps from."""


def back_by_derivatives(
    points: Floats, loss: Floats, times: Mapping[int, Sequence[int]], first: int = 0
) -> dict[int, bool] | None:
    """Return of the rows whether they were kept, by where derivatives were taken (see `DerivedPoints.times`).

    `None` where that does not tell. `first` is the number of the first of these evaluations in its history.

    Examples
    --------
    >>> points = np.array([[4.0, 1.0], [9.0, 5.0], [3.0, 2.0], [1.0, 1.0]])
    >>> times = {bits(points[0]): [1, 2], bits(points[2]): [3]}
    >>> back_by_derivatives(points, np.array([5.0, 9.0, 3.0, 1.0]), times)
    {0: True, 1: False, 2: True, 3: True}
    """
    if not times:
        return None
    names = [bits(point) for point in points]
    taken = np.array([name in times for name in names])
    if len({name for name in names if name in times}) < _FEWEST or taken.all():
        return None
    kept: dict[int, bool] = {}
    base: int | None = None
    for row, name in enumerate(names):
        if base is None or taken[row] or names[base] == name:
            if base is not None and names[base] != name and not loss[row] < loss[base]:
                return None  # it steps from what is no lower: nothing was turned down for that
            base, kept[row] = row, True
            continue
        is_lower = bool(loss[row] < loss[base])
        went_back = any(first + row + 1 <= time for time in times.get(names[base], ()))
        if is_lower and row + 1 < len(names) and not went_back:
            return None  # it goes on from there without them
        kept[row] = is_lower and not went_back
    return kept if not all(kept.values()) else None


def back_by_steps(points: Floats, loss: Floats, slopes: Floats) -> list[int]:
    """Return the rows at which the loss rose and behind which the next step leads straight down from the lower one.

    Examples
    --------
    >>> slope = np.array([1.0, 3.0])  # of x² / 2 + 3 y² / 2
    >>> points = np.array([[4.0, 1.0], [3.0, -3.0], [3.6, 0.5]])
    >>> back_by_steps(points, (slope * points**2).sum(axis=1) / 2, slope * points)
    []
    >>> points[2] = points[0] - 0.1 * slope * points[0]
    >>> back_by_steps(points, (slope * points**2).sum(axis=1) / 2, slope * points)
    [1]
    """
    if points.shape[1] < 2 or not (np.isfinite(points).all() and np.isfinite(slopes).all()):
        return []
    firsts = np.flatnonzero(np.concatenate([[len(points) > 0], (points[1:] != points[:-1]).any(axis=1)]))
    ends = np.append(firsts[1:], len(points))
    apart, losses, down = points[firsts], loss[firsts], -slopes[firsts]
    found: list[int] = []
    base = 0
    for k in range(1, len(apart) - 1):
        if losses[k] <= losses[base]:
            base = k
            continue
        from_base = apart[k + 1] - apart[base]
        least = _rounding(apart[k + 1], from_base)
        is_back = _is_along(from_base, down[base], least) and not leads_down(apart[k : k + 2], -down[k])
        went = apart[k] - apart[base]
        goes_on = _is_along(went, from_base, least) and abs(from_base).sum() > abs(went).sum()  # by the same gradient
        if is_back and not goes_on and least < _ALONG:
            found += range(firsts[k], ends[k])
        else:
            base = k
    return found


def leads_down(points: Floats, slope: Floats) -> bool:
    """Whether the step from the first of two points to the other may be one straight down the gradient there.

    >>> leads_down(np.array([[1.0, 2.0], [0.5, 1.0]]), np.array([2.0, 4.0]))
    True
    """
    step = points[1] - points[0]
    return float(step @ slope) <= 0 and _sine(step, slope) <= _BESIDE + _rounding(points[1], step)


def _is_along(one: Floats, other: Floats, rounding: float) -> bool:
    """Whether two ways lead in one direction."""
    return float(one @ other) > 0 and _sine(one, other) <= _ALONG + rounding


def _rounding(point: Floats, step: Floats) -> float:
    """Return the sine by which a step to a point is turned by rounding."""
    return _ROUNDING * float(np.abs(point).max()) / max(float(np.linalg.norm(step)), 1e-300)


def _sine(one: Floats, other: Floats) -> float:
    """Return the sine of the angle between the lines that two ways lie on, 0 where one of them is none."""
    size, length = float(np.linalg.norm(one)), float(np.linalg.norm(other))
    if not size or not length:
        return 0.0
    way = other / length
    return float(np.linalg.norm(one - (one @ way) * way)) / size
