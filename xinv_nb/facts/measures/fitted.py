"""The end of a least-squares fit in a recording: its best accepted point with the residuals there, weighed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.measures.groups import some_of
from xinv_nb.facts.measures.least_squares import is_of_squares
from xinv_nb.recorded.calls import OptimizerCall
from xinv_nb.recorded.data import DataColumns
from xinv_nb.recorded.run import RecordedRun

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """A group of data as a part of the residuals, from `start` up to `stop`."""

    name: str
    start: int
    stop: int
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Fitted:
    """The best accepted evaluation of a fit, with its residuals."""

    evaluation: int
    first: int
    """The first evaluation of the fit."""
    stop: int
    """The one after its last."""
    call: OptimizerCall | None
    """The optimizer's call that made it, where it was seen."""
    residuals: Floats
    """As the fit weighs them."""
    weights: Floats
    """What they were multiplied with: one over the standard deviation, or 1."""
    is_scaled: bool
    """Whether they are in units of their known standard deviations."""
    parts: tuple[Part, ...]
    """The groups of data that were found in them."""
    largest: float
    """The norm of the residuals where it was largest."""

    @property
    def has_sigmas(self) -> bool:
        """Whether standard deviations were given for the data, and not only taken for 1."""
        return self.is_scaled and bool((self.call.options if self.call is not None else {}).get("sigma_given", True))

    def accepted(self, run: RecordedRun) -> Floats:
        """Return the points that the optimizer accepted, a row each."""
        rows = run.iterates
        return run.history.rows(rows[(rows >= self.first) & (rows < self.stop)])

    def is_exact(self, share: float) -> bool:
        """Whether the residuals are no more than a share of what they once were."""
        return float(np.linalg.norm(self.residuals)) <= share * self.largest

    def label(self, point: int) -> tuple[str, bool]:
        """Return the name of a data point, empty where it has none, and whether it is no other's as well."""
        names = [name for part in self.parts for name in part.labels]
        for part in self.parts:
            if part.start <= point < part.stop and part.labels:
                label = part.labels[point - part.start]
                return label, names.count(label) == 1
        return "", False


def fitted(run: RecordedRun) -> Fitted | str:
    """Return the end of the fit whose residuals were recorded, or in a word why there is none."""
    history, loss = run.history, run.loss
    rows = run.iterates[np.isfinite(loss[run.iterates])]
    if history.residuals is None or not len(rows):
        return "no residuals"
    best = int(rows[::-1][np.argmin(loss[rows[::-1]])])
    call = next((call for call in history.calls[::-1] if call.start <= best < _stop(call, run)), None)
    first, stop = (0, run.evaluations) if call is None else (call.start, _stop(call, run))
    rows = rows[(rows >= first) & (rows < stop)]
    rows = rows[some_of(len(rows), int(np.searchsorted(rows, best)))]
    places = np.searchsorted(run.kept, rows)
    residuals, place = history.residuals.array, int(np.searchsorted(run.kept, best))
    raw = history.residuals.array[place]
    if not np.isfinite(raw).all():
        return "not finite"
    parts, sigma, is_divided = _parts(history.data, place, raw)
    options = call.options if call is not None else {}
    if options.get("loss", "linear") != "linear":
        return "robust"
    count, squares = len(raw), _squares(residuals, places)
    weights, is_scaled = np.ones(count), bool(options.get("absolute_sigma"))
    if is_of_squares(loss[rows], squares, count):
        if sigma is not None and is_divided:
            is_scaled = True
        elif sigma is not None and np.ptp(sigma) == 0:
            weights, is_scaled = 1 / sigma, True
        elif sigma is not None:
            return "not weighed"
    elif sigma is not None and not is_divided:
        weights, is_scaled = 1 / sigma, True
        squares = _squares(residuals, places, weights)
        if not is_of_squares(loss[rows], squares, count):
            return "other loss"
    else:
        return "other loss"
    largest = float(np.sqrt(np.fmax.reduce(_squares(residuals, places, weights))))
    return Fitted(best, first, stop, call, raw * weights, weights, is_scaled, tuple(parts), largest)


def _squares(residuals: Floats, places: NDArray[np.intp], weights: Floats | float = 1.0) -> Floats:
    """Return the sum of squares of each of some rows."""
    return np.array([float(np.square(residuals[place] * weights).sum()) for place in places])


def _stop(call: OptimizerCall, run: RecordedRun) -> int:
    return run.evaluations if call.stop is None else call.stop


def _parts(groups: dict[str, DataColumns], place: int, raw: Floats) -> tuple[list[Part], Floats | None, bool]:
    """Return the groups of data that lie one behind the other in the residuals, as they are or divided by sigma.

    With the standard deviation of each residual, where all are known, and whether the residuals are divided by it.
    """
    parts: list[Part] = []
    sigma = np.full(len(raw), np.nan)
    divided: set[bool] = set()
    for name, group in groups.items():
        own = group.residuals.array[place]
        forms = [(own, False)] if group.sigma is None else [(own, False), (own / group.sigma, True)]
        for values, is_divided in forms:
            start = _place_of(values, raw, parts[-1].stop if parts else 0)
            if start is None:
                continue
            stop = start + len(values)
            parts.append(Part(name, start, stop, group.labels))
            if group.sigma is not None:
                sigma[start:stop] = group.sigma
                divided.add(is_divided)
            break
    is_known = bool(np.isfinite(sigma).all()) and len(divided) == 1
    return parts, sigma if is_known else None, divided == {True}


def _place_of(values: Floats, within: Floats, start: int) -> int | None:
    """Return where some numbers stand in a row of numbers, from `start` on."""
    if not len(values) or not np.isfinite(values).all():
        return None
    firsts = np.flatnonzero(np.isclose(within[start : len(within) - len(values) + 1], values[0], rtol=1e-9, atol=0.0))
    for first in (firsts + start).tolist():
        if np.allclose(within[first : first + len(values)], values, rtol=1e-9, atol=0.0):
            return int(first)
    return None
