"""What residuals and their Jacobian say at the end of a least-squares fit, by the linear theory. Pure arrays.

Method: the covariance of linear least squares with the Jacobian for the design matrix; convergence by the relative
offset (Bates & Watts 1981); leverage, and what each data point moves, by its deletion (Belsley, Kuh & Welsch 1980; Cook
1977). All of it is local: a model that bends within a standard error of its parameters has others.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SINGULAR = 1e-7
"""Share of the largest singular value below which one is nothing: Jacobians by finite differences are no better."""
_LEVEL = 0.01
"""Relative offset from which a fit is not at its minimum: by so many standard errors it may still move."""


@dataclass(frozen=True)
class LinearFit:
    """Residuals and Jacobian at the end of a fit, both already divided by the standard deviations where they are known.

    Examples
    --------
    >>> x, noise = np.arange(4.0), np.array([0.1, -0.1, -0.1, 0.1])
    >>> line = LinearFit(noise, np.column_stack([np.ones(4), x]))
    >>> line.freedom, round(line.variance, 6), line.is_level, line.errors.round(4).tolist()
    (2, 0.02, True, [0.1183, 0.0632])
    """

    residuals: Floats
    jacobian: Floats
    is_scaled: bool = False
    """Whether the residuals are in units of their known standard deviations, so that their variance is 1."""

    @property
    def freedom(self) -> int:
        """Degrees of freedom: residuals less parameters."""
        points, parameters = self.jacobian.shape
        return int(points - parameters)

    @property
    def squares(self) -> float:
        """The sum of the squares of the residuals: χ²."""
        return float(self.residuals @ self.residuals)

    @property
    def scatter(self) -> float:
        """The variance of the residuals, estimated from them: χ² a degree of freedom."""
        return self.squares / self.freedom

    @property
    def variance(self) -> float:
        """The variance of the residuals: 1 where it is known, else estimated."""
        return 1.0 if self.is_scaled else self.scatter

    @cached_property
    def norms(self) -> Floats:
        """The norm of each column of the Jacobian."""
        return np.asarray(np.linalg.norm(self.jacobian, axis=0))

    @cached_property
    def _parts(self) -> tuple[Floats, Floats, Floats]:
        """The singular value decomposition of the Jacobian with columns of norm 1."""
        left, values, right = np.linalg.svd(self.jacobian / self.norms, full_matrices=False)
        return left, values, right

    @cached_property
    def undetermined(self) -> Floats:
        """The moves of the parameters that change no residual, a column each."""
        _, values, right = self._parts
        return np.asarray(right[values <= SINGULAR * values[0]].T / self.norms[:, None])

    @cached_property
    def offset(self) -> float:
        """The relative offset: the part of the residuals that a step would still take away, beside the part that stays.

        Both for each of their degrees of freedom, so that 1 means: a standard error away from the minimum.
        """
        along = self._parts[0].T @ self.residuals
        stays = self.residuals - self._parts[0] @ along
        left = float(stays @ stays) / self.freedom
        return float(np.sqrt((along @ along) / self.jacobian.shape[1] / left)) if left > 0 else np.inf

    @property
    def is_level(self) -> bool:
        """Whether the sum of squares is at its minimum, as near as matters beside the standard errors."""
        return self.offset <= _LEVEL

    @cached_property
    def _inverse(self) -> Floats:
        """(JᵀJ)⁻¹."""
        _, values, right = self._parts
        root = (right.T / values) / self.norms[:, None]
        return np.asarray(root @ root.T)

    @cached_property
    def covariance(self) -> Floats:
        """The covariance of the parameters."""
        return np.asarray(self.variance * self._inverse)

    @cached_property
    def errors(self) -> Floats:
        """The standard error of each parameter."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    @cached_property
    def correlations(self) -> Floats:
        """The correlations of the estimates, 1 on the diagonal."""
        found = np.clip(self.covariance / np.outer(self.errors, self.errors), -1.0, 1.0)
        np.fill_diagonal(found, 1.0)
        return np.asarray(found)

    @cached_property
    def leverages(self) -> Floats:
        """How much each data point pulls the model to itself, from 0 to 1."""
        return np.asarray(np.minimum((self._parts[0] ** 2).sum(axis=1), 1.0))

    @cached_property
    def without_each(self) -> Floats:
        """How far each parameter would move if one data point were left out: a row for each data point.

        Not a number where the others would not determine the parameters.
        """
        left = 1.0 - self.leverages
        weight = np.where(left > SINGULAR, self.residuals / np.where(left > SINGULAR, left, 1.0), np.nan)
        return np.asarray((self.jacobian * weight[:, None]) @ self._inverse)

    @cached_property
    def distances(self) -> Floats:
        """Cook's distance of each data point: how far it moves the model, beside the scatter."""
        left = 1.0 - self.leverages
        share = np.where(left > SINGULAR, self.leverages / np.where(left > SINGULAR, left, 1.0) ** 2, np.nan)
        return np.asarray(self.residuals**2 * share / (self.jacobian.shape[1] * self.scatter))


def is_of_squares(losses: Floats, squares: Floats, count: int) -> bool:
    """Whether a loss is lowest where the sum of squares of `count` residuals is: it grows in proportion, or its root.

    A loss that differs from that by a constant is one as well, where there are enough evaluations to see it.

    Examples
    --------
    >>> squares = np.array([8.0, 4.0, 2.0, 1.0, 0.5])
    >>> [is_of_squares(loss, squares, 4) for loss in (squares / 2, np.sqrt(squares / 4), 3 + squares)]
    [True, True, True]
    >>> is_of_squares(squares + np.array([0.0, 0.1, 0.3, 0.2, 0.4]), squares, 4)
    False
    """
    known = np.isfinite(losses) & np.isfinite(squares) & (squares > 0)
    losses, squares = losses[known], squares[known]
    if not len(losses):
        return False
    if np.ptp(squares) <= _SAME * squares.max():  # one point: only what is usual is recognized
        usual = (0.5, 1.0, 1 / count, 0.5 / count)
        return any(np.allclose(losses, share * squares, rtol=_SAME, atol=0.0) for share in usual)
    for powers in (losses, losses**2):
        ratio = powers / squares
        if ratio[0] > 0 and (losses >= 0).all() and np.ptp(ratio) <= _SAME * ratio.max():
            return True
    low, high = int(np.argmin(squares)), int(np.argmax(squares))
    slope = (losses[high] - losses[low]) / (squares[high] - squares[low])
    off = losses - losses[low] - slope * (squares - squares[low])
    distinct = len(np.unique(squares))
    return bool(slope > 0 and distinct >= _FEWEST and np.abs(off).max() <= _SAME * abs(losses[high] - losses[low]))


_SAME = 1e-6
"""Share by which numbers may differ that are the same: simulators calculate in single precision, too."""
_FEWEST = 5
"""Different sums of squares that it takes to see that a loss differs from theirs by a constant."""
