"""Which evaluations of a program's own search were trials that it took back: points on one ray, or none that is lower.

Method: backtracking (Armijo 1966; Nocedal & Wright 2006, 3.1) tries points on one ray from the last iterate, ever
nearer to it. A search that has no gradient goes on from the lowest point so far, not from the last one that it tried.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recorded.columns import in_real_numbers
from xinv_nb.recorded.history import History
from xinv_nb.recording.derived import DerivedPoints
from xinv_nb.recording.solvers.going_back import back_by_derivatives, back_by_steps, leads_down
from xinv_nb.recording.solvers.searches import are_on_a_lattice, search_on_lines

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

_STRAIGHT = 1e-9
"""Sine of the angle up to which two steps lie on one line."""
_SAME_RATIO = 1e-6
_STEPS = 6
"""Steps of which the rate is compared: later ones may be rounded."""
_ROUNDING = 1e-10
"""Share of a loss by which a search that finds nothing lower any more may end above where it started."""
_FEWEST = 5
"""Evaluations that were not lower which it takes to tell a search that returns to its lowest point from a walk."""
_FEWEST_BY_SIGN, _FACTORS, _MOSTLY, _OFTEN = 8, 4, 0.9, 0.1
"""Steps, and the most frequent factors between steps that make up most of all, from which on a program goes by signs;
the share of these at least by one of which they grow."""
_FEWEST_LOWER = 3
"""Points lower than all before that a search finds, the last of them not in the first half: else it may diverge."""
_RETURNS = 0.55
"""Share of the evaluations behind one that was not lower that start from the lowest point, from which on it is one."""


def settle(history: History, derived: DerivedPoints, *, is_over: bool) -> None:
    """Mark the trials of a program's own search in a history; those of solvers that are followed are known already.

    `derived` is where the program took other derivatives; `is_over` tells that no more evaluations will come.
    """
    if history.kept is not None or not history.width:
        return
    points, loss = in_real_numbers(history.values.array), history.loss.array
    at, times = 0, derived.times()
    for call in [*history.calls, None]:
        stop = len(loss) if call is None else call.start
        if stop - at > 2:
            with np.errstate(all="ignore"):  # of a run that diverged
                judged = back_by_derivatives(points[at:stop], loss[at:stop], times, at)
                if judged is None:
                    judged = _judged(history, slice(at, stop), points, is_over=is_over or stop < len(loss))
            for row, accepted in judged.items():
                history.set_accepted(at + row, accepted=accepted)
        if call is not None:
            at = max(at, len(loss) if call.stop is None else call.stop)


def _judged(history: History, part: slice, points: Floats, *, is_over: bool) -> dict[int, bool]:
    """Return of what is known of a part's rows whether the search accepted them."""
    loss = history.loss.array[part]
    if not history.has_gradients:
        return dict.fromkeys(trials_without_gradient(points[part], loss).tolist(), False)
    slopes = in_real_numbers(history.gradients.array[part])
    if _goes_by_sign(points[part], slopes):
        return {}
    found = search_on_lines(points[part], loss, slopes, is_over=is_over)
    if found is None:
        rows = {*trials_on_rays(points[part], loss, slopes, is_over=is_over).tolist()}
        found = dict.fromkeys(sorted(rows.union(back_by_steps(points[part], loss, slopes))), False)
    return found


def _goes_by_sign(points: Floats, slopes: Floats) -> bool:
    """Whether each number goes down its own slope, by a step that grows and shrinks by the same few factors.

    So does Rprop (Riedmiller & Braun 1993): that a number goes back is a step of its own, and takes none back.
    """
    steps = np.diff(points, axis=0)
    if len(steps) < _FEWEST_BY_SIGN or not np.isfinite(steps).all() or ((steps * slopes[:-1]) > 0).any():
        return False
    sizes = np.abs(steps)
    both = (sizes[1:] > 0) & (sizes[:-1] > 0)
    ratios = sizes[1:][both] / sizes[:-1][both]
    if len(ratios) < _FEWEST_BY_SIGN:
        return False
    factors, counts = np.unique(np.round(np.log(ratios), 4), return_counts=True)
    grows = counts[factors > 0].max(initial=0) >= _OFTEN * len(ratios)  # a search grows by another factor each time
    return bool(grows and np.sort(counts)[-_FACTORS:].sum() >= _MOSTLY * len(ratios))


