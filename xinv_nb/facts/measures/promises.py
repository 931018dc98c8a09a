"""What the gradient promises of the loss over the way between two evaluations, beside what the loss did.

Method: the change of the loss lies between gradient times step at the two ends wherever the slope along the way changes
in one sense only; the mean of the two (the trapezoidal rule) differs from it by the third power of the step.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.optimizers import optimizer_starts
from xinv_nb.facts.measures.rounding import grain
from xinv_nb.recorded.history import MOST_CHANGES
from xinv_nb.recorded.run import RecordedRun

Rows = NDArray[np.intp]

_DOUBLE, _SINGLE = (float(np.finfo(kind).eps) for kind in (np.float64, np.float32))
_ROUNDING = 1e3
"""Units of rounding below which a change of the loss says nothing."""
_GRAINS = 64.0
"""Multiples of what losses are rounded to, because of larger numbers within them, below which a change says nothing."""
_VISIBLE_BEND = 1e-9
"""How much the promises of two ends have to differ to tell of the curvature."""


@dataclass(frozen=True)
class Ways:
    """Ways from one evaluation to another: a row for each."""

    start: Rows
    """The evaluation at which each begins."""
    end: Rows
    """The evaluation at which each ends."""
    steps: Floats
    change: Floats
    """What the loss did."""
    before: Floats
    """What the gradient where the way begins promises: gradient times step."""
    behind: Floats
    """What the gradient where it ends promises; not a number where that is not known."""
    rounding: Floats
    """How much of the change may be rounding."""
    slopes: Floats
    """The gradients where the ways begin."""

    def __len__(self) -> int:
        return len(self.start)

    def __getitem__(self, chosen: NDArray[np.bool_] | Rows) -> Ways:
        if chosen.dtype == np.bool_ and chosen.all():
            return self  # with what is known of it already
        return Ways(*(getattr(self, name)[chosen] for name in _COLUMNS))

    @cached_property
    def lengths(self) -> Floats:
        """The lengths of the steps."""
        return np.asarray(np.linalg.norm(self.steps, axis=1))

    @cached_property
    def promised(self) -> Floats:
        """The mean of what both ends promise."""
        return (self.before + self.behind) / 2

    @cached_property
    def ratio(self) -> Floats:
        """What the loss did, as a multiple of what was promised."""
        return self.change / self.promised

    @cached_property
    def bend(self) -> Floats:
        """How much the promises of the two ends differ, beside their sizes: 0 on a straight way, at most 1."""
        return np.asarray(np.abs(self.behind - self.before) / (np.abs(self.before) + np.abs(self.behind)))

    @cached_property
    def excess(self) -> Floats:
        """By how much the change lies outside of what both ends promise."""
        low, high = np.minimum(self.before, self.behind), np.maximum(self.before, self.behind)
        return np.maximum(np.maximum(low - self.change, self.change - high), 0.0)

    @cached_property
    def curvature(self) -> Floats:
        """The mean second derivative along each way."""
        return (self.behind - self.before) / self.lengths**2


_COLUMNS = tuple(Ways.__dataclass_fields__)


def is_whole(run: RecordedRun) -> bool:
    """Whether every evaluation and every entry of real parameters was kept, and gradients with them, if not of all.

    >>> is_whole(RecordedRun())
    False
    """
    history = run.history
    return (
        run.evaluations > 1
        and not history.is_on_manifold
        and history.is_real
        and history.kept is None
        and all(leaf.kept is None for leaf in history.leaves)
    )


def ways_of_iterates(run: RecordedRun) -> Ways | None:
    """Return the ways from each accepted iterate to the next; None where they are not known or too few.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for x in (4.0, 3.0, 2.0):
    ...         run.add(x**2, x, 2 * x)
    >>> ways_of_iterates(run).ratio
    array([1., 1.])
    """
    if not is_whole(run):
        return None
    history = run.history
    rows = np.flatnonzero(run.accepted)
    rows = rows[np.isfinite(history.loss.array[rows]) & np.isfinite(history.gradients.array[rows]).all(axis=1)]
    if len(rows) < 2:
        return None
    ways = _ways(run, rows[:-1], rows[1:])
    sound = (ways.lengths > 0) & ~np.isin(ways.end, optimizer_starts(run)) & _of_same_data(run, ways)
    return ways[sound] if sound.any() else None


def ways_of_trials(run: RecordedRun, iterates: Ways | None = None) -> Ways | None:
    """Return the ways from the iterate at which a search began to each of its trials, and to what it accepted.

    Where these are the ways from iterate to iterate, which may be known already, they are not computed again.

    >>> ways_of_trials(RecordedRun()) is None
    True
    """
    if not is_whole(run):
        return None
    accepted, count = run.accepted, run.evaluations
    searched = np.ones(count, dtype=bool)
    for call in run.history.calls:
        for first, after in call.differences:
            searched[first:after] = False
    latest = np.maximum.accumulate(np.where(accepted, np.arange(count), -1))
    ends = np.flatnonzero(searched & np.isfinite(run.loss))
    ends = ends[ends > 0]
    starts = latest[ends - 1]
    ends, starts = ends[starts >= 0], starts[starts >= 0]
    is_known = iterates is not None and np.array_equal(iterates.start, starts) and np.array_equal(iterates.end, ends)
    ways = iterates if iterates is not None and is_known else _ways(run, starts, ends)
    sound = np.isfinite(ways.change) & np.isfinite(ways.before) & (ways.lengths > 0) & _of_same_data(run, ways)
    return ways[sound] if sound.any() else None


def ways_between(run: RecordedRun, starts: Rows, ends: Rows) -> Ways:
    """Return the ways from some evaluations to others, but for those over which the data changed.

    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for x in (4.0, 3.0, 2.0):
    ...         run.add(x**2, x, 2 * x)
    >>> ways_between(run, np.array([0]), np.array([2])).change
    array([-12.])
    """
    ways = _ways(run, starts, ends)
    return ways[_of_same_data(run, ways)]


def rounding_at(run: RecordedRun, rows: Rows) -> Floats:
    """Return how much of the loss of some evaluations may be rounding.

    >>> rounding_at(RecordedRun(), np.array([], dtype=int))
    array([], dtype=float64)
    """
    points, slopes = run.history.values.array[rows], run.history.gradients.array[rows]
    # Each product of the sum may round by its own size, and the points themselves are rounded.
    moved = np.einsum("ij,ij->i", np.abs(points), np.abs(slopes))
    return np.asarray(_ROUNDING * precision(run) * (np.abs(run.loss[rows]) + moved) + _GRAINS * grain(run))


def _ways(run: RecordedRun, starts: Rows, ends: Rows) -> Ways:
    history = run.history
    loss, points, slopes = history.loss.array, history.values.array, history.gradients.array
    steps = points[ends] - points[starts]
    before, behind = (np.einsum("ij,ij->i", steps, slopes[at]) for at in (starts, ends))
    change = loss[ends] - loss[starts]
    rounding = rounding_at(run, starts) + _ROUNDING * precision(run) * np.abs(change)
    return Ways(starts, ends, steps, change, before, behind, rounding, slopes[starts])


def _of_same_data(run: RecordedRun, ways: Ways) -> NDArray[np.bool_]:
    """Return over which ways the objective held the same data: else the loss changes by what no gradient tells of."""
    changes = np.array([row for row, _ in run.history.held][1:], dtype=np.intp)
    if not len(changes):
        return np.ones(len(ways), dtype=bool)
    same = np.searchsorted(changes, ways.start, side="right") == np.searchsorted(changes, ways.end, side="right")
    if len(changes) >= MOST_CHANGES:  # of later ones nothing is known
        same &= ways.end <= changes[-1]
    return np.asarray(same)


def precision(run: RecordedRun) -> float:
    """Return the relative precision of the losses, which may be single in a program that is double elsewhere.

    >>> precision(RecordedRun())
    2.220446049250313e-16
    """
    finite = run.loss[np.isfinite(run.loss)]
    with np.errstate(over="ignore"):
        is_single = (
            len(finite) > 1 and bool(finite.min() != finite.max()) and bool((np.float32(finite) == finite).all())
        )
    return _SINGLE if is_single else _DOUBLE


def largest_curvature(ways: Ways) -> float:
    """Return the largest second derivative along ways, where the slope changes by more than rounding; else 0.

    >>> ways = Ways(*np.array([[0], [1]]), np.ones((1, 1)), *np.array([[1.0], [0.0], [2.0], [0.0]]), np.zeros((1, 1)))
    >>> largest_curvature(ways)
    2.0
    """
    curvature = ways.curvature[ways.bend > _VISIBLE_BEND]
    return float(curvature[np.isfinite(curvature)].max(initial=0.0))
