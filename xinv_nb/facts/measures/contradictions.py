"""Where losses and gradients of near points contradict each other, whatever the optimizer did between them.

Method: a Taylor test on the points that were evaluated anyway. By how much the change of the loss between two points
differs from what the gradients at both promise shrinks with the third power of their distance where the loss is smooth,
does not shrink where it is noisy or jumps, and shrinks like the distance itself where the gradient is another
function's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.losses import finite_iterates
from xinv_nb.facts.measures.promises import Rows, Ways, is_whole, rounding_at, ways_between
from xinv_nb.recorded.run import RecordedRun

OFF = 0.05
"""How far the change has to be from what was promised, as a share of it, beside the square of how much the ends differ:
by that the trapezoidal rule may be off where the loss is a power of the distance, however short the way."""
_BEYOND = 0.02
"""How far the change has to be outside of both promises, as a share of them: across a kink it lies between them."""
_QUANTA = 10.0
"""How many times the smallest change of a loss that is rounded a promise has to be."""
_LATEST, _LOOKED_AT = 30, 200
"""Points that are compared, each with each: the last whose losses differ visibly."""
_MOST_PARAMETERS = 500
_VISIBLE = 3.0
"""How many times what may be rounding a change has to be."""
_OUTSIDE = 0.1
"""Share of what is promised by which the change has to lie outside of both promises."""
_BENT = 0.6
"""How much the promises of both ends may differ on a way that can show a contradiction."""
_FEWEST, _FEWEST_POINTS = 6, 5
_SHORTER = 50.0
"""How many times as far as the nearest two contradicting points the farthest have to lie apart."""
_MOSTLY = 0.8
"""Share of the ways that have to contradict: of all, and of the shortest third."""
_POWERS = (0.6, 2.4)
"""Power of the distance with which the contradiction may shrink: 1 for a wrong gradient, 2 for one that is wrong by a
factor and goes to 0 beside a minimum, 0 for noise, 3 for curvature."""
_MATTERS, _MATTERS_IN_ALL = 5e-3, 1e-3
"""Share of the steepest slope by which a slope, or of the range of the loss by which a change, has to be off: else the
gradient is only inexact, as differences are."""


def disagree(ways: Ways) -> NDArray[np.bool_]:
    """Return on which ways, if they are short, the loss does not what was promised.

    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for x in (4.0, 3.5, 3.0):
    ...         run.add(x**2, x, 2 * x if x > 3 else 9.0)
    >>> disagree(ways_between(run, np.array([0, 1]), np.array([1, 2]))).tolist()
    [False, True]
    """
    outside = ways.excess > _BEYOND * np.abs(ways.promised)
    return np.asarray(outside & (np.abs(ways.ratio - 1) > OFF + ways.bend**2))


def visible(ways: Ways) -> Ways:
    """Return the ways over which more is promised than rounding, which may be one of the loss to so many digits.

    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for x in (4.0, 3.9999, 3.0, 2.0):
    ...         run.add(round(x**2, 2), x, 2 * x)
    >>> visible(ways_between(run, np.arange(3), np.arange(1, 4))).end.tolist()
    [2, 3]
    """
    seen = ways[np.abs(ways.promised) > ways.rounding]
    stays = seen.change == 0
    if not stays.any():
        return seen
    smallest = float(np.abs(seen.change[~stays]).min(initial=np.inf))
    return seen[np.abs(seen.promised) > _QUANTA * smallest]


def contradictions(run: RecordedRun) -> Ways | None:
    """Return the ways between two points each that show the gradient to be another function's; None where none do.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for k in range(8):
    ...         run.add(0.3**k, 0.3**k, gradients=-2.0)
    >>> ways = contradictions(run)
    >>> bool((ways.change * ways.promised < 0).all())
    True
    """
    if not is_whole(run) or run.history.width > _MOST_PARAMETERS:
        return None
    rows = _different(run)
    if len(rows) < _FEWEST_POINTS:
        return None
    first, second = np.triu_indices(len(rows), 1)
    ways = ways_between(run, rows[first], rows[second])
    differ = np.abs(ways.change - ways.promised)
    seen = np.isfinite(differ) & (differ > _VISIBLE * ways.rounding) & (ways.lengths > 0)
    ways, differ = ways[seen], differ[seen]
    with np.errstate(all="ignore"):
        contradict = ways.excess > _OUTSIDE * np.maximum(np.abs(ways.before) + np.abs(ways.behind), np.abs(ways.change))
        can = (ways.bend <= _BENT) | contradict
    if not _is_clear(ways, differ, contradict, can):
        return None
    return ways[contradict] if matters(run, ways[contradict]) else None


def matters(run: RecordedRun, ways: Ways) -> bool:
    """Whether the gradient is off by more than one that is only inexact, as differences are.

    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for x in (4.0, 3.0, 2.0):
    ...         run.add(x**2, x, 2 * x + 1e-4)
    >>> matters(run, ways_between(run, np.array([0, 1]), np.array([1, 2])))
    False
    """
    differ = np.abs(ways.change - ways.promised)
    rows = finite_iterates(run)
    rows = rows[run.loss[rows] <= run.loss[rows[0]]]  # a run that flies off gets where all is steep
    sizes = np.linalg.norm(run.history.rows(rows, "gradients"), axis=1)
    off, off_in_all = float((differ / ways.lengths).max()), float(differ.max())
    steepest, fall = float(np.nanmax(sizes)), float(np.ptp(run.loss[rows]))
    return off >= _MATTERS * steepest or 0 < _MATTERS_IN_ALL * fall <= off_in_all


def _is_clear(ways: Ways, differ: Floats, contradict: NDArray[np.bool_], can: NDArray[np.bool_]) -> bool:
    """Whether most ways contradict, the shortest as well, by about as much of their length: no noise does, no curve."""
    count = int(np.count_nonzero(contradict))
    if count < _FEWEST or len(np.unique([ways.start[contradict], ways.end[contradict]])) < _FEWEST_POINTS:
        return False
    lengths = np.log(ways.lengths[contradict])
    if not np.ptp(lengths) >= np.log(_SHORTER):
        return False
    as_long = can & (ways.lengths <= ways.lengths[contradict].max())
    short = as_long & (ways.lengths <= np.quantile(ways.lengths[as_long], 1 / 3))
    if contradict[as_long].mean() < _MOSTLY or contradict[short].mean() < _MOSTLY:
        return False
    apart = lengths - lengths.mean()
    power = float(apart @ np.log(differ[contradict])) / float(apart @ apart)
    return _POWERS[0] <= power <= _POWERS[1]


def _different(run: RecordedRun) -> Rows:
    """Return the last evaluations of the last optimizer of which each differs visibly in its loss from the next one."""
    history = run.history
    since = history.calls[-1].start if history.calls else 0
    known = np.isfinite(run.loss) & np.isfinite(history.gradients.array).all(axis=1)
    known[:since] = False
    rows = np.flatnonzero(known)[-_LOOKED_AT:]
    loss = run.loss[rows]
    visible = _VISIBLE * rounding_at(run, rows)
    kept: list[int] = []
    for place in range(len(rows) - 1, -1, -1):
        if not kept or abs(loss[place] - loss[kept[-1]]) > max(visible[place], visible[kept[-1]]):
            kept.append(place)
    return rows[kept[_LATEST - 1 :: -1] if len(kept) > _LATEST else kept[::-1]]
