"""Points at which a program took derivatives that are no gradient of a loss: second derivatives, a Jacobian.

A loop of Newton's or of Levenberg and Marquardt's takes them where it steps from, and not where it only tried to go.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_MOST = 10_000
"""Points that are noted."""
_LARGEST = 1000
"""Numbers of a point up to which it is."""


class DerivedPoints:
    """The points of one recording at which such derivatives were taken, with when that was."""

    def __init__(self) -> None:
        self._noted: list[tuple[int, int]] = []

    def add(self, point: Any, evaluations: int) -> None:
        """Take note of a point, after so many evaluations."""
        if type(point) is np.ndarray and point.dtype == np.float64 and point.size <= _LARGEST and self._has_room:
            self._noted.append((bits(point), evaluations))

    @property
    def _has_room(self) -> bool:
        return len(self._noted) < _MOST

    def times(self) -> dict[int, list[int]]:
        """Return after how many evaluations derivatives were taken at a point, by its `bits`."""
        found: dict[int, list[int]] = {}
        for point, evaluations in self._noted:
            found.setdefault(point, []).append(evaluations)
        return found


def bits(point: np.ndarray[Any, Any]) -> int:
    """Return a number that tells points apart, whatever their shape.

    >>> bits(np.array([[1.0, 2.0]])) == bits(np.array([1.0, 2.0]))
    True
    """
    return hash(point.tobytes())
