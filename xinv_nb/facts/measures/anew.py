"""Whether a loop that begins to count its steps anew has another start there, or goes on, as from epoch to epoch.

Both look alike in the program. A start is told by a step that no rule of the loop's others makes: it leads off a rule
that all others follow to rounding, or out of their scale, or back up to the loss that starts have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_FEWEST = 3
_EXACT = 1e-6
"""Share of a step by which it may miss a rule that it follows."""
_ROUNDING = 1e-13
"""Share of a point by which a step from there may be rounded."""
_LONGER = 2.0
"""How many times as long as all steps around it a step is that is out of their scale."""
_AROUND = 10
_ALONG = 0.95
"""Cosine to minus the gradient from which on a step may be one of another rate."""
_FAR = 0.25
"""Share of the way of the steps before that a new start is away from their end, at least."""
_BACK_UP = 0.3
"""Share of the fall of the loss that the step to a new start takes back."""
_RISES = 2.0
"""How many times as high as any other rise that step is."""
_FASTER = 3.0
"""How many times as long for its gradient as any other step."""
_SURE = 0.3
"""Share of the places at which the loop counts anew that have to be seen to be starts, where all are of one kind."""


def starts_among(rows: Sequence[int], points: Floats, slopes: Floats | None, loss: Floats) -> list[int]:
    """Return those rows at which a loop begins to count anew, if it has another start there; else none.

    Examples
    --------
    >>> way = 0.5 ** np.arange(4.0)[:, None] * np.array([[4.0, 1.0]])
    >>> points = np.concatenate([way, way[:, ::-1] + 0.5])
    >>> starts_among([4], points, 2 * points, (points**2).sum(axis=1))
    [4]
    >>> starts_among([4], points[:1] * 0.9 ** np.arange(8.0)[:, None], None, 0.9 ** np.arange(8.0))
    []
    """
    rows = [row for row in rows if _FEWEST <= row <= len(points) - _FEWEST]
    steps = np.diff(points, axis=0)
    taken = np.ones(len(steps), dtype=bool)
    taken[[row - 1 for row in rows]] = False
    loop = _Loop(points, steps, slopes, loss, taken, np.linalg.norm(steps, axis=1))
    off, pairs = loop.off_the_rule(rows), list(zip([0, *rows], rows, strict=False))
    shares = [loop.share(begin, row) for begin, row in pairs]
    if len(shares) > 1 and 0 < shares[0] < 1 and np.ptp(shares) <= _EXACT:
        return []  # each time back by one share of the way, as a program does that looks ahead
    sure = [row for begin, row in pairs if loop.is_away(begin, row) and (row in off or loop.is_no_step(begin, row))]
    return rows if sure and len(sure) >= _SURE * len(rows) else []


@dataclass(frozen=True)
class _Loop:
    """The steps of a loop, and which of them are not those at which it counts anew."""

    points: Floats
    steps: Floats
    slopes: Floats | None
    loss: Floats
    taken: NDArray[np.bool_]
    lengths: Floats

    @cached_property
    def rates(self) -> Floats:
        """How long each step is for its gradient; not a number where that is not known."""
        if self.slopes is None:
            return np.full(len(self.steps), np.nan)
        return np.asarray(self.lengths / np.linalg.norm(self.slopes[:-1], axis=1))

    def is_away(self, begin: int, row: int) -> bool:
        """Whether a point is far from where the steps before it ended, and not between their start and their end."""
        start, end, now = self.points[begin], self.points[row - 1], self.points[row]
        if not np.isfinite(now).all():
            return False
        if not np.isfinite(end).all():
            return True  # no step leads from there
        away, back = now - end, start - end
        if not float(np.abs(away).max()) > _FAR * float(np.abs(self.points[begin:row] - end).max()):
            return False
        return len(now) == 1 or not self._is_between(away, back, row - 1)

    def _is_between(self, away: Floats, back: Floats, last: int) -> bool:
        """Whether a point lies between a start and where the next step would have led, as means of the two do."""
        down = np.zeros_like(away) if self.slopes is None else -self.slopes[last]
        share, rate = _combined(np.stack([back, down], axis=1), away)
        missed = float(np.abs(away - share * back - rate * down).max())
        is_one = missed <= _EXACT * float(np.abs(back).max()) and 0 < share < 1
        return is_one and 0 <= rate <= _LONGER * _largest(self.rates[self.taken])

    def share(self, begin: int, row: int) -> float:
        """Return how far back a step leads on the way to where the steps before began, as a share of it."""
        away, back = self.points[row] - self.points[row - 1], self.points[begin] - self.points[row - 1]
        return float(away @ back) / float(back @ back) if back.any() else 0.0

    def is_no_step(self, begin: int, row: int) -> bool:
        """Whether a step is out of the scale of the others, or back up to the loss that starts have."""
        if not np.isfinite(self.points[row - 1]).all():
            return True
        step = row - 1
        here = slice(max(step - _AROUND, 0), row + _AROUND)
        usual = _largest(self.lengths[here][self.taken[here]])
        direction = 0.0 if self.slopes is None else _cosine(self.steps[step], -self.slopes[step])
        if self.lengths[step] > _LONGER * usual and direction < _ALONG:
            return True
        if self.rates[step] > _FASTER * _largest(self.rates[self.taken]) and self.lengths[step] > usual:
            return True
        rise, fall = float(self.loss[row] - self.loss[step]), float(self.loss[begin] - self.loss[step])
        highest = _largest(np.diff(self.loss)[self.taken])
        return direction <= 0 and rise > max(_RISES * highest, _BACK_UP * fall) and fall > 0

    def off_the_rule(self, rows: Sequence[int]) -> set[int]:
        """Return those rows that are off a rule which all other steps follow: down the gradient, or with momentum."""
        if self.slopes is None:
            return set()
        steps, slopes = self.steps, self.slopes[:-1]
        sizes = np.linalg.norm(slopes, axis=1)
        moving = self.taken & (self.lengths > 0) & np.isfinite(self.lengths) & np.isfinite(sizes)
        moving[1:] &= np.isfinite(self.lengths[:-1])  # behind a break there is no step that led there
        if int(moving.sum()) < 2 * _FEWEST:
            return set()
        rounding = _ROUNDING * np.abs(self.points[:-1]).max(axis=1)
        if steps.shape[1] > 1:
            along, whole = -(steps * slopes).sum(axis=1), self.lengths * sizes
            if (along + rounding * sizes >= (1 - _EXACT**2) * whole)[moving].all():
                return {row for row in rows if along[row - 1] < (1 - _EXACT) * whole[row - 1]}
        past = np.concatenate([np.zeros((1, steps.shape[1])), steps[:-1]])
        past[[row for row in rows if row < len(past)]] = 0.0  # from rest
        terms = np.stack([past[moving].ravel(), -slopes[moving].ravel()], axis=1)
        found = _combined(terms, steps[moving].ravel())
        missed = np.abs(found[0] * past - found[1] * slopes - steps).max(axis=1)
        size = np.abs(steps).max(axis=1)
        if not (missed <= _EXACT * size + rounding)[moving].all() or not found[1] > 0:
            return set()
        fresh = np.abs(found[1] * slopes + steps).max(axis=1)  # where the momentum begins anew, and no more
        return {row for row in rows if min(missed[row - 1], fresh[row - 1]) > _FAR * size[row - 1]}


def _largest(values: Floats) -> float:
    return float(np.fmax.reduce(values[np.isfinite(values)], initial=0.0))


def _combined(terms: Floats, values: Floats) -> Floats:
    """Return how much of each of two terms gives some values, as nearly as can be; not a number where one is none."""
    if not (np.isfinite(terms).all() and np.isfinite(values).all()):
        return np.full(2, np.nan)
    found, *_ = np.linalg.lstsq(terms, values, rcond=None)
    return np.asarray(found)


def _cosine(one: Floats, other: Floats) -> float:
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / size if 0 < size < np.inf else 0.0
