"""By how much evaluations scatter that a search compares: one point with two losses, or changes that steps do not make.

Method: a smooth loss changes in proportion to a short step, and by what its gradient promises; what does neither
scatters. It may be drawn, or the rounding or the tolerance of what is computed within the objective.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.promises import Rows, Ways, precision
from xinv_nb.facts.measures.rounding import grain, has_long_gradients
from xinv_nb.facts.measures.scattering import scatter_of_neighbours
from xinv_nb.recorded.calls import OptimizerCall
from xinv_nb.recorded.endings import NO_LOWER_LOSS
from xinv_nb.recorded.run import RecordedRun

_TRAINERS = ("Adam", "RMSProp", "Gradient descent")
"""Beginnings of the names of optimizers that are made for noise."""
_COMPARE_LOSSES = ("Nelder-Mead", "Powell", "COBYLA", "COBYQA")
"""Searches without gradients that go on from the lowest of single losses."""
_FLOOR = 1e-7
"""Share of the largest loss below which a scatter may be rounding, wherever in the program."""
_FAR = 10.0
"""How many times what the gradients promise the loss has to change."""
_FEWEST = 3
"""Such changes from one point that tell of noise."""
_MOST_SEARCHES = 20
"""Searches that are looked at, of those with such changes: the last, when little is left to gain."""
_SHORTER = 0.1
"""Share of the longest trial up to which a trial is short."""
_EDGE = 0.1
"""Share of their mean up to which changes are one and the same: an edge, and no noise."""
_SPAN, _POWER = 3.0, 0.6
"""How many times as long as the shortest the longest trial has to be, and from which power of its length on the loss
changes with it: noise does with none."""
_TINY = 1e-300
_OF_WHOLE = 1e-3
"""Share of what a whole step does from which on a difference over next to no distance is noise."""
_FEWEST_DIFFERENCES = 6
_MOSTLY = 0.5
"""Share of the differences that have to be noise."""
_BOTH_WAYS = 0.2
"""Share of the differences that have to be rises, and falls: noise goes both ways as often."""
_NOTHING = 1e-5
"""Share of a parameter's size that is next to no distance."""
_GRAINS, _COARSE_GRAINS = 64.0, 3.0
"""How many times what the losses were rounded to rounding scatters at most: and where that is coarse, as of counts."""
_FINE = 2.0**-17
_MUCH = 1e-3
"""Share of the range of the losses up to which a scatter does not spoil the result of a search that has converged."""
_ODD = np.random.default_rng(0).integers(1, 2**62, 64, dtype=np.uint64) | np.uint64(1)


@dataclass(frozen=True)
class Scatter:
    """By how much evaluations scatter."""

    seen: Literal["at one point", "on a search", "by differences", "of neighbours"]
    call: OptimizerCall
    """The optimizer that compared them."""
    first: int
    last: int
    """The evaluations between which it shows; at one point, the two that differ."""
    changes: Floats
    """The changes of the loss that no step explains."""
    size: float
    """The standard deviation of points next to each other, 0 if there are none; of differences, the median of sizes."""
    length: float = 0.0
    """Over which distance."""
    promised: float = 0.0
    """What the gradients promise at most."""
    farther: float = 0.0
    """Over which distance neighbours differ no more."""
    count: int = 0
    """How many points were looked at for neighbours."""


def scatter_of(run: RecordedRun, trials: Ways | None) -> Scatter | None:
    """Return by how much evaluations scatter that an optimizer compared, which is not made for that; None if not.

    >>> scatter_of(RecordedRun(), None) is None
    True
    """
    calls = [call for call in run.history.calls if trials is not None or call.differences or _compares(call)]
    calls = [call for call in calls if not call.optimizer.startswith(_TRAINERS)]
    if not calls:
        return None
    largest = float(np.abs(run.loss[np.isfinite(run.loss)]).max(initial=0.0))
    floor = max(_FLOOR, 10 * precision(run)) * largest
    searched = None if trials is None else _on_a_search(calls[-1], trials, floor)
    pairs = _again(run, calls)
    apart = run.loss[pairs[:, 1]] - run.loss[pairs[:, 0]]
    differ = np.flatnonzero(np.abs(apart) > floor)
    if len(differ):
        first, last = (int(row) for row in pairs[differ[0]])
        size = 0.0 if searched is None else searched.size
        return Scatter("at one point", calls[-1], first, last, apart[differ], size)
    return searched or _by_differences(run, calls, floor) or _of_neighbours(run, calls[-1], floor)


