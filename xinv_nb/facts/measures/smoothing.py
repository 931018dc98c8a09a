"""A curve apart from its noise, and whether it clearly goes one way.

The noise is read from second differences, which a smooth curve hardly has: the upper quartile of their sizes over 1.15
and the square root of 6 (after Gasser, Sroka & Jennen-Steinmetz 1986). A part goes one way where the medians of up to
eight pieces of it follow a curve that only rises, or only falls, fitted by pooling neighbours (isotonic regression,
Ayer et al. 1955): noise that wanders makes such a row of pieces hardly ever.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinv_nb.facts.measures.iterates import Floats

_FEWEST = 8
"""Values from which on noise can be told from the curve."""
_FINE = 40.0
"""A noise is smoothed until it is that many times smaller than the range."""
_OUTLYING = 4.0
"""Times the noise from which on a single value is none of the curve."""
_HARDLY = 1e-3
"""Share of its range up to which a curve has hardly any noise."""
_BLOCKS = 24
"""Pieces by whose means noise is looked for that wanders."""
_NARROWEST = 3
_FEWEST_MEANS = 6
"""Stretches of their own that the means are of, at least."""
_CLEAR = 8.0
"""Times the noise of a mean that a change has to be: the extreme of many is chosen for being one."""
_PIECES = 8
_EXPLAINED = 0.9
"""Share of the squares that a curve that goes one way explains."""

_BEYOND = 0.1
"""Share of its range that a curve goes at least beyond both of its ends; or else"""
_OF_ITSELF = 0.03
"""the share of its lowest value."""


@dataclass(frozen=True)
class Smoothed:
    """A curve as the means of neighbours; the values themselves where they hardly have noise."""

    values: Floats
    width: int
    """How many neighbours each is the mean of."""
    noise: float
    """The standard deviation of one of them."""

    @property
    def is_noisy(self) -> bool:
        """Whether the values stand for others."""
        return self.width > 1

    def differ(self, one: int, other: int) -> bool:
        """Whether two places differ by more than noise makes."""
        return bool(abs(self.values[one] - self.values[other]) > _CLEAR * self.noise)


def smoothed(values: Floats) -> Smoothed:
    """Return a curve of finite numbers apart from its noise.

    >>> smoothed(np.linspace(0.0, 1.0, 50) ** 2).width
    1
    >>> curve = smoothed(np.linspace(0.0, 1.0, 200) + np.random.default_rng(0).normal(0, 0.1, 200))
    >>> curve.is_noisy, bool(abs(curve.values[100] - 0.5) < 0.1)
    (True, True)
    """
    count = len(values)
    if count < _FEWEST:
        return Smoothed(values, 1, 0.0)
    noise = max(_noise(values), _noise(values[-(count // 3) :]))  # it may grow
    low, high = np.quantile(values, [0.02, 0.98])
    if noise <= _HARDLY * (high - low):
        return Smoothed(values, 1, noise)
    most = (count // _FEWEST_MEANS + 1) // 2 * 2 - 1
    wanted = int(min((noise * _FINE / (high - low)) ** 2, most)) // 2 * 2 + 1 if high > low else 1
    width = max(min(max(wanted, _NARROWEST), most), 1)
    # Noise that wanders, as that of a walk of the parameters does, is smaller from one value to the next than later on.
    wandering = _noise(np.array([piece.mean() for piece in np.array_split(values, min(_BLOCKS, count // 2))]))
    of_a_mean = max(noise / width**0.5, wandering)
    values = _without_outliers(values, noise)
    return Smoothed(values if width == 1 else _running(values, width), width, of_a_mean)


def calms_down(values: Floats) -> bool:
    """Whether a curve has hardly any noise in its last third, whatever it does before.

    >>> calms_down(np.cos(np.arange(60.0)) * np.exp(-np.arange(60.0) / 6))
    True
    """
    return _noise(values[-(len(values) // 3) :]) <= _HARDLY * float(np.ptp(values))


def _without_outliers(values: Floats, noise: float) -> Floats:
    """Return the values with the median of their neighbours in the place of one that is far away from it."""
    padded = np.pad(values, 2, mode="reflect")
    medians = np.median(np.lib.stride_tricks.sliding_window_view(padded, 5), axis=1)
    return np.asarray(np.where(np.abs(values - medians) > _OUTLYING * noise, medians, values))


def _running(values: Floats, width: int) -> Floats:
    """Return the mean of as many neighbours of each value; towards the ends, of those nearest to them."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    means = (sums[width:] - sums[:-width]) / width
    return np.asarray(means[np.clip(np.arange(len(values)) - width // 2, 0, len(means) - 1)])


def _noise(values: Floats) -> float:
    """Return the standard deviation of the noise of values, also where they follow a smooth curve."""
    return float(np.quantile(np.abs(np.diff(values, 2)), 0.75)) / 1.15 / 6**0.5 if len(values) > 2 else 0.0


def goes_one_way(part: Floats) -> bool:
    """Whether a part rises, or falls, from its first to its last value, apart from noise; it may level off.

    >>> goes_one_way(np.array([0.0, 1.0, 1.5, 2.5, 2.4, 3.0])), goes_one_way(np.array([0.0, 3.0, 0.1, 2.9, 1.0]))
    (True, False)
    """
    pieces = np.array([np.median(piece) for piece in np.array_split(part, min(_PIECES, len(part)))])
    if pieces[-1] < pieces[0]:
        pieces = -pieces
    whole = float(((pieces - pieces.mean()) ** 2).sum())
    return whole > 0 and float(((pieces - _rising(pieces)) ** 2).sum()) <= (1 - _EXPLAINED) * whole


def _rising(values: Floats) -> Floats:
    """Return the nearest values that never fall, by least squares."""
    pools: list[tuple[float, int]] = []
    for value in values.tolist():
        pools.append((value, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (one, n), (other, m) = pools[-2:]
            pools[-2:] = [((n * one + m * other) / (n + m), n + m)]
    return np.repeat([mean for mean, _ in pools], [count for _, count in pools])


def farthest(curve: Smoothed) -> int | None:
    """Return the place where a curve is clearly beyond both of its ends, farther than elsewhere; None if it never is.

    >>> farthest(smoothed(np.array([3.87, 3.44, 3.6, 3.76])))
    1
    """
    values = curve.values
    low, high = int(np.argmin(values)), int(np.argmax(values))
    ends = float(values[0]), float(values[-1])
    below, above = min(ends) - float(values[low]), float(values[high]) - max(ends)
    place, beyond = (low, below) if below >= above else (high, above)
    is_seen = beyond > _BEYOND * float(np.ptp(values)) or (
        place == low and beyond > _OF_ITSELF * float(values[low]) > 0
    )
    if not is_seen or not (curve.differ(place, 0) and curve.differ(place, -1)):
        return None
    if curve.noise > _HARDLY * float(np.ptp(values)) and not (
        goes_one_way(values[: place + 1]) and goes_one_way(values[place:])
    ):
        return None
    return place
