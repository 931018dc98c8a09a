"""Which watched quantities answered the parameters once and do so no longer, though the loss asks it of them.

Method: from one step to the next, a quantity that changed keeps one value to the last bit, while all that moved moves
on as before and its cotangent keeps asking for the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.watched import Curve
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.recorded.watch import Watch

_FEWEST = 10
"""Iterates at which it keeps its value, and `_FEWEST_BEFORE` at which it had others."""
_FEWEST_BEFORE = 2
_MOST_PARAMETERS = 100
_MOVES = 1e-3
"""Share of its range by which each parameter has to go on moving."""
_NEAR = 3
"""Steps before it stopped and behind, of which the largest count."""
_LIVELY = 0.01
"""Share of its range by which it still changed in one of those before."""
_AS_BEFORE = 0.1
"""Share of the steps before that those behind have to have."""
_MATTERS = 0.01
"""Share of the range of the loss that its own range would be worth at the slope that the loss has in it."""
_LINEAR = 1e-6
"""Share by which that slope has to have varied: a term of the loss has one slope, and may well lie at its lowest."""


@dataclass(frozen=True)
class Unresponsive:
    """A watched quantity that has kept one value."""

    watch: Watch
    since: int
    """The first evaluation with that value."""
    value: float
    cotangent: float
    """The slope of the loss in it, at the end."""


def unresponsive(run: RecordedRun, curves: Iterable[Curve], story: tuple[int, int]) -> Iterator[Unresponsive]:
    """Yield the quantities that no longer respond at the end of a story; none of one that is 0, as a hinge at rest.

    >>> list(unresponsive(RecordedRun(), [], (0, 0)))
    []
    """
    history = run.history if run.evaluations else None
    if history is None or not history.is_real or history.kept is not None or history.width > _MOST_PARAMETERS:
        return
    rows = run.iterates[(run.iterates >= story[0]) & (run.iterates < story[1])]
    if len(rows) < _FEWEST + _FEWEST_BEFORE or not np.isfinite(run.loss[rows]).all():
        return
    fall = float(np.ptp(run.loss[rows]))
    for curve in curves:
        values, slopes = _along(curve, rows)
        since = _since(values) if len(values) else 0
        if since and _is_asked(values, slopes, since, fall) and _stopped_at_once(history.rows(rows), values, since):
            yield Unresponsive(curve.watch, int(rows[since]), float(values[-1]), float(slopes[-1]))


def _along(curve: Curve, rows: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Return values and slopes at some evaluations; none where it was not watched in each of them."""
    places = np.searchsorted(curve.evaluations, rows)
    is_known = places[-1] < len(curve.evaluations) and np.array_equal(curve.evaluations[places], rows)
    return (curve.values[places], curve.cotangents[places]) if is_known else (curve.values[:0], curve.values[:0])


def _since(values: Floats) -> int:
    """Return from which place on all values are one, where they are enough and were others before; else 0."""
    others = np.flatnonzero(values != values[-1])
    since = int(others[-1]) + 1 if len(others) else 0
    is_long = _FEWEST_BEFORE <= since <= len(values) - _FEWEST
    return since if is_long and values[-1] != 0 and np.isfinite(values).all() else 0


def _is_asked(values: Floats, slopes: Floats, since: int, fall: float) -> bool:
    """Whether the loss asks for one way all along, by more than as a term of which it is a sum."""
    late = slopes[since:]
    if not np.isfinite(slopes).all() or not ((late > 0).all() or (late < 0).all()):
        return False
    varies = np.ptp(slopes) > _LINEAR * np.abs(slopes).max()
    return bool(varies and np.abs(late).min() * np.ptp(values) >= _MATTERS * fall)


def _stopped_at_once(points: Floats, values: Floats, since: int) -> bool:
    """Whether it stopped from one step to the next, and all that moved goes on as before: else it may have converged.

    What converges changes by less and less before it keeps a value, or what it depends on stands still with it.
    """
    ways, late = np.ptp(points, axis=0), np.ptp(points[since:], axis=0)
    moved = np.ptp(points[: since + 1], axis=0) > 0
    if not np.isfinite(ways).all() or not moved.any() or (late[moved] < _MOVES * ways[moved]).any():
        return False
    steps = np.linalg.norm(np.diff(points[:, moved] / ways[moved], axis=0), axis=1)
    before, after = slice(max(since - _NEAR, 0), since), slice(since, since + _NEAR)
    change = float(np.abs(np.diff(values)[before]).max())
    return bool(change >= _LIVELY * np.ptp(values) and steps[after].max() >= _AS_BEFORE * steps[before].max())
