"""When two numbers are the same: within rounding, and within the size of the range that they lie in.

What is said of a run may not hang on the last bit that a processor rounds: a solver that ends at 0.49999999999999994
ends at its bound of 0.5.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_ROUNDING = 64 * float(np.finfo(np.float64).eps)
"""Share of their own size by which numbers differ that were meant to be the same."""
_OF_RANGE = 1e-9
"""Share of the range in which they lie by which they differ."""


def tolerance(size: float, span: float = 0.0) -> float:
    """Return by how much numbers of this size may differ and be the same, where they lie in a range of width `span`.

    >>> tolerance(0.5) < 1e-14 < tolerance(0.5, span=1.0)
    True
    """
    found = max(_ROUNDING * abs(size), _OF_RANGE * span)
    return found if math.isfinite(found) else 0.0


def same(one: float, other: float, span: float = 0.0) -> bool:
    """Whether two numbers are the same.

    >>> same(0.49999999999999994, 0.5), same(0.4999, 0.5)
    (True, False)
    """
    return one == other or abs(one - other) <= tolerance(max(abs(one), abs(other)), span)


def returned(values: NDArray[np.float64]) -> bool:
    """Whether values end where they began, but for what rounding makes of their sizes on the way.

    >>> returned(np.array([0.0, 3.0, -1e-16])), returned(np.array([0.0, 3.0, -1e-12]))
    (True, False)
    """
    return abs(float(values[-1] - values[0])) <= tolerance(float(np.abs(values).max()))


def is_constant(values: NDArray[np.float64]) -> bool:
    """Whether values are the same throughout.

    >>> is_constant(np.array([0.1 + 0.2, 0.3])), is_constant(np.array([0.3, 0.31]))
    (True, False)
    """
    return bool(len(values)) and same(float(values.min()), float(values.max()))
