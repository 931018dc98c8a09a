"""Cuts a curve into straight stretches.

Method: segmented least squares, solved exactly by dynamic programming (Bellman 1961; Bai & Perron 1998) on at most 160
points, the number of segments chosen by a BIC-like penalty. A floor on the residual variance keeps a smooth curve from
being cut into ever smaller pieces.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_POINTS = 160
_MOST_SEGMENTS = 5
_SHORTEST_START = 3
_RESIDUAL_FLOOR = 0.03
"""Residuals below this share of the curve's height do not count as misfit."""


def borders(curve: Floats, shortest: int, *, evenly: bool) -> list[int]:
    """Return the borders of the best segmentation of `curve`, its first and its last among them.

    `shortest` is the least number of points in a segment; the first may have three, as runs often begin with a drop.

    The curve is averaged to at most 160 points first: `evenly`, or half of them by the way that the curve goes up and
    down, so that a drop within ten evaluations out of many thousands is seen as well.

    Examples
    --------
    >>> borders(np.concatenate([np.linspace(9, 1, 50), np.full(50, 1.0)]), 3, evenly=True)
    [0, 49, 100]
    """
    height = float(np.ptp(curve))
    if height > 0:  # rounded, so that the unit of the loss cannot decide between two borders as good as each other
        curve = np.round((curve - curve.max()) / height, 9)
    edges = _edges(curve, evenly=evenly)
    sizes = np.diff(edges)
    points = np.add.reduceat(curve, edges[:-1]) / sizes
    places = (edges[:-1] + edges[1:] - 1) / 2
    m = len(points)
    least = min(max(shortest, m // 20), m)
    misfit = _misfits(places, points)
    floor = (_RESIDUAL_FLOOR * max(float(np.ptp(points)), 1e-12)) ** 2
    first = min(_SHORTEST_START, least)
    most = min(_MOST_SEGMENTS, 1 + (m - first) // least)
    best = np.full((most + 1, m + 1), np.inf)
    cut = np.zeros((most + 1, m + 1), dtype=int)
    best[0, 0] = 0.0
    for k in range(1, most + 1):
        for stop in range(first + (k - 1) * least, m + 1):
            starts = slice(first + (k - 2) * least, stop - least + 1) if k > 1 else slice(0, 1)
            totals = best[k - 1, starts] + misfit[starts, stop - 1]
            choice = int(np.argmin(totals))
            best[k, stop], cut[k, stop] = totals[choice], choice + starts.start
    scores = [m * np.log(best[k, m] / m + floor) + 3 * k * np.log(m) for k in range(1, most + 1)]
    found = [m]
    for k in range(int(np.argmin(scores)) + 1, 0, -1):
        found.append(int(cut[k, found[-1]]))
    return [int(edges[i]) for i in reversed(found)]


def _edges(curve: Floats, *, evenly: bool) -> NDArray[np.intp]:
    count = len(curve)
    if count <= _POINTS:
        return np.arange(count + 1)
    way = np.arange(1, count + 1) / count
    if not evenly:
        ups_and_downs = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(curve)))])
        way = (way + ups_and_downs / ups_and_downs[-1]) / 2 if ups_and_downs[-1] > 0 else way
    inner = np.searchsorted(way, np.arange(1, _POINTS) / _POINTS * way[-1], side="left")
    return np.unique(np.concatenate([[0], inner, [count]]))


def _misfits(x: Floats, points: Floats) -> Floats:
    """Return the sum of squared residuals of a straight line through points i…j, for all i and j."""
    m = len(points)
    x = (x - x[0]) / max(float(x[-1] - x[0]), 1.0)

    def between(column: Floats) -> Floats:
        total = np.concatenate([[0.0], np.cumsum(column)])
        return np.asarray(total[None, 1:] - total[:-1, None], dtype=np.float64)

    n = between(np.ones(m))
    with np.errstate(divide="ignore", invalid="ignore"):
        sx, sy = between(x), between(points)
        sxx = between(x * x) - sx * sx / n
        sxy = between(x * points) - sx * sy / n
        syy = between(points * points) - sy * sy / n
        residual = syy - np.where(sxx > 1e-15, sxy * sxy / np.where(sxx > 1e-15, sxx, 1.0), 0.0)
    return np.where(n > 0, np.maximum(residual, 0.0), np.inf)
