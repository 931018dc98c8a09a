"""Where the course of the loss changes its character.

Method: segmented least squares on a logarithmic curve of the loss, solved exactly by dynamic programming (Bellman 1961;
Bai & Perron 1998) on at most 160 averaged points, the number of segments chosen by a BIC-like penalty. A floor on the
residual variance keeps a smooth curve from being cut into ever smaller pieces; neighbours of one character are joined.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from xinv_nb.run import Phase

_POINTS = 160
_MOST_SEGMENTS = 5
_FEWEST = 12
"""Evaluations below which a run is not cut."""
_RESIDUAL_FLOOR = 0.03
"""Residuals below this share of the curve's height do not count as misfit."""
_FLAT = 0.02
"""A change of the loss below this share of the run's height is not seen."""
_CONSTANT = 1e-6
"""A loss that varies by less than this share of itself is constant: six digits do not show it."""
_LEVEL = 0.05
"""A segment that changes the curve by less than this share of its range, and by less than a factor of 2, is flat."""
_HARDLY = 0.05
"""A change of the loss below this share both of itself and of its range is hardly any."""
_SLOW = 0.2
"""A descent below this share of the fastest, on the curve, is slow."""
_LOGARITHMIC = 50.0
"""Ratio of largest to smallest loss from which a reader, and the picture, looks at the loss on a logarithmic scale."""
_SHORTEST_NOISY = 20
"""Points that it takes at least to tell a trend from noise."""
_LONGEST_TRIAL = 3
"""Evaluations in a row that an optimizer may try and reject."""
_STILL_STEEP = 0.05
"""A run whose last gradient is above this share of its usual size has not converged."""

Floats = NDArray[np.float64]


def find_phases(loss: Floats, slopes: Floats | None = None) -> list[Phase]:
    """Return the phases of a run from its losses, without gaps, from the first evaluation to the last.

    `slopes`, the sizes of the gradients, tell a run that has converged from one that only stands still.

    Examples
    --------
    >>> [p.kind for p in find_phases(np.full(10, 3.0))]
    ['plateau']
    """
    count = len(loss)
    if count == 0:
        return []
    usable = np.flatnonzero(np.isfinite(loss))
    if len(usable) == 0:
        return [Phase(0, count, "divergence", _unusable(loss))]
    if count == 1:
        return [Phase(0, 1, "start", "one evaluation")]
    stop = int(usable[-1]) + 1
    if stop < count:
        before = find_phases(loss[:stop], None if slopes is None else slopes[:stop])
        return [*before, Phase(stop, count, "divergence", _unusable(loss[stop:]))]
    with np.errstate(over="ignore"):
        return _phases_of(_filled(loss, usable), slopes)


def last_of(phase: Phase, loss: Floats) -> int:
    """Return the evaluation at which a phase's story ends: where the next begins, if the loss is a number there."""
    if phase.stop < len(loss) and np.isfinite(loss[phase.stop]):
        return phase.stop
    return phase.stop - 1


def hardly_changes(part: Floats, height: float) -> bool:
    """Whether the loss stays nearly the same, by its own measure and beside the `height` of the whole run."""
    return bool(np.ptp(part / 2) <= _HARDLY * min(abs(float(part[0])), height) / 2)


def _unusable(loss: Floats) -> str:
    if np.isnan(loss).all():
        return "not a number"
    return "infinite" if np.isinf(loss).all() else "not a finite number"


def _filled(loss: Floats, usable: NDArray[np.intp]) -> Floats:
    """Put the finite loss before it, or else after it, in the place of one that is none: a trial that failed."""
    places = np.searchsorted(usable, np.arange(len(loss)), side="right") - 1
    return loss[usable[np.maximum(places, 0)]]


# ---------------------------------------------------------------------- cutting


def _phases_of(loss: Floats, slopes: Floats | None) -> list[Phase]:
    """Return the phases of finite losses."""
    count = len(loss)
    if np.ptp(loss / 2) <= _CONSTANT * float(np.abs(loss / 2).max()):
        return [Phase(0, count, "plateau", "constant")]
    trials = _trials(loss)
    path = np.where(trials, np.minimum.accumulate(loss), loss)
    if path.min() == path.max():
        return [Phase(0, count, "plateau", "plateau")]
    noisy = bool(_swings(loss, 2 * float(np.ptp(path / 2))))
    if noisy:  # what sticks out is no trial then, and a logarithm would blow up the noise about the lowest loss
        trials, path = np.zeros(count, dtype=bool), loss
    curve = path / 2 / float(np.ptp(path / 2)) if noisy else _curve(path)
    borders = _borders(curve, _SHORTEST_NOISY if noisy else 3) if count >= _FEWEST else [0, count]
    borders = sorted({_not_a_trial(b, trials) for b in borders})
    cuts = [_segment(path, curve, a, b) for a, b in pairwise(borders)]
    segments = cuts[:1]
    for cut in cuts[1:]:
        if cut.character == segments[-1].character == "flat":
            segments[-1] = replace(segments[-1], stop=cut.stop)
        else:
            segments.append(cut)
    return _joined(_named(segments, settled=_has_settled(slopes), above=loss[-1] > loss[0]))


def _trials(loss: Floats) -> NDArray[np.bool_]:
    """Find evaluations that stick out upwards and were taken back at once, as a line search tries points.

    Where most of the run is like that, the optimizer does go up and down, and none is a trial.
    """
    lowest = np.minimum.accumulate(loss)
    above = np.concatenate([[False], loss[1:] > lowest[:-1]])
    edges = np.flatnonzero(np.diff(np.concatenate([[False], above, [False]]).astype(int)))
    found = np.zeros(len(loss), dtype=bool)
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        if stop - start <= _LONGEST_TRIAL and stop < len(loss):
            found[start:stop] = True
    return found if found.mean() < 0.35 else np.zeros(len(loss), dtype=bool)