def trials_on_rays(points: Floats, loss: Floats, slopes: Floats | None = None, *, is_over: bool) -> Rows:
    """Return the rows of trials of a line search that goes back towards where it started from.

    `is_over` tells that no more evaluations will come, so that a search that found nothing is one as well.

    Examples
    --------
    >>> points = np.array([[0.0, 0.0], [4.0, 2.0], [2.0, 1.0], [1.0, 0.5], [1.0, 1.5]])
    >>> trials_on_rays(points, np.array([5.0, 9.0, 6.0, 4.0, 3.0]), is_over=True)
    array([1, 2])
    """
    changes = (points[1:] != points[:-1]).any(axis=1)
    firsts = np.flatnonzero(np.concatenate([[len(points) > 0], changes]))
    if len(firsts) < 3:
        return np.zeros(0, dtype=np.intp)
    apart = points[firsts]
    steps = np.diff(apart, axis=0)
    sizes = np.linalg.norm(steps, axis=1)
    with np.errstate(all="ignore"):
        cosines = (steps[1:] * steps[:-1]).sum(axis=1) / (sizes[1:] * sizes[:-1])
    turns = (cosines < -1 + _STRAIGHT**2 / 2 + 4e-16) & (sizes[1:] <= sizes[:-1])
    found: list[int] = []
    ratios: list[float] = []
    at, took_back = 0, False
    is_one_line = bool((np.abs(np.abs(cosines) - 1) < 1e-12).all())
    if slopes is not None and not is_one_line and _goes_by_schedule(steps, -slopes[firsts[:-1]]):
        return np.zeros(0, dtype=np.intp)
    if not is_one_line and are_on_a_lattice(steps, along_axes=False):
        return np.zeros(0, dtype=np.intp)
    for base in np.flatnonzero(turns).tolist():
        if base < at:
            continue
        tried, at, of_ray = _ray(apart, base, evenly=is_one_line)
        # A line is a ray from any of its points, also from the end of another fit; else a step down from base counts.
        first = base + 1 if is_one_line else base
        if slopes is not None and _is_descent(apart[first : at + 1], slopes[firsts[first : at + 1]]):
            continue
        worse = [k for k in tried if not loss[firsts[k]] <= loss[firsts[base]]]
        if is_one_line or at + 1 >= len(apart):
            tried = worse
        elif loss[firsts[at]] > loss[firsts[base]] + _ROUNDING * abs(loss[firsts[base]]):
            continue  # what it went on from was no lower: no search for a lower point
        elif slopes is not None:  # what is lower may be a step of its own, where the next one leads down from it
            tried = [k for k in tried if k in worse or not leads_down(apart[k : k + 2], slopes[firsts[k]])]
        if at + 1 >= len(apart):
            if not is_over:
                break
            if loss[firsts[at]] > loss[firsts[base]]:
                tried = [*tried, at]
        found += tried
        took_back = took_back or bool(worse)
        ratios += of_ray if tried else []
    if is_one_line and (len(ratios) < 2 or np.ptp(ratios) > _SAME_RATIO):
        return np.zeros(0, dtype=np.intp)
    if not took_back:  # steps to and fro that all led lower
        return np.zeros(0, dtype=np.intp)
    ends = np.append(firsts[1:], len(points))
    rows = [row for k in found for row in range(firsts[k], ends[k])]
    return np.array(sorted(set(rows)), dtype=np.intp)


