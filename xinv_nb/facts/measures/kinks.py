"""Kinks of a loss: the slope changes by as much over a short way as over a long one, as by no curvature."""

from __future__ import annotations

import numpy as np

from xinv_nb.facts.measures.promises import Ways

_KINK, _VARIED = 0.5, 1.5
"""Power of the length of a step up to which the slope changes by it where it crosses kinks: by a smooth loss it is 1;
and how many times as long as the shortest the longest has to be for it to show."""
_NEAR, _MUCH, _SEEN = 1e-4, 0.1, 1e-6
"""Share of a ray over which the slope along it changes at once, by which share of the largest on it, and of all."""


def cross_kinks(ways: Ways) -> bool:
    """Whether slopes change by as much over short steps as over long ones, or over equal ones are few: no curvature.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from xinv_nb.facts.measures.promises import ways_of_iterates
    >>> with xi.record() as run:
    ...     for x in (0.7, -0.3, 0.4, -0.2, 0.3):
    ...         run.add(abs(x), x, 1.0 if x > 0 else -1.0)
    >>> cross_kinks(ways_of_iterates(run))
    True
    """
    bends = ways.behind - ways.before
    lengths, changes = np.log(ways.lengths[bends > 0]), np.log((bends / ways.lengths)[bends > 0])
    if not len(lengths) or np.ptp(lengths) < np.log(_VARIED):
        return has_few_slopes(ways)
    apart = lengths - lengths.mean()
    return float(apart @ changes) < _KINK * float(apart @ apart)


def has_few_slopes(ways: Ways) -> bool:
    """Whether the gradient has few values, as that of a loss has which is flat or inclined but nowhere curved.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from xinv_nb.facts.measures.promises import ways_of_iterates
    >>> with xi.record() as run:
    ...     for x in (0.7, -0.3, 0.4, -0.2, 0.3):
    ...         run.add(abs(x), x, 1.0 if x > 0 else -1.0)
    >>> has_few_slopes(ways_of_iterates(run))
    True
    """
    return len(np.unique(ways.slopes, axis=0)) <= len(ways) / 2


def end_at_kink(trials: Ways | None) -> bool:
    """Whether the last search came to where the slope along it changes at once, from down to up.

    >>> end_at_kink(None)
    False
    """
    if trials is None:
        return False
    ray = trials[trials.start == trials.start[-1]]
    lengths = np.append(0.0, ray.lengths)
    slopes = np.append(ray.before[-1] / ray.lengths[-1], ray.behind / ray.lengths)
    known = np.isfinite(slopes)
    order = np.argsort(lengths[known], kind="stable")
    apart, change = np.diff(lengths[known][order]), np.diff(slopes[known][order])
    least = max(_MUCH * float(np.abs(slopes[known]).max()), _SEEN * float(np.linalg.norm(trials.slopes, axis=1).max()))
    return bool(((apart > 0) & (apart <= _NEAR * lengths.max()) & (change > least)).any())
