"""The accepted iterates as a path, along which the change of a quantity splits between the parameters.

Method: the change of a quantity along a path is the integral of its gradient times the step, and so a sum over the
parameters (Aumann and Shapley 1974; of a loss along the steps of an optimizer, Lan et al., NeurIPS 2019). The gradient
is known at some points of the path; between them it is interpolated over the way made.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.language.slots import Named

Places = NDArray[np.intp]

MOST_LEFT_OVER = 0.1
"""Share of a change, or of the largest part of it, that the parts of it may leave over."""
_DIGITS = {3: 0.5, 2: 1.0}
"""To how many digits a part of a change is told where what is left over is no more than so much of the last of them."""
_NO_JUMP = 0.1
"""Share of the change of a quantity of one number that its slopes may leave over: more is a jump, known to no slope."""
_HIDDEN = 5.0
"""How many times what is left over of a change, step by step, an error of one of its parts is at most: measured on
ratios, differences and products along the long steps of quasi-Newton methods."""
_UNSURE = 0.03
"""Share of a part that may be left over at most."""


@dataclass(frozen=True, eq=False)
class Quantity:
    """One quantity along a path."""

    name: str
    unit: str
    values: Floats
    """Its value at each point; not a number where it is not known."""
    places: Places
    """The points at which its gradient is known, in order."""
    gradients: Floats
    """A row for each of these, a column for each number among the parameters."""
    is_loss: bool = False
    """Whether it is the loss itself."""
    weight: float | None = None
    """Of a term of the loss that is not watched, what it is multiplied by there."""

    @property
    def named(self) -> Named:
        """What the reader calls it."""
        is_of_domain = self.weight is None or self.name.replace(" ", "").isalpha()
        return Named(self.name, self.name, self.unit, is_of_domain=is_of_domain)


@dataclass(frozen=True)
class FollowedPath:
    """Points in order, the evaluation of each, and what is known of quantities along them."""

    evaluations: Places
    """The evaluation of each point; of points in between, that of the one before."""
    points: Floats
    quantities: tuple[Quantity, ...]

    def at(self, evaluation: int) -> int:
        """Return the place of the iterate at which the optimizer stood in an evaluation."""
        place = max(int(np.searchsorted(self.evaluations, evaluation, side="right")) - 1, 0)
        return int(np.searchsorted(self.evaluations, self.evaluations[place], side="left"))

    @cached_property
    def steps(self) -> Floats:
        """The steps from each point to the next."""
        return np.diff(self.points, axis=0)

    def gradient_between(self, quantity: Quantity, i: int, j: int) -> Floats:
        """Return the gradient of a quantity in the middle of each step from place i to j."""
        way = self._way(quantity)
        return _read(way, quantity, (way[i:j] + way[i + 1 : j + 1]) / 2)

    def gradient_at(self, quantity: Quantity, i: int, j: int) -> Floats:
        """Return the gradient of a quantity at each point from place i up to j."""
        way = self._way(quantity)
        return _read(way, quantity, way[i : j + 1])

    def gradient_along(self, quantity: Quantity, places: Floats) -> Floats:
        """Return the gradient of a quantity at places that may lie between points: 2.5 is in mid-step."""
        way = self._way(quantity)
        return _read(way, quantity, np.interp(places, np.arange(len(way)), way))

    def brought(self, quantity: Quantity, i: int, j: int) -> Floats:
        """Return what the move of each number from place i to j brought to a quantity, in its unit.

        Where a quantity depends on one number only, its whole change is what that brought.
        """
        parts = np.asarray(np.einsum("ij,ij->j", self.gradient_between(quantity, i, j), self.steps[i:j]))
        change = self.change(quantity, i, j)
        if self._is_of_one(quantity, parts, change):
            parts[parts != 0.0] = change
        return parts

    def _is_of_one(self, quantity: Quantity, parts: Floats, change: float) -> bool:
        """Whether a quantity depends on one number only: nothing else has a slope, and no jump is left over."""
        is_of_one = np.count_nonzero(quantity.gradients.any(axis=0)) == 1 and np.count_nonzero(parts) == 1
        return bool(is_of_one and abs(change - parts.sum()) <= _NO_JUMP * abs(change))

    def change(self, quantity: Quantity, i: int, j: int) -> float:
        """Return the real change of a quantity from place i to j."""
        return float(quantity.values[j] - quantity.values[i])

    def doubt(self, quantity: Quantity, i: int, j: int) -> float:
        """Return what the parts leave over of a quantity's change step by step, with no regard to the sign.

        What is left over of long steps may cancel along the path, and is missing from the parts all the same.
        """
        gradients, steps = self.gradient_between(quantity, i, j), self.steps[i:j]
        if self._is_of_one(quantity, np.einsum("ij,ij->j", gradients, steps), self.change(quantity, i, j)):
            return 0.0
        values = quantity.values[i : j + 1]
        known = np.flatnonzero(np.isfinite(values))
        sums = np.concatenate([[0.0], np.cumsum(np.einsum("ij,ij->i", gradients, steps))])
        return float(np.abs(np.diff(values[known]) - np.diff(sums[known])).sum())

    def doubts(self, quantity: Quantity, i: int, j: int) -> Floats:
        """Return by how much what each number brought may be wrong, since errors of one step may cancel between them.

        That is how far smooth curves through the readings lead away from even changes (Simpson's rule beside the
        trapezoidal one); where nearly nothing is left over, cancelling hides few times as much.
        """
        most = _HIDDEN * self.doubt(quantity, i, j)
        if not most or len(quantity.places) < 2:
            return np.zeros(self.points.shape[1])
        way = self._way(quantity)
        at, middle = way[i : j + 1], (way[i:j] + way[i + 1 : j + 1]) / 2
        ends, inside = (_read(way, quantity, wanted, is_smooth=True) for wanted in (at, middle))
        smooth = np.einsum("ij,ij->j", (ends[:-1] + 4 * inside + ends[1:]) / 6, self.steps[i:j])
        return np.asarray(np.minimum(np.abs(smooth - self.brought(quantity, i, j)), most))

    def _way(self, quantity: Quantity) -> Floats:
        """Return the way made up to each point, with each number weighed by how much it matters to the quantity."""
        weights = np.max(np.abs(quantity.gradients), axis=0, initial=0.0)
        way = np.concatenate([[0.0], np.cumsum(np.abs(self.steps) @ weights)])
        # Points of one place keep their order.
        return np.asarray(way + np.arange(len(way)) * (1e-12 * (way[-1] or 1.0)))


def _read(way: Floats, quantity: Quantity, wanted: Floats, *, is_smooth: bool = False) -> Floats:
    """Return gradients after some ways made; before the first that is known it stands for them.

    Behind the last they go on changing as before it, for as long as between it and the one before.
    Within one step it changes evenly, for the path has a corner at each end; over several, or where it `is_smooth`, by
    cubic pieces.
    """
    known_at, rows = way[quantity.places], quantity.gradients
    if len(known_at) == 1:
        return np.broadcast_to(rows[0], (len(wanted), rows.shape[1]))
    right = np.clip(np.searchsorted(known_at, wanted), 1, len(known_at) - 1)
    left = right - 1
    length = np.diff(known_at)[:, None]
    part = np.clip((wanted - known_at[left])[:, None] / length[left], 0.0, 1.0)
    rest = 1 - part
    found = rows[left] * rest + rows[right] * part
    several = (np.diff(quantity.places)[left] > 1) | is_smooth
    if several.any() and len(known_at) > 2:
        rates = np.diff(rows, axis=0) / length
        bends, between = _rates_at(rates, length), rates[left]
        bulge = rest * (bends[left] - between) - part * (bends[right] - between)
        found[several] += (length[left] * part * rest * bulge)[several]
    behind = np.clip(wanted - known_at[-1], 0.0, length[-1])[:, None]
    return np.asarray(found + behind * _rates_at(np.diff(rows, axis=0) / length, length)[-1])


def _rates_at(rates: Floats, length: Floats) -> Floats:
    """Return at each known row how fast the rows change, from the rates between it and its neighbours (Bessel)."""
    if len(rates) == 1:
        return np.concatenate([rates, rates])
    both = length[1:] + length[:-1]
    inside = (rates[1:] * length[:-1] + rates[:-1] * length[1:]) / both
    bends = np.diff(rates, axis=0) / both
    return np.concatenate([rates[:1] - bends[:1] * length[0], inside, rates[-1:] + bends[-1:] * length[-1]])


def left_over(parts: Floats, change: float, doubt: float = 0.0) -> float:
    """Return what the parts of a change leave over, as a share of it, or of the largest part where that is more.

    `doubt` is what they leave over step by step, which counts where it is more.

    >>> round(left_over(np.array([-3.0, 1.0]), -2.1), 3), left_over(np.zeros(2), 0.0)
    (0.033, 0.0)
    """
    scale = max(abs(change), float(np.max(np.abs(parts), initial=0.0)))
    return max(abs(change - float(np.sum(parts))), doubt) / scale if scale else 0.0


def digits_of(part: float, parts: Floats, change: float, doubt: float = 0.0, own: float = 0.0) -> int | None:
    """Return to how many digits one of the parts of a change may be told; None where not at all.

    What the parts leave over together may be missing from any one of them; `doubt` is what is left over step by step,
    and `own` by how much this part may be wrong.

    >>> parts = np.array([-3.0, 1.0, -0.004])
    >>> [digits_of(part, parts, -2.0) for part in parts]
    [3, 3, None]
    """
    rest, size = max(abs(change - float(np.sum(parts))), doubt / 2, own), abs(part)
    if not 0 < size < math.inf or not max(rest, doubt) <= _UNSURE * size:
        return None
    leading = math.floor(math.log10(size)) + 1
    return next((digits for digits, most in _DIGITS.items() if rest <= most * 10.0 ** (leading - digits)), None)