def _goes_by_schedule(steps: Floats, down: Floats) -> bool:
    """Whether each step goes down its own gradient, and is never longer for it than the one before."""
    with np.errstate(all="ignore"):  # a slope of 0 leads nowhere
        rates = (steps * down).sum(axis=1) / (down * down).sum(axis=1)
    missed = np.abs(steps - rates[:, None] * down).max(axis=1)
    are_along = bool((missed <= _SAME_RATIO * np.abs(steps).max(axis=1)).all())
    return are_along and bool((rates > 0).all()) and bool((rates[1:] <= (1 + _SAME_RATIO) * rates[:-1]).all())


def _is_descent(points: Floats, slopes: Floats) -> bool:
    """Whether points on a line are steps down the gradient, all as long for it: a descent from a start, no search."""
    steps, down = np.diff(points, axis=0), -slopes[:-1]
    down = down * (steps != 0).any(axis=0)  # also of one that moves some entries only
    if len(steps) < 2:
        return False
    with np.errstate(all="ignore"):  # a slope of 0 leads nowhere
        rates = (steps * down).sum(axis=1) / (down * down).sum(axis=1)
    rates, missed = rates[:_STEPS], np.abs(steps - rates[:, None] * down).max(axis=1)[:_STEPS]
    are_along = bool((missed <= _SAME_RATIO * np.abs(steps[:_STEPS]).max(axis=1)).all())
    return are_along and rates[0] > 0 and bool(np.ptp(rates) <= _SAME_RATIO * rates[0])


def _ray(points: Floats, base: int, *, evenly: bool) -> tuple[list[int], int, list[float]]:
    """Return the points that were tried on one ray from `base`, the one that it ended at, and how they came nearer.

    Where all points of a program lie on one line, a ray ends where they do not come nearer by one share, `evenly`.
    """
    way = points[base + 1] - points[base]
    length = float(way @ way)
    tried, last, at = [], base + 1, 1.0
    ratios: list[float] = []
    for k in range(base + 2, len(points)):
        offset = points[k] - points[base]
        along = float(offset @ way) / length
        if np.linalg.norm(offset - along * way) > _STRAIGHT * np.sqrt(length) or not 0 <= along < at:
            break
        if evenly and ratios and abs(along / at - ratios[0]) > _SAME_RATIO:
            break
        if along > 0:
            tried.append(last)
            ratios.append(along / at)
            last, at = k, along
    return tried, last, ratios


def trials_without_gradient(points: Floats, loss: Floats) -> Rows:
    """Return the rows that a search without gradients tried and that were no lower than the lowest so far.

    None, where the program goes on from each point that it evaluates, as one that steps.

    Examples
    --------
    >>> points = np.array([[4.0], [2.0], [7.0], [1.9], [-3.0], [1.8], [5.0], [1.7], [-2.0], [4.0], [1.6]])
    >>> trials_without_gradient(points, points[:, 0] ** 2)
    array([2, 4, 6, 8, 9])
    """
    if not np.isfinite(points).all():
        return np.zeros(0, dtype=np.intp)
    best = np.fmin.accumulate(np.where(np.isnan(loss), np.inf, loss))
    lower = np.concatenate([[True], loss[1:] < best[:-1]])
    worse = np.flatnonzero(~lower[:-1])  # those behind which another came
    lows = np.flatnonzero(lower)
    if len(worse) < _FEWEST or len(lows) < _FEWEST_LOWER or lows[-1] < len(loss) / 2:
        return np.zeros(0, dtype=np.intp)
    lowest = np.maximum.accumulate(np.where(lower, np.arange(len(loss)), 0))
    to_best = np.linalg.norm(points[worse + 1] - points[lowest[worse]], axis=1)
    to_last = np.linalg.norm(points[worse + 1] - points[worse], axis=1)
    returns = float(np.mean(to_best <= to_last))
    return np.flatnonzero(~lower) if returns >= _RETURNS else np.zeros(0, dtype=np.intp)
