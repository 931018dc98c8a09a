"""Which numbers of a solver are the same to its own precision: what is told must not hang on how a processor rounds.

A solver gets to a bound by adding a step, so that it may end a unit in the last place beside it; where it evaluates
the point within its bounds, it reports the one beside them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_ROUNDING = 256 * np.finfo(float).eps
"""Share of a number that a few additions may round away."""
_OF_THE_WAY = 1e-12
"""Share of the way that a parameter has gone within which it is where it went: rounding grows with the steps."""


def nearness(value: NDArray[Any], way: NDArray[Any] | float = 0.0) -> NDArray[Any]:
    """Return how near to `value` a number counts as the same, after steps that went a `way`; both finite."""
    return np.asarray(_ROUNDING * np.abs(value) + _OF_THE_WAY * way)


def are_same(one: NDArray[Any], other: NDArray[Any], way: NDArray[Any] | float = 0.0) -> bool:
    """Whether two points are the same to the solver's precision.

    >>> are_same(np.array([0.5]), np.array([np.nextafter(0.5, 0)])), are_same(np.array([0.5]), np.array([0.50001]))
    (True, False)
    """
    if one.shape != other.shape:
        return False
    with np.errstate(invalid="ignore"):
        near = np.abs(one - other) <= nearness(np.maximum(np.abs(one), np.abs(other)), way)
    return bool(near.all()) or np.array_equal(one, other)


def sides(
    x: NDArray[Any], bounds: tuple[NDArray[Any], NDArray[Any]], reach: tuple[NDArray[Any], NDArray[Any]]
) -> NDArray[np.intp]:
    """Return for each parameter whether it is at its lower bound (-1), at its upper one (1), or at neither (0).

    `reach` is the lowest and the highest value that it has had. What both bounds fix is at neither.

    >>> sides(np.array([np.nextafter(0.5, 0), 0.4]), (np.zeros(2), np.full(2, 0.5)), (np.zeros(2), np.full(2, 0.5)))
    array([1, 0])
    """
    low, high = (np.broadcast_to(bound, x.shape) for bound in bounds)
    at_low, at_high = (x <= low + _near(low, reach)), (x >= high - _near(high, reach))
    return np.where(low == high, 0, np.where(at_low, -1, np.where(at_high, 1, 0)))


def _near(bound: NDArray[Any], reach: tuple[NDArray[Any], NDArray[Any]]) -> NDArray[Any]:
    finite = np.where(np.isfinite(bound), bound, 0.0)
    way = np.maximum(*(np.abs(extreme - finite) for extreme in reach))
    return nearness(finite, np.where(np.isfinite(way), way, 0.0))
