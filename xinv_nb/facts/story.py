"""Which evaluations are told as one story: the fit that is shown, with those before and after it that are one way.

Where one optimizer takes over where another stopped (Adam, then BFGS), both make one way down, and are told together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from xinv_nb.facts.fit import Fit, fits_of, iterates_of_fit
from xinv_nb.facts.measures.blocks import blocks_of
from xinv_nb.facts.measures.fits import changes_of_data, stretches
from xinv_nb.facts.measures.players import arguments_of
from xinv_nb.facts.measures.stretch import Stretch
from xinv_nb.recorded.excerpt import Places
from xinv_nb.recorded.run import RecordedRun

_SAME_LOSS = 1e-6
"""Share by which two losses at one point may differ where they are of the same data."""
_ROUNDING = 1e-12
"""The same where the objective begins to hold something else, which may be other data."""
_SAME_POINT = 1e-9
_FEWEST_STEPS = 3
_LAST_STEP = 2.0
"""How many times as long as the last step that was seen the one may be that an optimizer took before it returned."""


@dataclass(frozen=True)
class Parts:
    """What the evaluations of one objective are: fits, looks between them, and the story that is told."""

    run: RecordedRun
    stretches: tuple[Stretch, ...]
    fits: tuple[Fit, ...]
    shown: int
    """The number of the fit that is shown, from 0; −1 where there is none."""
    story: tuple[int, int]
    """The evaluations that the story is of: the first, and the one after the last."""

    @property
    def is_plot(self) -> bool:
        """Whether there is no fit at all: all evaluations are points of a plot."""
        return bool(self.stretches) and not self.fits

    @property
    def is_whole(self) -> bool:
        """Whether the story is of all evaluations."""
        return self.story == (0, self.run.evaluations) and not self.places.left_out

    @property
    def places(self) -> Places:
        """Where the evaluations of the story stand among all: looks that interrupted it are no part of it."""
        start, stop = self.story
        return Places(start, tuple(look for fit in self.fits if start <= fit.start < stop for look in fit.looks))

    @cached_property
    def are_comparable(self) -> bool:
        """Whether the losses of the fits can be compared: no point has one loss here and another there."""
        if any(fit.start in changes_of_data(self.run) for fit in self.fits):
            return False
        known: dict[bytes, float] = {}
        for fit in self.fits:
            of_fit = {}
            for row in _compared(self.run, fit):
                key, loss = self.run.history.values.array[row].tobytes(), float(self.run.loss[row])
                if key in known and abs(loss - known[key]) > _SAME_LOSS * max(abs(loss), abs(known[key])):
                    return False
                of_fit[key] = loss
            known |= of_fit
        return True


_FIRST = 3
"""The first evaluations of each fit, of which the points are compared: fits of several data have often one start."""


def _compared(run: RecordedRun, fit: Fit) -> list[int]:
    """Return the evaluations at which fits may meet: the first ones, and the ends, from which the next may start."""
    if run.history.kept is not None:
        return []
    iterates = iterates_of_fit(run, fit)[-1:]
    first = range(fit.start, min(fit.start + _FIRST, fit.stop))
    return [*first, fit.best, *iterates.tolist(), fit.stop - 1]


def parts_of(run: RecordedRun, chosen: int | None = None) -> Parts:
    """Return what the evaluations of `run` are; the fit that is shown is `chosen`, or else the best.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for rate in (0.1, 0.4):
    ...         x = 4.0
    ...         for _ in range(8):
    ...             run.add(x**2, x, 2 * x)
    ...             x -= rate * 2 * x
    >>> parts = parts_of(run)
    >>> parts.shown, parts.story
    (1, (8, 16))
    """
    found = tuple(stretches(run))
    fits = tuple(fits_of(run, found, run.history.objective))
    parts = Parts(run, found, fits, -1, (0, run.evaluations))
    if not fits:
        return parts
    shown = _best(parts) if chosen is None or not 0 <= chosen < len(fits) else chosen
    return Parts(run, found, fits, shown, _story(run, found, fits, shown))


def _best(parts: Parts) -> int:
    """Return the number of the fit with the lowest loss; of fits that cannot be compared, of the last one."""
    if not parts.are_comparable:
        return len(parts.fits) - 1
    lowest = [float(parts.run.loss[fit.best]) for fit in parts.fits]
    return int(np.argmin([loss if np.isfinite(loss) else np.inf for loss in lowest]))


def _story(run: RecordedRun, found: Sequence[Stretch], fits: Sequence[Fit], shown: int) -> tuple[int, int]:
    """Return the evaluations of the fit that is shown and of those it goes on from, or that go on from it."""
    first = last = shown
    by_turns = bool(blocks_of(run))  # then a call that moved nothing is no start again
    while first > 0 and _goes_on(run, found, fits[first - 1], fits[first], by_turns=by_turns):
        first -= 1
    while last + 1 < len(fits) and _goes_on(run, found, fits[last], fits[last + 1], by_turns=by_turns):
        last += 1
    return fits[first].start, fits[last].stop


def _goes_on(run: RecordedRun, found: Sequence[Stretch], earlier: Fit, later: Fit, *, by_turns: bool) -> bool:
    """Whether a fit starts where an earlier one ended, at its best point, or one step on, as optimizers return it."""
    between = [each for each in found if earlier.stop <= each.start and each.stop <= later.start]
    if any(each.look != "again" for each in between):
        return False
    rows = iterates_of_fit(run, earlier)
    ends = {earlier.best, int(rows[-1]) if len(rows) else earlier.stop - 1, earlier.stop - 1}
    history = run.history
    start, loss = history.values.array[history.row_of(later.start)], float(run.loss[later.start])
    holds_others = any(row == later.start for row, _ in history.held)
    same = _ROUNDING if holds_others else _SAME_LOSS
    if np.array_equal(history.values.array[history.row_of(earlier.start)], start) and not by_turns:
        return False
    for end in ends:
        point = history.values.array[history.row_of(end)]
        is_there = np.abs(point - start).max() <= _SAME_POINT * float(np.abs(start).max())
        if is_there and abs(run.loss[end] - loss) <= same * abs(run.loss[end]):
            return True
    if by_turns and _is_search_on(run, earlier, later):
        return True
    if len(rows) < _FEWEST_STEPS or holds_others:
        return False
    before, last = (history.values.array[history.row_of(int(row))] for row in rows[-2:])
    step = _LAST_STEP * float(np.linalg.norm(last - before))
    change = _LAST_STEP * abs(float(run.loss[rows[-1]] - run.loss[rows[-2]]))
    return bool(np.linalg.norm(start - last) <= step and abs(loss - run.loss[rows[-1]]) <= change)


def _is_search_on(run: RecordedRun, earlier: Fit, later: Fit) -> bool:
    """Whether a search over one argument, which begins anywhere, leaves the others where a fit before it ended."""
    values = run.history.values.array
    differs = values[later.start] != values[earlier.best]
    moved = [leaves for leaves in arguments_of(run) if differs[leaves[0].start : leaves[-1].end].any()]
    lowest = float(run.loss[earlier.best])
    return len(moved) <= 1 and float(run.loss[later.best]) <= lowest + _SAME_POINT * abs(lowest)