def is_rounding(run: RecordedRun, scatter: Scatter) -> bool:
    """Whether what scatters is the rounding of larger numbers within the loss.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from scipy.optimize import minimize
    >>> def loss(x):  # a difference of squares of numbers near 10⁷
    ...     y = 1e7 + x[0] * np.arange(5.0) - 0.3
    ...     return np.mean(y**2) - np.mean(y) ** 2
    >>> with xi.record() as run:
    ...     result = minimize(loss, [1.0], jac=lambda x: 4 * x, method="BFGS")
    >>> from xinv_nb.facts.measures.promises import ways_of_trials
    >>> is_rounding(run, scatter_of(run, ways_of_trials(run)))
    True
    """
    finest = grain(run)
    if scatter.seen == "at one point" or not finest > 0:
        return False
    most = _GRAINS if finest <= _FINE or has_long_gradients(run) else _COARSE_GRAINS
    return bool(np.std(np.append(scatter.changes, 0.0)) <= most * finest)


def spoils(run: RecordedRun, scatter: Scatter) -> bool:
    """Whether the result of a search cannot be used because evaluations scatter as they do, or whether it gave up.

    >>> scatter = Scatter("by differences", OptimizerCall("BFGS", 0, 2), 0, 1, np.array([0.1, -0.1]), 0.1)
    >>> spoils(RecordedRun(), scatter)
    True
    """
    finite = run.loss[run.accepted & np.isfinite(run.loss)]
    if not len(finite):
        return True
    size = scatter.size or float(np.abs(scatter.changes[0]))
    return size > _MUCH * float(np.ptp(finite)) or scatter.call.ending.get("reason") in NO_LOWER_LOSS


def equal_again(run: RecordedRun) -> int:
    """Return how often a point was evaluated again under an optimizer; 0 where the loss was another one time.

    >>> equal_again(RecordedRun())
    0
    """
    pairs = _again(run, list(run.history.calls))
    return len(pairs) if len(pairs) and (run.loss[pairs[:, 0]] == run.loss[pairs[:, 1]]).all() else 0


def _again(run: RecordedRun, calls: list[OptimizerCall]) -> Rows:
    """Return evaluations of equal points, one after the other, in pairs, whose losses are finite."""
    history = run.history
    if history.kept is not None or not history.width or not calls:
        return np.empty((0, 2), dtype=np.intp)
    points, loss = history.values.array, history.loss.array
    bits = np.ascontiguousarray(points).view(np.uint64)
    order = np.argsort(bits @ _ODD[np.arange(bits.shape[1]) % len(_ODD)], kind="stable")  # equal points, equal sums
    same = np.flatnonzero((points[order[1:]] == points[order[:-1]]).all(axis=1))
    pairs = np.sort(np.stack([order[same], order[same + 1]], axis=1), axis=1)
    within = np.full(len(loss), -1)
    for number, call in enumerate(calls):
        within[call.start : call.stop] = number  # another call may be of other data
    in_one = (within[pairs] >= 0).all(axis=1) & (np.ptp(within[pairs], axis=1) == 0)
    return np.asarray(pairs[np.isfinite(loss[pairs]).all(axis=1) & in_one])


