"""Whether the losses that a search without gradients compares scatter: also of points next to each other.

Method: neighbours in a smooth function differ the less, the nearer they are; draws of a noise do not. So the losses of
the nearest pairs among the last points are compared with those of pairs that lie many times as far apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_MOST = 200
_FEWEST = 12
"""Distinct points that it takes."""
_FARTHER = 10.0
"""How many times as far apart the farther pairs have to be."""
_AS_MUCH = 0.25
"""Share of the farther pairs' differences from which on the nearer ones are of noise."""
_APART_IN_RANK = 0.2
"""Mean difference of neighbours' ranks, as a share of all: it is a third where their losses have nothing in common."""


@dataclass(frozen=True)
class Neighbours:
    """How the losses of neighbours differ."""

    count: int
    """How many of the last points were looked at."""
    near: float
    """How far apart the nearer neighbours are."""
    far: float
    """How far apart the farther ones are."""
    of_near: float
    """By how much the losses of the nearer ones differ."""
    changes: Floats
    """The same, of each."""


def scatter_of_neighbours(points: Floats, loss: Floats, floor: float) -> Neighbours | None:
    """Return how losses of neighbours differ where they do so by more than `floor`, however near they are.

    >>> dice = np.random.RandomState(0)
    >>> points = 2.0 ** -np.linspace(0, 20, 60)[:, None] * dice.randn(60, 2)
    >>> scatter_of_neighbours(points, (points**2).sum(axis=1), 1e-12) is None
    True
    >>> scatter_of_neighbours(points, (points**2).sum(axis=1) + 0.1 * dice.randn(60), 1e-12).count
    30
    """
    if not (np.isfinite(points).all() and np.isfinite(loss).all()):
        return None
    latest = min(max(len(loss) // 2, 20), _MOST)
    points, firsts = np.unique(points[-latest:], axis=0, return_index=True)
    loss = loss[-latest:][firsts]
    if len(loss) < _FEWEST:
        return None
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    neighbour = apart.argmin(axis=1)
    lengths, changes = apart.min(axis=1), np.abs(loss - loss[neighbour])
    order, third = np.argsort(lengths), len(loss) // 3
    near, far = order[:third], order[-third:]
    ranks = np.argsort(np.argsort(loss))
    of_near, of_far = float(np.median(changes[near])), float(np.median(changes[far]))
    is_noise = (
        lengths[far].mean() >= _FARTHER * lengths[near].mean()
        and of_near > max(_AS_MUCH * of_far, floor)
        and float(np.abs(ranks - ranks[neighbour]).mean()) > _APART_IN_RANK * len(loss)
    )
    if not is_noise:
        return None
    return Neighbours(latest, float(np.median(lengths[near])), float(np.median(lengths[far])), of_near, changes[near])
