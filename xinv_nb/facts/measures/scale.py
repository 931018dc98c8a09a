"""How a reader looks at a loss: on a plain or a logarithmic scale, and what can be seen on it.

Method: robust statistics, medians and quantiles, wherever single values are noise (Huber 1981).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FLAT = 0.02
"""A change of the loss below this share of the run's height is not seen."""
_SEEN = 0.04
"""The same on a logarithmic scale: a tenth of the loss."""
_HARDLY = 0.05
"""A change of the loss below this share both of itself and of its range is hardly any."""
_LOGARITHMIC = 50.0
"""Ratio of largest to smallest loss from which a reader, and the picture, looks at the loss on a logarithmic scale."""
_LOGARITHMIC_NOISE = 4.0
"""The same of the medians of a noisy loss: the noise of batches grows with the loss."""

Floats = NDArray[np.float64]


def hardly_changes(part: Floats, height: float) -> bool:
    """Whether the loss stays nearly the same, by its own measure and beside the `height` of the whole run."""
    return bool(np.ptp(part / 2) <= _HARDLY * min(abs(float(part[0])), height) / 2)


def quarters(part: Floats) -> tuple[float, float]:
    """Return the medians of the first and of the last quarter."""
    n = max(len(part) // 4, 1)
    return float(np.median(part[:n])), float(np.median(part[-n:]))


def visible_swing(loss: Floats) -> tuple[bool, float]:
    """Return whether these losses are looked at on a logarithmic scale, and how large a swing is seen on that scale."""
    logarithmic = is_logarithmic(loss)
    return logarithmic, visible(np.log10(loss) if logarithmic else loss, logarithmic=logarithmic)


def visible(seen: Floats, *, logarithmic: bool) -> float:
    """Return how large a change has to be to be seen on that scale."""
    return max(FLAT * float(np.ptp(seen)), _SEEN if logarithmic else 0.0)


def is_logarithmic(path: Floats) -> bool:
    """Whether a reader, and the picture, looks at these losses on a logarithmic scale."""
    return bool(path.min() > 0 and path.max() / path.min() > _LOGARITHMIC)


def fitted_curve(path: Floats) -> Floats:
    """Return the curve that the segments are fitted to: logarithmic, so that late progress counts as well."""
    if is_logarithmic(path):
        return np.log10(path)
    lowest, highest = float(path.min()), float(path.max())
    return np.asarray(np.log10((path / 2 - lowest / 2) / (highest / 2 - lowest / 2) + FLAT), dtype=np.float64)


def as_seen(path: Floats) -> Floats:
    """Return the loss on the scale of the picture: logarithmic, or as a share of its range."""
    return np.asarray(np.log10(path) if is_logarithmic(path) else path / 2 / float(np.ptp(path / 2)), np.float64)


def noise_as_seen(loss: Floats) -> Floats:
    """Return the loss as a reader looks at it if it is noisy: a single lucky draw does not make the scale."""
    usual = np.array([np.median(block) for block in np.array_split(loss, min(40, max(len(loss) // 5, 1)))])
    if is_logarithmic(loss) and usual.max() > _LOGARITHMIC_NOISE * usual.min():
        return np.asarray(np.log10(np.maximum(loss, usual.min() / 10)), dtype=np.float64)
    return loss / 2 / float(np.ptp(loss / 2))


def usual_height(seen: Floats) -> float:
    """Return the range of a loss without the highest and the lowest hundredth: one step from afar is no measure."""
    low, high = np.quantile(seen, [0.01, 0.99])
    return float(high - low)
