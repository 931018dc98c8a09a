"""What the recorded path says of the curvature of the loss, with each parameter measured by its own size.

Method: the symmetric matrix that best explains the change of the gradient over each accepted step near the end, in the
directions that the steps explored (secant pairs, as in Barzilai and Borwein 1988), and the combinations that no
recorded gradient ever pointed along (active subspaces, Constantine, Dow and Wang 2014).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from xinv_nb.facts.measures.combinations import TRACE, Combination, combination, simplest
from xinv_nb.facts.measures.iterates import Floats, Iterates
from xinv_nb.facts.measures.scales import sizes
from xinv_nb.facts.measures.secants import explored_by, fit
from xinv_nb.recorded.curvature import Curvature
from xinv_nb.recorded.run import RecordedRun

MOST_DIRECTIONS = 3
"""Combinations told of that are not determined."""
_NEVER = 1e-6
"""Share of a gradient along a direction up to which it does not point there."""
_LATEST = 2000
"""Steps that are read from a path."""
_NEARLY = 0.01
"""Sine of the angle up to which a direction lies in what the steps explored."""
_FAR = 1e-3
"""Share of the longest way of the run that it went in a direction at least, where it is explored: over less than that
a gradient that is rounded shows nothing."""
_NEAR_END = (0.1, 1e-3, 1e-5)
"""Shares of the fall of the loss that lie ahead of a step that is near the end: the nearer, the more the curvature
there is one and the same, and the fewer the steps."""


@dataclass(frozen=True)
class Estimate:
    """A curvature that was read from steps, and how sure it is."""

    curvature: Curvature
    errors: Floats
    """Standard errors of the eigenvalues."""
    first: int
    """The evaluation at which the first of these steps begins."""


class Path:
    """The accepted iterates and the gradients there, in sizes of the parameters."""

    def __init__(self, run: RecordedRun, iterates: Iterates) -> None:
        self.rows, self.loss = iterates.rows, run.loss[iterates.rows]
        self.scale = sizes(run, iterates)
        values, slopes = run.history.rows(iterates.rows), run.history.rows(iterates.rows, "gradients")
        self.is_usable = bool(values.dtype.kind != "c" and np.isfinite(values).all() and np.isfinite(slopes).all())
        """Whether all of it are finite real numbers."""
        self._values, self._slopes = values, slopes

    @cached_property
    def values(self) -> Floats:
        """The iterates."""
        return np.asarray(self._values / self.scale)

    @cached_property
    def slopes(self) -> Floats:
        """The gradients."""
        return np.asarray(self._slopes * self.scale)

    def never_asked(self) -> Iterator[tuple[Combination, bool]]:
        """Yield combinations along which the gradient was zero at all points; whether the steps went that way."""
        lengths = np.linalg.norm(self.slopes, axis=1)
        pulls = self.slopes[lengths > 1e-6 * lengths.max()]
        pulls = pulls / np.linalg.norm(pulls, axis=1)[:, None]
        width = len(self.scale)
        if len(pulls) < 2 * width:
            return
        shares, vectors = np.linalg.eigh(pulls.T @ pulls / len(pulls))
        alone = vectors[:, shares < 1e-13]
        if not 0 < alone.shape[1] < width or np.abs(pulls @ alone).max() > _NEVER:
            return
        steps = np.diff(self.values, axis=0)  # of the last little ones the pulls are not looked at either
        moved = np.linalg.norm(steps, axis=1)
        explored = explored_by(steps[moved > 1e-6 * moved.max()])
        _, reach, axes = np.linalg.svd(self.values - self.values[-1], full_matrices=False)
        far = axes[reach > _FAR * reach[0]].T
        for vector in simplest(alone).T[:MOST_DIRECTIONS]:
            move = combination(vector, self.scale, TRACE)
            if len(move.columns) > 1:  # one parameter without a gradient is told as such
                yield move, all(np.linalg.norm(vector - ways @ (ways.T @ vector)) < _NEARLY for ways in (explored, far))

    def estimate(self) -> Estimate | None:
        """Return what the change of the gradient over the steps near the end says of the curvature, if it does."""
        if not np.isfinite(self.loss).all():
            return None
        ahead = (self.loss[:-1] - self.loss.min()) / float(self.loss[0] - self.loss.min())
        steps, changes = np.diff(self.values, axis=0), np.diff(self.slopes, axis=0)
        lengths = np.linalg.norm(steps, axis=1)
        for limit in _NEAR_END:
            near = np.flatnonzero((ahead <= limit) & (lengths > 1e-9))[-_LATEST:]
            if len(near) < 3 * len(self.scale):
                return None
            explored = explored_by(steps[near])
            fitted = fit(*(rows[near] / lengths[near, None] @ explored for rows in (steps, changes)))
            if fitted is not None:
                values, vectors, errors = fitted
                directions = np.asarray(explored @ vectors)
                end, loss = int(self.rows[-1]), float(self.loss[-1])
                curvature = Curvature(end, loss, self.scale, self.slopes[-1], values, directions, "path")
                return Estimate(curvature, errors, int(self.rows[near[0]]))
        return None