def _on_a_search(call: OptimizerCall, trials: Ways, floor: float) -> Scatter | None:
    """Return the search whose short trials scatter by far more than the gradients promise."""
    allowed = np.abs(trials.before) + np.abs(np.nan_to_num(trials.behind))
    far = (np.abs(trials.change) > _FAR * allowed) & (np.abs(trials.change) > floor)
    best: Scatter | None = None
    starts, counts = np.unique(trials.start[far], return_counts=True)
    for start in starts[counts >= _FEWEST][-_MOST_SEARCHES:]:
        ray = trials.start == start
        short = trials.lengths <= _SHORTER * trials.lengths[ray].max()
        # A short way of a search that has failed is short beside the steps before, too.
        chosen = trials[ray & far & (short | (trials.lengths <= _SHORTER * trials.lengths.max()))]
        if len(chosen) < _FEWEST or (best is not None and len(chosen) <= len(best.changes)):
            continue
        changes = np.append(chosen.change, 0.0)  # the loss where it began is a draw like the others
        size, apart = (float(np.std(each, ddof=1)) for each in (changes, chosen.change))
        if apart <= max(_EDGE * abs(float(np.mean(chosen.change))), floor) or _is_in_proportion(chosen):
            continue
        promised = float((np.abs(chosen.before) + np.abs(np.nan_to_num(chosen.behind))).max())
        length, last = float(chosen.lengths.max()), int(chosen.end.max())
        best = Scatter("on a search", call, int(start), last, chosen.change, size, length, promised)
    return best


def _is_in_proportion(trials: Ways) -> bool:
    """Whether the loss changes as the trials get longer, which is the work of a gradient that is wrong."""
    lengths = np.log(trials.lengths)
    apart, moved = lengths - lengths.mean(), trials.change != 0
    power = float(apart[moved] @ np.log(np.abs(trials.change[moved]))) / max(float(apart @ apart), _TINY)
    return bool(np.ptp(lengths) >= math.log(_SPAN)) and power > _POWER


def _by_differences(run: RecordedRun, calls: list[OptimizerCall], floor: float) -> Scatter | None:
    """Return the finite differences that change the loss, over next to no distance, as whole steps do."""
    history = run.history
    if history.kept is not None or not history.is_real:
        return None
    points, loss = history.values.array, history.loss.array
    rows = _rows_of_differences(calls, len(loss))
    if len(rows) < _FEWEST_DIFFERENCES:
        return None
    plain = np.ones(len(loss), dtype=bool)
    plain[rows] = False
    base = np.maximum.accumulate(np.where(plain, np.arange(len(loss)), -1))[rows]
    rows, base = rows[base >= 0], base[base >= 0]
    apart, size = np.abs(points[rows] - points[base]), np.abs(points).max(axis=0)
    near = ((apart > 0).sum(axis=1) == 1) & (apart <= _NOTHING * np.maximum(size, 1e-3 * size.max())).all(axis=1)
    rows, base, apart = rows[near], base[near], apart[near]
    change, begun = loss[rows] - loss[base], np.unique(base)
    if len(rows) < _FEWEST_DIFFERENCES or len(begun) < 2 or not np.isfinite(change).all():
        return None
    whole = np.abs(np.diff(loss[begun]))
    whole = np.maximum(np.append(whole, 0.0), np.append(0.0, whole))[np.searchsorted(begun, base)]
    moved = np.abs(change) > np.maximum(_OF_WHOLE * whole, floor)
    if np.mean(moved) < _MOSTLY:
        return None
    rises = float(np.mean(change[moved] > 0))
    if not _BOTH_WAYS <= rises <= 1 - _BOTH_WAYS:
        return None
    size_of_all, length = float(np.median(np.abs(change))), float(np.median(apart.max(axis=1)))
    return Scatter("by differences", calls[-1], int(base[0]), int(rows[-1]), change, size_of_all, length)


def _compares(call: OptimizerCall) -> bool:
    return call.optimizer in _COMPARE_LOSSES


def _of_neighbours(run: RecordedRun, call: OptimizerCall, floor: float) -> Scatter | None:
    """Return the neighbours among the last points of a search without gradients whose losses scatter."""
    history, stop = run.history, call.stop
    if not _compares(call) or history.kept is not None or not history.is_real:
        return None
    own = slice(call.start, stop)
    found = scatter_of_neighbours(history.values.array[own], history.loss.array[own], floor)
    if found is None:
        return None
    last = (len(run.loss) if stop is None else stop) - 1
    first = last + 1 - found.count
    return Scatter(
        "of neighbours", call, first, last, found.changes, found.of_near, found.near, 0.0, found.far, found.count
    )


def _rows_of_differences(calls: list[OptimizerCall], count: int) -> Rows:
    found = np.zeros(count, dtype=bool)
    for call in calls:
        for first, after in call.differences:
            found[first:after] = True
    return np.asarray(np.flatnonzero(found))
