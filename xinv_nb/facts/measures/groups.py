"""Groups of data along the accepted iterates: their residuals, and what each of them makes of the loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recorded.run import RecordedRun

Floats = NDArray[np.float64]

_MOST_ROWS = 1000
"""Evaluations that are looked at of a long run: residuals may be many."""
_EXACT = 1e-6
"""Share of the largest change up to which the groups have to add up to the change of the loss."""
_STRANGE = 1e-4
"""Share of its range by which a function of the parameters alone has to differ from all that the groups can give."""
_MOST_STRANGERS = 100
_MORE = 2
"""Evaluations beyond the groups that it takes to see that they add up, and not by chance."""


@dataclass(frozen=True)
class Group:
    """One group of data at accepted evaluations: all that are kept, or some of many."""

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
    """Return the groups of data whose residuals are known in every accepted evaluation that is looked at."""
    rows = run.iterates[np.isfinite(run.loss[run.iterates])]
    if not len(rows) or not run.history.data:
        return []
    lowest = len(rows) - 1 - int(np.argmin(run.loss[rows[::-1]]))  # the latest of those that are equally good
    chosen = some_of(len(rows), lowest)
    rows, best = rows[chosen], int(np.searchsorted(chosen, lowest))
    places = np.searchsorted(run.kept, rows)
    found = []
    for name, group in run.history.data.items():
        residuals = group.residuals.array[places]
        if group.count and np.isfinite(residuals).all():
            found.append(Group(name, rows, residuals, group.sigma, best))
    return found


def some_of(count: int, also: int) -> NDArray[np.intp]:
    """Return the places of some of many rows: the first, the last, and one `also`; all of them where they are few.

    >>> some_of(3, 1).tolist(), len(some_of(10**6, 777_777)) <= 1001
    ([0, 1, 2], True)
    """
    return np.unique(np.append(np.linspace(0, count - 1, min(count, _MOST_ROWS)).astype(np.intp), also))


def parts_of_loss(groups: Sequence[Group], loss: Floats, points: Floats) -> Floats | None:
    """Return what each group makes of the loss, a row each, where a weight for each and a constant give it exactly.

    The weights that are usual are tried before any others. They have to be the only ones: where the same groups would
    also give a function of the parameters that has nothing to do with them, such as a penalty, nothing is known.

    Examples
    --------
    >>> points = np.array([[4.0, 1.0], [3.0, 3.0], [2.0, 2.0], [1.5, 0.5], [1.0, 0.0], [0.0, 1.0]])
    >>> groups = [Group(n, np.arange(6), points[:, [k]] - 1, None, 5) for k, n in enumerate("ab")]
    >>> parts = parts_of_loss(groups, groups[0].squares / 2 + 3 * groups[1].squares + 7, points)
    >>> parts[:, :2].round(6).tolist()
    [[4.5, 2.0], [0.0, 12.0]]
    """
    squares = np.array([group.squares for group in groups])
    if not np.isfinite(squares).all() or not np.isfinite(points).all():
        return None
    sizes = np.array([group.residuals.shape[1] for group in groups])[:, None]
    for usual in (squares, squares / sizes):
        if (weight := _weights(usual.sum(axis=0)[None], loss, points)) is not None:
            return np.asarray(weight[0] * usual)
    weights = _weights(squares, loss, points)
    return None if weights is None else np.asarray(weights[:, None] * squares)


def _weights(parts: Floats, loss: Floats, points: Floats) -> Floats | None:
    """Return the positive weights with which parts and a constant give the loss, where there are no others."""
    if len(loss) < len(parts) + 1 + _MORE:
        return None
    scale = np.ptp(parts, axis=1)
    if not (scale > 0).all():
        return None
    design = np.vstack([parts / scale[:, None], np.ones(len(loss))]).T
    strangers = np.column_stack([points, points**2])[:, :_MOST_STRANGERS]
    wanted = np.column_stack([loss, strangers[:, np.ptp(strangers, axis=0) > 0]])
    weights, _, rank, _ = np.linalg.lstsq(design, wanted, rcond=1e-9)
    off = np.abs(design @ weights - wanted).max(axis=0) / np.ptp(wanted, axis=0)
    own = weights[:-1, 0]
    is_only = rank == len(weights) and bool((off[1:] > _STRANGE).all())
    return np.asarray(own / scale) if is_only and off[0] <= _EXACT and (own > 0).all() else None
