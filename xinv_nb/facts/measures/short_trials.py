"""Trials of a search that get ever shorter, and a loss that never does what the gradient promises of them.

Method: a Taylor test along the direction of a search, with the trials that were made anyway: what comes of curvature
goes away as the trials get shorter, what comes of a wrong gradient stays in proportion.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from xinv_nb.facts.measures.contradictions import disagree, visible
from xinv_nb.facts.measures.promises import Ways

_OF_BOTH_ENDS, _OF_ITS_START = (3, 10.0, 0.3), (4, 100.0, 0.1)
"""How many trials of one search have to disagree, how many times as long as the shortest the longest of them has to be,
since what comes of curvature vanishes with the length, and share of the disagreement by which it may vary among them,
since noise and jumps vary more: where the gradients at their ends are known, and where only that at their start is."""
_SHORT = 0.03
"""How much the promises of both ends may differ on a way that is short beside the curvature."""
_MOST = 20
"""Searches that are looked at, of those in which trials are off."""
_SAME = 1e-3
"""How nearly a turned sign of one entry has to explain the losses."""
_CURVED = 1e-2
"""How much more curvature may leave unexplained."""


@dataclass(frozen=True)
class Ray:
    """Trials from one point along one direction, the shortest first."""

    trials: Ways
    is_of_both_ends: bool
    """Whether the gradients at the ends are known as well: where they are not, there may be a kink at the start."""

    def turned(self) -> int | None:
        """Return the column of the one entry of the gradient of which the other sign would explain the losses."""
        trials = self.trials
        unsure = trials.bend + trials.rounding / np.abs(trials.promised)
        exact = int(np.argmin(unsure))
        if unsure[exact] > _SAME:
            return None
        same = _SAME
        if not self.is_of_both_ends:  # the shortest that is no rounding is the one that curves least
            exact = min(int(np.argmax(unsure <= _SAME)), len(trials) - 2)
            same += min(abs(float(trials.ratio[exact + 1] / trials.ratio[exact]) - 1), _CURVED)
        change = float(trials.change[exact])
        would = float(trials.before[exact]) - 2 * trials.steps[exact] * trials.slopes[exact]
        columns = np.flatnonzero(np.abs(change - would) <= same * np.abs(change))
        return int(columns[0]) if len(columns) == 1 else None


def steady_ray(trials: Ways) -> Ray | None:
    """Return the trials of a search that disagree by the same share, however short they are; None where none do.

    Examples
    --------
    >>> from scipy.optimize import minimize
    >>> import xinv_nb as xi
    >>> from xinv_nb.facts.measures.promises import ways_of_trials
    >>> with xi.record() as run:
    ...     result = minimize(lambda x: x @ x, np.ones(2), jac=lambda x: np.array([2, -6]) * x, method="SLSQP")
    >>> ray = steady_ray(ways_of_trials(run))
    >>> round(float(ray.trials.ratio[0]), 3), ray.is_of_both_ends
    (-0.2, False)
    """
    known = np.isfinite(trials.behind)
    both = visible(trials[known])
    both = both[(both.bend <= _SHORT) & (both.change != 0)]
    at_start = trials[~known]
    at_start = visible(replace(at_start, behind=at_start.before))
    return _steady(both, is_of_both_ends=True) or _steady(at_start, is_of_both_ends=False)


def _steady(trials: Ways, *, is_of_both_ends: bool) -> Ray | None:
    if not len(trials):
        return None
    fewest, shorter, steady = _OF_BOTH_ENDS if is_of_both_ends else _OF_ITS_START
    starts, counts = np.unique(trials.start[disagree(trials)], return_counts=True)
    for start in starts[counts >= fewest][:_MOST]:
        ray = trials[trials.start == start]
        ray = ray[np.argsort(ray.lengths)]
        if not is_of_both_ends:  # of which nothing tells how long the trials are that are short
            varies = np.abs(ray.ratio - ray.ratio[0]) > steady * np.abs(ray.ratio[0] - 1)
            ray = ray[np.arange(np.argmax(varies) if varies.any() else len(ray))]
        apart, wrong = float(np.ptp(ray.ratio)), abs(float(np.mean(ray.ratio)) - 1)
        is_long = len(ray) >= fewest and ray.lengths[-1] >= shorter * ray.lengths[0]
        if is_long and disagree(ray).all() and apart <= steady * wrong:
            return Ray(ray, is_of_both_ends)
    return None
