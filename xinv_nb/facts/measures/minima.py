"""Other minima of an objective than the one where a run ended, as further evaluations found them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.determination import Determination
from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.names import values_of
from xinv_nb.language.slots import Listed
from xinv_nb.recorded.checks import Checks
from xinv_nb.recorded.entries import Entry

_EQUAL = 1e-6
"""Share of the fall by which two losses may differ that are equal."""
_HILL = 1e-4
"""Share of the fall by which the loss rises between two minima that are no valley."""
_IN_PLACE = 0.03
"""Share of what lies between two parameters by which each may miss the other's place."""
_MOVED = 0.05
"""Share of a parameter's size from which it is elsewhere."""
_NOTHING = 1e-6
"""Share of a parameter's size that is nothing."""


@dataclass(frozen=True)
class Elsewhere:
    """What was found beside the end of a run."""

    checks: Checks
    entries: Mapping[int, Entry]
    """The parameters by their columns."""
    begin: Floats
    end: Floats
    fall: float
    """By how much the loss fell in the run."""
    is_never_negative: bool
    is_valley: bool
    """Whether there is a combination along which the loss does not change: all points there are as good."""

    def told(self, point: Floats, columns: Iterable[int] | None = None) -> Listed:
        """Return a point in words; a parameter that is 0 but for rounding is 0."""
        size = np.maximum(np.maximum(np.abs(self.end), np.abs(self.begin)), np.abs(self.checks.points).max(axis=0))
        chosen = self.entries if columns is None else {column: self.entries[column] for column in columns}
        rounded = np.where(np.abs(point) < _NOTHING * size, 0.0, point)
        return values_of([(entry, float(rounded[column])) for column, entry in chosen.items()])

    @property
    def equal(self) -> float:
        """By how much losses may differ that are equal."""
        return _EQUAL * self.fall

    def is_equal(self, k: int) -> bool:
        """Whether another minimum is as low as the one at the end, with higher losses on the way to it."""
        level, loss, ridge = self.checks.level, float(self.checks.losses[k]), float(self.checks.ridges[k])
        apart = abs(loss - level)
        return not self.is_valley and apart <= self.equal and ridge - max(level, loss) > _HILL * self.fall

    def exchanged(self, k: int) -> tuple[int, int] | None:
        """Return the two parameters of which each is in the other's place at another minimum."""
        point, end = self.checks.points[k], self.end
        for i in range(len(end)):
            for j in range(i):
                apart = abs(end[i] - end[j])
                if apart > 0 and max(abs(point[i] - end[j]), abs(point[j] - end[i])) <= _IN_PLACE * apart:
                    return j, i
        return None

    def moved(self, k: int) -> list[int]:
        """Return the columns of the parameters that are elsewhere at another minimum."""
        point = self.checks.points[k]
        size = np.maximum(np.maximum(np.abs(self.end), np.abs(point)), 1e-300)
        return [int(c) for c in np.flatnonzero(np.abs(point - self.end) > _MOVED * size)]


def elsewhere(evidence: Evidence) -> Elsewhere | None:
    """Return what was found beside the end of a run, where somebody asked for it and it found something."""
    run, checks = evidence.run, evidence.run.checks
    if checks is None or not len(checks.losses):
        return None
    rows = run.iterates[np.isfinite(run.loss[run.iterates])]
    begin, end = run.history.rows(np.array([rows[0], checks.evaluation]))
    losses = run.loss[rows]
    fall = float(losses[0] - losses.min())
    entries = {entry.column: entry for entry in run.entries() if entry.column is not None}
    if not fall > 0 or len(entries) < run.history.width:
        return None
    curvature = run.curvature
    along_valley = curvature is not None and curvature.is_complete and Determination(curvature).free().shape[1] > 0
    never_negative = bool(losses.min() >= 0 and checks.losses.min() >= 0)
    return Elsewhere(checks, entries, begin, end, fall, never_negative, along_valley)
