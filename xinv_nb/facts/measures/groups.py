"""Groups of data along the accepted iterates: their residuals, and what each of them makes of the loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recorded.run import RecordedRun

Floats = NDArray[np.float64]

_EXACT = 1e-6
"""Share of the largest change up to which the groups have to add up to the change of the loss."""
_MORE = 2
"""Evaluations beyond the groups that it takes to see that they add up, and not by chance."""


@dataclass(frozen=True)
class Group:
    """One group of data at the accepted evaluations that are kept."""

    name: str
    evaluations: NDArray[np.intp]
    residuals: Floats
    """A row for each evaluation."""
    sigma: Floats | None
    best: int
    """The row of the lowest loss."""

    @property
    def squares(self) -> Floats:
        """The sum of squares in each evaluation, in units of the standard deviations where they are known."""
        weights = np.ones(self.residuals.shape[1]) if self.sigma is None else self.sigma**-2.0
        return np.asarray(np.einsum("ij,ij,j->i", self.residuals, self.residuals, weights))


def groups_of(run: RecordedRun) -> list[Group]:
    """Return the groups of data whose residuals are known in every accepted evaluation that is kept."""
    rows = run.iterates[np.isfinite(run.loss[run.iterates])]
    if not len(rows) or not run.history.data:
        return []
    best = len(rows) - 1 - int(np.argmin(run.loss[rows[::-1]]))  # the latest of those that are equally good
    places = np.searchsorted(run.kept, rows)
    found = []
    for name, group in run.history.data.items():
        residuals = group.residuals.array[places]
        if group.count and np.isfinite(residuals).all():
            found.append(Group(name, rows, residuals, group.sigma, best))
    return found


def parts_of_loss(groups: Sequence[Group], loss: Floats) -> Floats | None:
    """Return what each group makes of the loss, a row each, where a weight for each and a constant give it exactly.

    Examples
    --------
    >>> rows, residuals = np.arange(5), np.array([[4.0], [3.0], [2.0], [1.5], [1.0]])
    >>> groups = [Group("a", rows, residuals, None, 4), Group("b", rows, residuals[::-1] ** 2, None, 4)]
    >>> parts = parts_of_loss(groups, groups[0].squares / 2 + 3 * groups[1].squares + 7)
    >>> (parts[0][:2]).round(6).tolist()
    [8.0, 4.5]
    """
    squares = np.array([group.squares for group in groups])
    if squares.shape[1] < len(groups) + 1 + _MORE:
        return None
    scale = np.ptp(squares, axis=1)
    if not (scale > 0).all() or not np.isfinite(scale).all():
        return None
    design = np.vstack([squares / scale[:, None], np.ones(squares.shape[1])]).T
    weights, _, rank, _ = np.linalg.lstsq(design, loss, rcond=1e-9)
    off = np.abs(design @ weights - loss)
    if rank < len(weights) or (weights[:-1] <= 0).any() or off.max() > _EXACT * float(np.ptp(loss)):
        return None
    return np.asarray((weights[:-1] / scale)[:, None] * squares)
