"""Searches for other minima of an objective than the one where a run ended, from a few other starts.

Method: multistart (Rinnooy Kan & Timmer 1987): many points are looked at once, and a local search goes on from the best
that lie apart; beside these, points with two parameters exchanged or with one of the other sign, and the run's own
start with one parameter as it is at the best point found. The same starts each time; a local search is SciPy's
L-BFGS-B, or descent with backtracking.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recording.reevaluating import Reevaluated

Floats = NDArray[np.float64]

_LOOKS = 160
"""Points that are looked at once."""
_SEARCHES = 14
"""Searches that go on from the best of them."""
_EXCHANGES = 6
"""Searches from points with two parameters exchanged."""
_MIRRORED = 3
"""Searches from points with one parameter of the other sign."""
_EVALUATIONS = 40
"""Evaluations with a gradient of one search; from the end, and with parameters exchanged, so many times as much."""
_LONGER = 6
_WIDEST = 20
"""Parameters up to which there are exchanged ones, and starts that differ in one parameter alone."""
_SPREAD = 0.4
"""How far the points are apart from which searches go on, in sizes of the parameter that differs most."""
_APART = 0.05
"""How far two points are apart, in sizes of the parameter that differs most, that are not the same."""
_ON_THE_WAY = (0.13, 0.29, 0.47, 0.62, 0.83)
"""Where on the straight way between two points the loss is looked at."""
_REACHED = 0.02
"""Share of what there is to gain by which a search may stay behind another that comes to the same."""


@dataclass(frozen=True, eq=False)
class Minimum:
    """Where a local search came to, and from where."""

    start: Floats
    point: Floats
    loss: float
    ridge: float = np.inf
    """The highest loss on the straight way to it."""


@dataclass
class Restarts:
    """Searches of one objective within bounds, with parameters measured by their sizes."""

    objective: Reevaluated
    scale: Floats
    low: Floats
    high: Floats
    equal: float
    """By how much two losses may differ that are equal."""
    most: int
    """The number of evaluations from which on no further search begins."""
    found: list[Minimum] = field(default_factory=list)

    def around(self, first: Floats, end: Floats) -> Minimum:
        """Look for other minima than the one at the end of a run that began at `first`; return the one at the end."""
        here = self._search(end, _LONGER * _EVALUATIONS)
        if here.loss > (value := self.objective.value(end)):
            here = Minimum(end, end, value)
        self._try(self._exchanged(here.point), here, _LONGER)
        self._try(self._mirrored(here.point), here)
        self._try(self._scattered(first, here.point), here)
        best = self._lowest()
        if best is not None and best.loss < here.loss - self.equal:  # where there is one, there may be a lower one
            self._try([*self._mirrored(best.point), *self._scattered(best.point, best.point)], here)
            best = self._lowest()
        if best is not None and best.loss < here.loss - self.equal and len(end) <= _WIDEST:
            self._simplify(best, first, here)
        self.found = [self._with_ridge(each, here) for each in self.found]
        return here

    def _try(self, starts: list[Floats], here: Minimum, times: int = 1) -> None:
        for start in starts:
            if self.objective.evaluations >= self.most:
                return
            self._keep(self._search(start, times * _EVALUATIONS), here)

    def _lowest(self) -> Minimum | None:
        return min(self.found, key=lambda each: each.loss, default=None)

    def _keep(self, new: Minimum, here: Minimum) -> None:
        """Keep a minimum that is as low as the one at the end, and no other that was found."""
        if not np.isfinite(new.loss) or new.loss > here.loss + self.equal:
            return
        if all(self._are_apart(new.point, each.point) for each in [here, *self.found]):
            self.found.append(new)

    def _are_apart(self, one: Floats, other: Floats) -> bool:
        return bool(np.max(np.abs(one - other) / self.scale) > _APART)

    def _exchanged(self, point: Floats) -> list[Floats]:
        """Return points with two parameters exchanged, the best first."""
        if not 1 < len(point) <= _WIDEST:
            return []
        swapped = []
        for i, j in itertools.combinations(range(len(point)), 2):
            other = point.copy()
            other[[i, j]] = point[[j, i]]
            inside = bool(np.all((other >= self.low) & (other <= self.high)))
            if inside and abs(point[i] - point[j]) > _APART * min(self.scale[i], self.scale[j]):
                swapped.append(other)
        return self._best(swapped, _EXCHANGES)

    def _mirrored(self, point: Floats) -> list[Floats]:
        """Return points with one parameter of the other sign, the best first."""
        if len(point) > _WIDEST:
            return []
        others = [np.where(np.arange(len(point)) == k, -point, point) for k in range(len(point)) if point[k] != 0]
        inside = [other for other in others if np.all((other >= self.low) & (other <= self.high))]
        return self._best(inside, _MIRRORED)

    def _scattered(self, first: Floats, end: Floats) -> list[Floats]:
        """Return points around the start and the end, the best that lie apart: half of them keep their signs."""
        draws = np.random.default_rng(0)
        points = []
        for k in range(_LOOKS):
            middle, width = (end, first)[k % 2], (0.5, 1.0, 2.0)[k % 3]
            step = draws.standard_normal(len(end))
            if k % 4 < 2:
                point = middle + width * self.scale * step
            else:
                point = np.where(middle == 0, 0.1 * self.scale * step, middle * np.exp(width / 1.5 * step))
            points.append(np.clip(point, self.low, self.high))
        return self._best(points, _SEARCHES, apart=_SPREAD)

    def _best(self, points: list[Floats], count: int, apart: float = 0.0) -> list[Floats]:
        """Return the points with the lowest losses that lie apart."""
        values = [self.objective.value(point) for point in points]
        chosen: list[Floats] = []
        for k in np.argsort(values, kind="stable").tolist():
            if len(chosen) == count or not np.isfinite(values[k]):
                break
            if all(np.max(np.abs(points[k] - each) / self.scale) > apart for each in chosen):
                chosen.append(points[k])
        return chosen

    def _simplify(self, best: Minimum, first: Floats, here: Minimum) -> None:
        """Find a start for the best minimum that differs from the run's own in one parameter alone."""
        order = np.argsort(-np.abs(best.point - here.point) / self.scale, kind="stable")
        for column in order.tolist():
            if self.objective.evaluations >= 1.3 * self.most:
                return
            start = first.copy()
            start[column] = best.point[column]
            reached = self._search(start, _EVALUATIONS)
            if reached.loss <= best.loss + _REACHED * (here.loss - best.loss):
                self.found[self.found.index(best)] = Minimum(start, reached.point, reached.loss)
                return

    def _with_ridge(self, each: Minimum, here: Minimum) -> Minimum:
        way = [self.objective.value(here.point + share * (each.point - here.point)) for share in _ON_THE_WAY]
        finite = [value for value in way if np.isfinite(value)]
        return Minimum(each.start, each.point, each.loss, max(finite, default=np.inf))

    def _search(self, start: Floats, evaluations: int) -> Minimum:
        """Return where a local search from a start comes to."""
        try:
            from scipy.optimize import minimize
        except ImportError:
            return self._descend(start, evaluations)
        lowest, reached = np.inf, start

        def scaled(z: Floats) -> tuple[float, Floats]:
            nonlocal lowest, reached
            x = np.asarray(z * self.scale)
            value, slope = self.objective.value_and_slope(x)
            if value < lowest:
                lowest, reached = value, x
            return (value if np.isfinite(value) else 1e300), slope * self.scale

        bounds = list(zip(self.low / self.scale, self.high / self.scale, strict=True))
        options = {"maxfun": evaluations, "maxiter": evaluations, "ftol": 1e-14, "gtol": 1e-10}
        minimize(scaled, start / self.scale, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
        return Minimum(start, reached, lowest)

    def _descend(self, start: Floats, evaluations: int) -> Minimum:
        """Go down the gradient, with steps that double, and halve where the loss does not fall enough (Armijo 1966)."""
        x, length, used = start, 0.1, 1
        value, slope = self.objective.value_and_slope(x)
        while used < 5 * evaluations:
            direction = -slope * self.scale
            size = float(np.linalg.norm(direction))
            if not np.isfinite(value) or size == 0 or length < 1e-12:
                break
            there = np.clip(x + length * self.scale * direction / size, self.low, self.high)
            trial, steeper = self.objective.value_and_slope(there)
            used += 1
            if trial < value - 1e-4 * length * size:
                x, value, slope, length = there, trial, steeper, 2 * length
            else:
                length /= 2
        return Minimum(start, x, value)
