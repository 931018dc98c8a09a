"""Compares the gradient of an objective with its values, over steps of several lengths.

Method: central differences at falling step lengths (a Taylor test). With a right gradient they come to its slope; with
a wrong one they settle elsewhere; over a kink those to either side settle apart; over noise and jumps they never do.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recording.reevaluating import Reevaluated

Floats = NDArray[np.float64]

_LENGTHS = (0.1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
"""Step lengths, in sizes of the parameters."""
_ROUNDING = 8 * float(np.finfo(np.float64).eps)
_RIGHT, _SETTLED, _WRONG = 1e-3, 1e-3, 0.02
"""Shares by which a difference fits the gradient, by which two differences fit each other, and from which they do
not fit the gradient."""


@dataclass(frozen=True)
class Slope:
    """What the slope along one direction is by the gradient, and by the values."""

    verdict: str
    promised: float
    measured: float


def compared(objective: Reevaluated, x: Floats, gradient: Floats, scale: Floats, direction: Floats) -> Slope:
    """Return what the values of an objective say of its gradient at a point, along a direction in sizes."""
    slope = gradient * scale
    promised, size = float(slope @ direction), float(np.linalg.norm(slope * (direction != 0)))
    middle = objective.value(x)
    sides: list[tuple[float, float, float]] = []
    for length in _LENGTHS:
        step = length * scale * direction
        ahead, behind = objective.value(x + step), objective.value(x - step)
        rounding = _ROUNDING * (abs(ahead) + abs(behind) + abs(middle)) / length
        if not np.isfinite(rounding):
            continue
        central = (ahead - behind) / (2 * length)
        if abs(central - promised) <= _RIGHT * max(abs(promised), size) + rounding:
            return Slope("right", promised, central)
        if rounding > _SETTLED * max(abs(central), _WRONG * size):
            break
        sides.append(((ahead - middle) / length, (middle - behind) / length, central))
    for one, two in itertools.pairwise(sides):
        if all(abs(a - b) <= 10 * _SETTLED * max(abs(b), size) for a, b in zip(one, two, strict=True)):
            forward, backward, central = two
            if abs(forward - backward) > _WRONG * max(abs(forward), abs(backward)):
                return Slope("kinked", promised, central)
            if abs(central - promised) > _WRONG * max(abs(central), size):
                return Slope("wrong", promised, central)
    return Slope("unknown", promised, promised)
