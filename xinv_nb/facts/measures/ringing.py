"""Where a curve rings: rises and falls by turns, each swing about as long as the one before.

Method: turning points that go back on the curve by more than a threshold (the zigzag of the rainflow count, ASTM
E1049); the loss of a heavy ball has a peak each half period of its parameter (Polyak 1964).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_FEWEST_PERIODS = 4
_ALIKE = 2.0
"""Factor by which one period may differ from the one before."""
_UNEVEN = 0.35
"""Spread of the periods, as a share of their mean, from which on they are noise: of white noise it is 0.37."""
_REBOUND = 0.5
"""Share of the falls that the rises have to win back, to be seen as more than a hem on a descent."""


def turning_points(curve: Floats, threshold: float) -> list[int]:
    """Return where the curve turns, leaving out turns that go back on it by less than `threshold`.

    Examples
    --------
    >>> turning_points(np.array([0.0, 3.0, 2.9, 5.0, 1.0, 4.0]), 0.5)
    [3, 4]
    """
    steps = np.sign(np.diff(curve))
    moving = np.flatnonzero(steps)
    turns = moving[1:][steps[moving[1:]] != steps[moving[:-1]]]
    places = [*turns.tolist(), len(curve) - 1]
    heights = curve[places].tolist()
    found: list[int] = []
    low = high = float(curve[0])
    low_at = high_at = 0
    way = 0  # 1 up, -1 down
    for place, height in zip(places, heights, strict=True):
        if height > high:
            high, high_at = height, place
        if height < low:
            low, low_at = height, place
        if way >= 0 and high - height > threshold:
            if way > 0 or high_at > 0:
                found.append(high_at)
            way, low, low_at = -1, height, place
            high, high_at = height, place
        elif way <= 0 and height - low > threshold:
            if way < 0 or low_at > 0:
                found.append(low_at)
            way, high, high_at = 1, height, place
            low, low_at = height, place
        elif way < 0:
            high, high_at = low, low_at
        elif way > 0:
            low, low_at = high, high_at
    return found


def ringing(curve: Floats, threshold: float) -> list[tuple[int, int]]:
    """Return the stretches in which `curve` swings by more than `threshold`, with an even period.

    Examples
    --------
    >>> k = np.arange(200)
    >>> ringing(np.where(k < 100, np.sin(k / 4), np.sin(25.0)), 0.1)
    [(0, 100)]
    """
    turns = np.array(turning_points(curve, threshold), dtype=int)
    if len(turns) < _FEWEST_PERIODS + 2:
        return []
    periods = turns[2:] - turns[:-2]
    jumps = np.maximum(periods[1:] / periods[:-1], periods[:-1] / periods[1:]) > _ALIKE
    edges = [0, *(np.flatnonzero(jumps) + 1).tolist(), len(periods)]
    found = []
    for first, stop in pairwise(edges):
        if stop - first < _FEWEST_PERIODS or not _is_even(periods[first:stop]):
            continue
        start, end = int(turns[first]), int(turns[stop + 1])
        before, after = int(periods[first]), int(periods[stop - 1])
        start = 0 if start <= before else start
        end = len(curve) if end + after >= len(curve) else end + after // 4
        swings = np.diff(curve[turns[first : stop + 2]])
        if swings[swings > 0].sum() > _REBOUND * -swings[swings < 0].sum():
            found.append((start, end))
    return found


def _is_even(periods: NDArray[np.intp]) -> bool:
    return float(periods.std()) < _UNEVEN * float(periods.mean())


def peaks(curve: Floats, threshold: float) -> list[int]:
    """Return the turning points at which the curve is higher than at those beside them."""
    turns = turning_points(curve, threshold)
    beside = [0, *turns, len(curve) - 1]
    return [t for t, before in zip(turns, beside, strict=False) if curve[t] > curve[before]]
