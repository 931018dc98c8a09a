"""Where the course of the loss changes its character.

Method: segmented least squares on the logarithm of the distance to the lowest loss, solved exactly by dynamic
programming (Bellman 1961; Bai & Perron 1998) on at most 160 averaged points, the number of segments chosen by a
BIC-like penalty. A floor on the residual variance keeps a smooth curve from being cut into ever smaller pieces.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from xinv_nb.run import Phase

_POINTS = 160
_MOST_SEGMENTS = 5
_RESIDUAL_FLOOR = 0.03
"""Residuals below this share of the curve's height do not count as misfit."""
_FLAT = 0.02
"""A change below this share of the run's whole range is called flat."""

Floats = NDArray[np.float64]


def find_phases(loss: Floats) -> list[Phase]:
    """Return the phases of a run from its losses, without gaps, from the first evaluation to the last.

    Examples
    --------
    >>> [p.kind for p in find_phases(np.full(10, 3.0))]
    ['plateau']
    """
    count = len(loss)
    if count == 0:
        return []
    if count == 1:
        return [Phase(0, 1, "start", "one evaluation")]
    finite = np.isfinite(loss)
    if not finite.all():
        return _with_breakdown(loss, int(np.argmin(finite)))
    # Not the whole range: a line search may try points far above the way that it takes.
    height = float(max(loss[0], loss[-1]) - loss.min())
    if height <= 1e-12 * max(float(np.abs(loss).max()), 1e-300):
        return [Phase(0, count, "plateau", "constant")]
    borders = _borders(_curve(loss, height))
    spans = _to_evaluations(borders, count)
    return _merged([_phase(loss, a, b, height, spans) for a, b in spans])


def _with_breakdown(loss: Floats, first_bad: int) -> list[Phase]:
    """Split a run at the first loss that is no number."""
    before = find_phases(loss[:first_bad])
    return [*before, Phase(first_bad, len(loss), "divergence", "not a number")]


def _curve(loss: Floats, height: float) -> Floats:
    """Return the curve that the segments are fitted to: logarithmic, so that late progress counts as well."""
    lowest = float(loss.min())
    capped = np.minimum(loss, lowest + height)
    if lowest > 0 and capped[0] / lowest > 1e3:
        return np.log10(capped)
    return np.asarray(np.log10((capped - lowest) / height + _FLAT), dtype=np.float64)


def _borders(curve: Floats) -> list[int]:
    """Return borders of the best segmentation, as positions among at most `_POINTS` averaged points."""
    points = _averaged(curve)
    m = len(points)
    least = max(3, m // 20) if m >= 6 else m
    misfit = _misfits(points)
    floor = (_RESIDUAL_FLOOR * max(float(np.ptp(points)), 1e-12)) ** 2
    best = np.full((_MOST_SEGMENTS + 1, m + 1), np.inf)
    cut = np.zeros((_MOST_SEGMENTS + 1, m + 1), dtype=int)
    best[0, 0] = 0.0
    for k in range(1, _MOST_SEGMENTS + 1):
        for stop in range(k * least, m + 1):
            starts = np.arange((k - 1) * least, stop - least + 1)
            totals = best[k - 1, starts] + misfit[starts, stop - 1]
            choice = int(np.argmin(totals))
            best[k, stop], cut[k, stop] = totals[choice], starts[choice]
    scores = [m * np.log(best[k, m] / m + floor) + 3 * k * np.log(m) for k in range(1, _MOST_SEGMENTS + 1)]
    segments = int(np.argmin(scores)) + 1
    borders = [m]
    for k in range(segments, 0, -1):
        borders.append(int(cut[k, borders[-1]]))
    return [round(b * len(curve) / m) for b in reversed(borders)]


def _averaged(curve: Floats) -> Floats:
    if len(curve) <= _POINTS:
        return curve
    edges = np.linspace(0, len(curve), _POINTS + 1).astype(int)
    return np.asarray(np.add.reduceat(curve, edges[:-1]) / np.diff(edges), dtype=np.float64)


def _misfits(points: Floats) -> Floats:
    """Return the sum of squared residuals of a straight line through points i…j, for all i and j."""
    m = len(points)
    x = np.arange(m, dtype=float)

    def between(column: Floats) -> Floats:
        total = np.concatenate([[0.0], np.cumsum(column)])
        return np.asarray(total[None, 1:] - total[:-1, None], dtype=np.float64)

    n = between(np.ones(m))
    with np.errstate(divide="ignore", invalid="ignore"):
        sx, sy = between(x), between(points)
        sxx = between(x * x) - sx * sx / n
        sxy = between(x * points) - sx * sy / n
        syy = between(points * points) - sy * sy / n
        residual = syy - np.where(sxx > 0, sxy * sxy / np.where(sxx > 0, sxx, 1.0), 0.0)
    return np.where(n > 0, np.maximum(residual, 0.0), np.inf)


def _to_evaluations(borders: list[int], count: int) -> list[tuple[int, int]]:
    borders = sorted({0, count, *(min(max(b, 0), count) for b in borders)})
    return list(pairwise(borders))


def _phase(loss: Floats, start: int, stop: int, height: float, spans: list[tuple[int, int]]) -> Phase:
    change = _change(loss, start, stop) / height
    is_last = stop == len(loss)
    if _oscillates(loss[start:stop], height):
        return Phase(start, stop, "oscillation", "oscillation")
    if change > 5 * _FLAT:
        return Phase(start, stop, "divergence", "rising loss")
    if abs(change) < _FLAT:
        return Phase(start, stop, *(("converged", "settled") if is_last and start > 0 else ("plateau", "plateau")))
    if change > 0:
        return Phase(start, stop, "plateau", "slight rise")
    speed = -_change(loss, start, stop) / (stop - start)
    fastest = max(-_change(loss, a, b) / (b - a) for a, b in spans)
    if speed < 0.15 * fastest:
        return Phase(start, stop, "slow valley", "slow valley")
    fast = speed >= 0.6 * fastest and len(spans) > 1
    return Phase(start, stop, "descent", "fast descent" if fast else "descent")


def _change(loss: Floats, start: int, stop: int) -> float:
    """Return the loss at the end of a span less that at its beginning; the end is where the next span begins."""
    return float(loss[min(stop, len(loss) - 1)] - loss[start])


def _oscillates(loss: Floats, height: float) -> bool:
    """Whether the loss goes up and down by turns, by an amount that a reader would see."""
    if len(loss) < 6:
        return False
    steps = np.diff(loss)
    turns = np.mean(np.sign(steps[1:]) * np.sign(steps[:-1]) < 0)
    return bool(turns > 0.6 and np.median(np.abs(steps)) > _FLAT * height)


def _merged(phases: list[Phase]) -> list[Phase]:
    """Join neighbours of one kind and label."""
    joined = phases[:1]
    for phase in phases[1:]:
        last = joined[-1]
        if (phase.kind, phase.label) == (last.kind, last.label):
            joined[-1] = Phase(last.start, phase.stop, phase.kind, phase.label)
        else:
            joined.append(phase)
    return joined
