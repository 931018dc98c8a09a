"""Steps over which the loss jumps: one rises far beyond what the slopes at both ends and the curvature allow."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.measures.promises import Ways

_FEWEST = 5
"""Steps that do what their gradients promise, beside which one can stand out."""
FAR = 6.0
"""How many times what slopes and curvature allow a rise has to be."""
_SHORT = 3.0
"""How many times the usual step of its time a step may be long."""
_NEAR = 5
"""Steps before one and behind it that tell what is usual."""
_EXACT = 0.1
"""How far steps may be from what their gradients promise, and how many of them may be farther."""
_MATTERS = 0.05
"""Share of the range of the losses from which on a jump matters."""
_MOST = 0.7
"""Share of the steps up to which they are jumps, and no noise."""
_SCHEDULE = 5
"""Iterations of which all jumps are at multiples where they are the program's own plan, such as a weight that grows."""
_FEW = 3
"""Jumps up to which each is a border between phases."""
_STANDS_OUT = 3.0
"""How many times what slopes and curvature allow a rise has to be to be such a border."""


def jumps_of(ways: Ways | None, times: float = FAR) -> Ways | None:
    """Return the ways over which the loss jumps up, where all others do what their gradients promise.

    A jump is so many `times` higher than what slopes and curvature allow.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from xinv_nb.facts.measures.promises import ways_of_iterates
    >>> with xi.record() as run:
    ...     for step in range(20):
    ...         x = 1 - 0.05 * step
    ...         run.add(x + 5 * (x < 0.42), x, 1.0)
    >>> jumps_of(ways_of_iterates(run)).end
    array([12])
    """
    if ways is None:
        return None
    allowed = np.abs(ways.before) + np.abs(ways.behind)
    far = np.abs(ways.change) > times * allowed + ways.rounding
    places = np.flatnonzero(far)
    if not 0 < len(places) <= _MOST * len(ways) or len(ways) - len(places) < _FEWEST:
        return None
    exact = np.abs(ways.change - ways.promised) <= _EXACT * allowed + ways.rounding
    if np.mean(exact[~far]) < 1 - _EXACT:
        return None  # nothing does what it promises here: noise, or a wrong gradient
    reach = float(ways.change.max() if len(ways) == 1 else np.ptp(np.cumsum(ways.change)))
    rises = places[ways.change[places] >= _MATTERS * max(reach, float(np.abs(ways.change).max()))]
    bends = np.abs(ways.curvature)
    found = [place for place in rises if _is_short(ways, bends, place, times)]
    by_plan = len(places) > 1 and math.gcd(*(int(row) for row in ways.end[places])) >= _SCHEDULE
    if not found or by_plan:
        return None
    return ways[np.array(found)]


def borders_of(ways: Ways | None) -> list[int]:
    """Return the evaluations to which the loss jumped, where these are few: another stretch of it begins there.

    >>> borders_of(None)
    []
    """
    jumps = jumps_of(ways, _STANDS_OUT)
    return [] if jumps is None or len(jumps) > _FEW else [int(row) for row in jumps.end]


def _is_short(ways: Ways, bends: NDArray[np.float64], place: int, times: float) -> bool:
    """Whether a step is as short as those around it, and the loss rises more than their curvature allows."""
    near = np.r_[max(place - _NEAR, 0) : place, place + 1 : min(place + 1 + _NEAR, len(ways))]
    length = float(ways.lengths[place])
    bent = float(bends[near].max()) * length**2
    return length <= _SHORT * float(np.median(ways.lengths[near])) and float(ways.change[place]) > times * bent