def _not_a_trial(border: int, trials: NDArray[np.bool_]) -> int:
    while border < len(trials) and trials[border]:
        border += 1
    return border


def _curve(path: Floats) -> Floats:
    """Return the curve that the segments are fitted to: logarithmic, so that late progress counts as well."""
    if _on_logarithmic_scale(path):
        return np.log10(path)
    lowest, highest = float(path.min()), float(path.max())
    return np.asarray(np.log10((path / 2 - lowest / 2) / (highest / 2 - lowest / 2) + _FLAT), dtype=np.float64)


def _on_logarithmic_scale(path: Floats) -> bool:
    return bool(path.min() > 0 and path.max() / path.min() > _LOGARITHMIC)


def _borders(curve: Floats, shortest: int) -> list[int]:
    """Return borders of the best segmentation, fitted to at most `_POINTS` averaged points."""
    points = _averaged(curve)
    m = len(points)
    least = min(max(shortest, m // 20), m)
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


# ---------------------------------------------------------------------- naming


@dataclass(frozen=True)
class _Segment:
    """A stretch of the run and what is seen in it."""

    start: int
    stop: int
    character: str
    """Flat, falling, rising, oscillating, or noisy while falling, rising or flat."""
    speed: float = 0.0
    """Fall of the curve in one evaluation."""
    plain_speed: float = 0.0
    """The same of the loss as a reader looks at it, on a plain or a logarithmic scale."""


def _segment(path: Floats, curve: Floats, start: int, stop: int) -> _Segment:
    half = float(np.ptp(path / 2))
    height = 2 * half
    if swings := _swings(path[start:stop], height):
        return _Segment(start, stop, swings)
    end = min(stop, len(path) - 1)
    seen = curve if _on_logarithmic_scale(path) else path / 2 / half
    change, plain_change = (float(c[end] - c[start]) for c in (curve, seen))
    level = abs(change) < min(_LEVEL * float(np.ptp(curve)), np.log10(2.0))
    unseen = seen is not curve and abs(plain_change) < _FLAT
    if level or unseen or hardly_changes(path[start : end + 1], height):
        return _Segment(start, stop, "flat")
    steps = end - start
    return _Segment(start, stop, "rising" if change > 0 else "falling", -change / steps, -plain_change / steps)


def _swings(part: Floats, height: float) -> str:
    """Say whether the loss goes up and down by amounts that a reader would see, and where it goes meanwhile."""
    if len(part) < 6:
        return ""
    steps = np.diff(part)
    turns = float(np.mean(np.sign(steps[1:]) * np.sign(steps[:-1]) < 0))
    swing = float(np.median(np.abs(steps)))
    if turns < 0.45 or swing < _FLAT * height:
        return ""
    early, late = quarters(part)
    trend = late - early
    if turns > 0.85 and abs(trend) < swing:
        return "oscillating"
    if abs(trend) < swing * max(1.0, 8 / np.sqrt(len(part))):  # medians of few are noisy as well
        return "noisy and flat"
    return "noisy and rising" if trend > 0 else "noisy and falling"


def quarters(part: Floats) -> tuple[float, float]:
    """Return the medians of the first and of the last quarter."""
    n = max(len(part) // 4, 1)
    return float(np.median(part[:n])), float(np.median(part[-n:]))


def _has_settled(slopes: Floats | None) -> bool:
    """Whether the last gradient is small beside those that the run began with."""
    if slopes is None:
        return True
    known = slopes[np.isfinite(slopes)]
    return len(known) > 0 and bool(slopes[-1] <= _STILL_STEEP * max(float(slopes[0]), float(np.median(known))))


def _named(segments: list[_Segment], *, settled: bool, above: bool) -> list[Phase]:
    """Name the segments; `above` tells that the run ended at a higher loss than it began with."""
    fastest, steepest = (max(getattr(s, name) for s in segments) for name in ("speed", "plain_speed"))
    slow = [
        s.character == "falling" and s.speed < _SLOW * fastest and s.plain_speed < _SLOW * steepest for s in segments
    ]
    fast = "fast descent" if any(slow) else "descent"
    phases = []
    for i, segment in enumerate(segments):
        kind, label = {
            "flat": ("plateau", "plateau"),
            "falling": ("slow descent", "slow descent") if slow[i] else ("descent", fast),
            "rising": ("rise", "rising loss"),
            "oscillating": ("oscillation", "oscillation"),
            "noisy and flat": ("plateau", "noisy plateau"),
            "noisy and falling": ("descent", "noisy descent"),
            "noisy and rising": ("rise", "noisy rise"),
        }[segment.character]
        if i == len(segments) - 1:
            if kind == "plateau" and label == "plateau" and i > 0:
                kind, label = ("converged", "settled") if settled else ("plateau", "levelled off")
            elif kind == "rise" and above and not settled:
                kind = "divergence"
        phases.append(Phase(segment.start, segment.stop, kind, label))
    return phases


def _joined(phases: list[Phase]) -> list[Phase]:
    """Join neighbours of one kind and label."""
    joined = phases[:1]
    for phase in phases[1:]:
        last = joined[-1]
        if (phase.kind, phase.label) == (last.kind, last.label):
            joined[-1] = Phase(last.start, phase.stop, phase.kind, phase.label)
        else:
            joined.append(phase)
    return joined
