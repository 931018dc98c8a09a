"""Where a curve turns, and whether it swings with a period.

Turning points are the extremes between which a value goes at least some distance (the hysteresis filter of rainflow
counting, Downing and Socie 1982), so that jitter is none. A swing is a stretch in which extremes follow each other
regularly: the period is twice their mean distance; the damping, the mean ratio of a swing to the one before, shows in
heavy-ball descent as the square root of the momentum for each iteration (Polyak 1964).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.iterates import Floats, Track

_JITTER = 4.0
"""Usual steps that a value goes at least between two turning points: what noise does in a few steps is no turn."""
MOST_TURNS = 6
"""Turns up to which they are worth to be told; more are noise, or a swing."""
_BLOCKS = 256
"""Stretches of a long run of which the extremes are looked at."""
_VISIBLE = 0.01
"""Share of its range from which a swing of a parameter can be seen."""
_REGULAR = 0.35
"""Relative standard deviation of the distances of extremes up to which they are regular."""
_FEWEST_SWINGS = 5
_MOST = 4
_FEWEST_ITERATES = 4


def moved_most(evidence: Evidence) -> list[Track]:
    """Return the parameters that moved on purpose, those first that matter most to the loss."""
    iterates = evidence.iterates
    if len(iterates) < _FEWEST_ITERATES:
        return []
    moved = [t for t in iterates.numbers if np.isfinite(t.range) and t.range > 0]
    moved = [t for t in moved if not t.wanders(0, len(iterates) - 1)]
    return sorted(moved, key=lambda t: -(t.range * float(np.mean(np.abs(t.slopes)))))[: 3 * _MOST]


def swinging(evidence: Evidence) -> list[tuple[Track, Swing]]:
    """Return the parameters that swing regularly."""
    return [(track, swing) for track in moved_most(evidence) if (swing := swing_of(track.values))]


def turning_points(values: Floats, least: float) -> list[int]:
    """Return the places of the first value, of the extremes between which it goes `least` or more, and of the last.

    >>> turning_points(np.array([0.0, 3.0, 2.9, 5.0, 1.0, 2.0]), 1.5)
    [0, 3, 5]
    >>> turning_points(np.array([0.0, 3.0, 2.9, 5.0, 1.0, 3.0]), 1.5)
    [0, 3, 4, 5]
    """
    places = _candidates(values)
    if len(places) < 3:
        return [0, len(values) - 1]
    kept = [0]
    extreme, direction = 0, 0
    for place, value in zip(places[1:].tolist(), values[places[1:]].tolist(), strict=True):
        gone = value - values[extreme]
        if direction == 0:
            if abs(value - values[0]) >= least:
                extreme, direction = place, 1 if value > values[0] else -1
        elif gone * direction >= 0:
            extreme = place
        elif abs(gone) >= least:
            kept.append(extreme)
            extreme, direction = place, -direction
    return [*kept, len(values) - 1]


def _candidates(values: Floats) -> NDArray[np.intp]:
    """Return the places of local extremes; in a long run, of those of each of some stretches."""
    count = len(values)
    if count > 4 * _BLOCKS:
        length = -(-count // _BLOCKS)
        padded = np.full(length * _BLOCKS, values[-1])
        padded[:count] = values
        blocks = padded.reshape(_BLOCKS, length)
        starts = np.arange(_BLOCKS) * length
        places = np.concatenate([starts + blocks.argmin(axis=1), starts + blocks.argmax(axis=1), [0, count - 1]])
        return np.unique(np.minimum(places, count - 1))
    return np.concatenate([[0], extremes(values), [count - 1]])


def extremes(values: Floats) -> NDArray[np.intp]:
    """Return the places at which the value turns, the first of those where it stays.

    >>> extremes(np.array([0.0, 2.0, 2.0, 1.0, 1.5]))
    array([1, 3])
    """
    changed = np.flatnonzero(np.diff(values))
    up = values[changed + 1] > values[changed]
    turns = np.flatnonzero(up[1:] != up[:-1])
    return np.asarray(changed[turns] + 1)


def turns_of(values: Floats, least: float) -> list[int]:
    """Return the places where a value turns to go at least that share of its range, and farther than it jitters."""
    jitter = _JITTER * float(np.median(np.abs(np.diff(values))))
    return turning_points(values, max(least * float(np.ptp(values)), jitter))[1:-1]


@dataclass(frozen=True)
class Swing:
    """A stretch in which a value goes to and fro regularly."""

    start: int
    """Place of its first extreme."""
    stop: int
    """Place of its last extreme."""
    period: float
    """Iterations of one to and fro."""
    ratio: float
    """Mean ratio of a swing, from one extreme to the next, to the one before."""
    first: float
    """Length of the first swing."""
    last: float


def swing_of(values: Floats) -> Swing | None:
    """Return the regular to and fro of a value; None where there is none.

    >>> k = np.arange(60)
    >>> swing = swing_of(0.95**k * np.cos(2 * np.pi * k / 10))
    >>> round(swing.period, 3), round(swing.ratio / 0.95**5, 2)
    (10.0, 1.0)
    """
    places = extremes(values)
    if len(places) < _FEWEST_SWINGS:
        return None
    lengths = np.abs(np.diff(values[places]))
    seen = np.flatnonzero(lengths >= _VISIBLE * float(np.ptp(values)))
    if len(seen) < _FEWEST_SWINGS - 1:
        return None
    a, b = int(seen[0]), int(seen[-1])
    lengths, apart = lengths[a : b + 1], np.diff(places[a : b + 2])
    regular = float(np.std(apart)) <= _REGULAR * float(np.mean(apart))
    if len(seen) < 0.8 * len(lengths) or not regular or not _smooth(lengths):
        return None
    order = np.arange(len(lengths))
    ratio = float(np.exp(np.polyfit(order, np.log(lengths), 1)[0]))
    period = 2 * float(np.mean(apart))
    return Swing(int(places[a]), int(places[b + 1]), period, ratio, float(lengths[0]), float(lengths[-1]))


def _smooth(lengths: Floats) -> bool:
    """Whether each swing is much like those beside it, as those of noise are not."""
    ratios = np.log(lengths[1:] / lengths[:-1])
    return bool(np.median(np.abs(ratios - np.median(ratios))) < 0.5)
