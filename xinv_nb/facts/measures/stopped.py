"""Where an optimizer stopped: its options, what it told of its end, and the accepted points that led there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.recorded.calls import OptimizerCall
from xinv_nb.recorded.run import RecordedRun

EPSILON = float(np.finfo(float).eps)
_SAME = 1e-9
"""Share by which a number that is computed again may differ from the solver's own."""

About = Literal[
    "slope", "slope within bounds", "scaled slope", "slope left", "gradient", "scaled gradient", "fall", "change",
    "promise", "step", "summed step", "region", "violation", "barrier", "width", "height", "iterations",
    "evaluations", "word",
]  # fmt: skip
"""What a test looks at; `word` where nothing but the solver's own word is known of it."""


@dataclass(frozen=True)
class StoppingTest:
    """One test by which an optimizer stops, with both of its sides."""

    about: About
    size: float
    """What is measured; not a number where nothing but the solver's own word is known."""
    limit: float
    """What it is held against."""
    option: str
    """The name of the option that sets it."""
    is_met: bool
    is_exact: bool = True
    """Whether the solver's own numbers are known, and not only such that differ by rounding."""

    @property
    def is_count(self) -> bool:
        """Whether it counts, so that meeting it says that the solver was not done."""
        return self.about in ("iterations", "evaluations")

    @property
    def is_sure(self) -> bool:
        """Whether rounding cannot have changed whether it is met."""
        return self.is_exact or abs(self.size - self.limit) > _SAME * abs(self.limit)


class Stopped:
    """One call of a solver that told of its end, with what its tests look at."""

    def __init__(self, run: RecordedRun, call: OptimizerCall) -> None:
        self.run, self.call = run, call
        self.options, self.ending = call.options, call.ending
        self.at_end: Mapping[str, Any] = call.ending.get("at_end", {})
        self.reason = str(call.ending.get("reason", ""))

    @property
    def size(self) -> int:
        """How many numbers the solver looked for."""
        return int(self.at_end.get("size", 0))

    @property
    def is_constrained(self) -> bool:
        """Whether it kept constraints."""
        return bool(self.options.get("constraints") or self.ending.get("constraints"))

    def option(self, *names: str, default: float | None = None) -> tuple[str, float] | None:
        """Return an option under the name that the program gave it, or by its default; None where it is no number."""
        for name in names:
            value = self.options.get(name)
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                return name, float(value)
            if value is not None:
                return None
        return None if default is None else (names[0], float(default))

    def told(self, name: str) -> float | None:
        """Return a number that the solver told of its end."""
        value = self.at_end.get(name)
        return None if value is None else float(value)

    @cached_property
    def gradient(self) -> Floats | None:
        """The gradient that the solver had at its end."""
        found = np.array(self.ending.get("gradient", ()), dtype=float)
        return found if 0 < len(found) == self.size and np.isfinite(found).all() else None

    @cached_property
    def point(self) -> Floats | None:
        """The point that it returned."""
        found = np.array(self.at_end.get("point", ()), dtype=float)
        return found if 0 < len(found) == self.size else None

    @cached_property
    def looked(self) -> NDArray[np.intp]:
        """The evaluations that were for no difference of its own."""
        rows = np.arange(self.call.start, self.run.evaluations)
        for first, stop in self.call.differences:
            rows = rows[(rows < first) | (rows >= stop)]
        return rows

    @cached_property
    def rows(self) -> NDArray[np.intp]:
        """The evaluations at its iterates, the last at each of those in a row that are one point; none if not known."""
        history, rows = self.run.history, self.looked[self.run.accepted[self.looked]]
        if not len(rows) or not self._is_whole(rows):
            return rows[:0]
        moved = (np.diff(history.rows(rows), axis=0) != 0).any(axis=1)
        return np.asarray(rows[np.append(moved, True)])

    def _is_whole(self, rows: NDArray[np.intp]) -> bool:
        """Whether the points of some evaluations are all kept, and are the numbers that the solver looks for."""
        history, point = self.run.history, self.point
        if point is None or not history.is_real or history.width != self.size:
            return False
        if any(leaf.kept is not None for leaf in history.leaves):
            return False
        if history.kept is not None and not np.isin(rows, history.kept.array).all():
            return False
        return bool(np.array_equal(history.rows(rows[-1:])[0], point))

    @cached_property
    def losses(self) -> Floats:
        """The losses at its iterates, where the last is what the solver returned; else none."""
        losses = self.run.loss[self.rows]
        known = len(losses) and losses[-1] == self.told("loss") and np.isfinite(losses).all()
        return np.asarray(losses if known else losses[:0])

    @property
    def follows_each(self) -> bool:
        """Whether each iteration's point is known: one more than it counts."""
        return len(self.rows) == int(self.ending.get("nit", -1)) + 1

    @cached_property
    def last_step(self) -> tuple[Floats, Floats] | None:
        """The last two iterates."""
        if len(self.rows) < 2:
            return None
        before, after = self.run.history.rows(self.rows[-2:])
        return before, after
