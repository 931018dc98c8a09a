"""How well second derivatives determine parameters, with each measured by its own effect on the loss.

A curvature in the units that a parameter happens to have says nothing, and one by its own size little: a parameter
whose best value is near 0 has no size. Divided by the square roots of its diagonal, the Hessian becomes a matrix of
which the eigenvalues tell only how far parameters can make up for each other (collinearity: Belsley, Kuh & Welsch
1980).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.recorded.curvature import Curvature

_ROUNDING = 1e-9
"""Eigenvalue, as a share of the largest, that is rounding."""
_COLLINEAR = 1e-4
"""Curvature of a direction beside what its parameters have each by itself, from which they hardly make up for each
other: less than that only the slope that is left, or the loss that is left, can make of nothing."""
_LEVEL = 1e-3
"""Share of the slope that may lie along a direction in which the loss does not change."""
_NEWTON = 0.05
"""Newton step along it, in sizes of the parameters, from which on the end is not yet at its minimum there."""


@dataclass(frozen=True)
class Determination:
    """What complete second derivatives say of the parameters together."""

    curvature: Curvature

    @cached_property
    def matrix(self) -> Floats:
        """The Hessian in sizes of the parameters."""
        vectors = self.curvature.vectors
        return np.asarray((vectors * self.curvature.values) @ vectors.T)

    @cached_property
    def effects(self) -> Floats:
        """The root of each parameter's own curvature; 0 where it has none."""
        return np.asarray(np.sqrt(np.maximum(np.diag(self.matrix), 0.0)))

    def collinearity(self, direction: Floats) -> float:
        """Return the curvature along a direction beside what it would be if no parameter made up for another.

        >>> one, other = np.array([1.0, 0.0]), np.array([0.0, 1.0])
        >>> bowl = Curvature(0, 0.0, np.ones(2), np.zeros(2), np.array([1e-6, 1.0]), np.eye(2), "second derivatives")
        >>> round(Determination(bowl).collinearity(one), 9)  # alone, however little it does
        1.0
        """
        alone = float(np.square(self.effects * direction).sum())
        along = abs(float(direction @ self.matrix @ direction))
        return along / alone if alone > 0 else 1.0

    @cached_property
    def condition(self) -> float:
        """The largest by the smallest eigenvalue, each parameter measured by its effect; infinite at no minimum."""
        if not self.effects.all():
            return np.inf
        values = np.linalg.eigvalsh(self.matrix / np.outer(self.effects, self.effects))
        return float(values[-1] / values[0]) if values[0] > 0 else np.inf

    def free(self) -> Floats:
        """Return the directions along which several parameters make up for each other, a column each.

        The curvature there is rounding, or no more than the slope that is left makes where a curved valley is level: a
        level direction, no Newton step along it, and nothing to it beside what its parameters have each by itself.
        """
        values, vectors, slope = self.curvature.values, self.curvature.vectors, self.curvature.slope
        top, steep = float(values[-1]), float(np.linalg.norm(slope))
        chosen = []
        for value, vector in zip(values.tolist(), vectors.T, strict=True):
            if not top > 0 or self.collinearity(vector) > _COLLINEAR or np.square(self.effects * vector).sum() == 0:
                continue
            along = abs(float(slope @ vector))
            is_rounding = abs(value) <= _ROUNDING * top
            is_bent = abs(value) <= 2 * steep and along <= _LEVEL * steep and along <= _NEWTON * abs(value)
            if is_rounding or (is_bent and abs(value) <= _COLLINEAR * top):
                chosen.append(vector)
        return np.asarray(np.array(chosen, dtype=float).reshape(-1, len(slope)).T)

    @cached_property
    def correlations(self) -> Floats | None:
        """The correlations by the inverse of the Hessian; None where that is at no minimum."""
        if not np.isfinite(self.condition):
            return None
        inverse = np.linalg.inv(self.matrix / np.outer(self.effects, self.effects))
        spread = np.sqrt(np.diag(inverse))
        return np.asarray(inverse / np.outer(spread, spread))

    @cached_property
    def newton(self) -> Floats:
        """The Newton step that is left, in sizes of the parameters."""
        return np.asarray(-np.linalg.solve(self.matrix, self.curvature.slope))
