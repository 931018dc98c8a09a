"""Evaluations that belong together, and whether a loop goes on from where it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.measures.looks import Look
from xinv_nb.recorded.calls import OptimizerCall

Floats = NDArray[np.float64]

_SAME_RATE = 1e-6
_LATEST = 5
_NO_FARTHER = 2.0
"""How many times as long as the longest of the latest steps the one may be with which a loop goes on after a look."""


@dataclass(frozen=True)
class Stretch:
    """Evaluations `start` up to `stop` that belong together: one fit, or, where `look` says so, a look at points."""

    start: int
    stop: int
    call: OptimizerCall | None = None
    look: Look = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    looks: tuple[Stretch, ...] = ()
    """The looks that interrupted a fit, which then went on from where it was."""
    within: tuple[OptimizerCall, ...] = ()
    """The calls of solvers between the steps of a loop, which went on from where they ended."""

    @property
    def left_out(self) -> tuple[tuple[int, int], ...]:
        """The evaluations of these looks: of each, the first, and the one after the last."""
        return tuple((look.start, look.stop) for look in self.looks)


@dataclass(frozen=True)
class Rows:
    """The points, gradients and verdicts of all evaluations, in real numbers."""

    points: Floats
    slopes: Floats | None
    accepted: NDArray[np.bool_]
    loss: Floats
    anew: Sequence[int]
    """The evaluations at which the loop begins to count its steps anew."""
    changes: Sequence[int]
    """The evaluations at which the objective begins to hold other data."""
    handed: Sequence[int] = ()
    """The evaluations at which the loop went on from where a solver of another objective had ended."""


def goes_on(rows: Rows, earlier: Sequence[tuple[int, int]], later: tuple[int, int]) -> bool:
    """Whether a loop is where it was, or one step on: the same point, down its gradient, or no farther than before.

    >>> way = 4 * 0.5 ** np.arange(8.0)[:, None]
    >>> rows = Rows(way, 2 * way, np.ones(8, dtype=bool), way[:, 0] ** 2, [], [])
    >>> goes_on(rows, [(0, 4)], (4, 8)), goes_on(rows, [(4, 8)], (0, 4))
    (True, False)
    """
    steps_taken = accepted_in(rows, earlier)
    if not len(steps_taken) or later[0] in rows.changes:
        return False
    if np.array_equal(rows.points[later[0]], rows.points[earlier[0][0]]):
        return False
    return is_step(rows, int(steps_taken[-1]), later[0], steps_taken)


def is_step(rows: Rows, at: int, row: int, steps_taken: NDArray[np.intp]) -> bool:
    """Whether an evaluation is at a point, down the gradient there, or no farther than the latest of some steps.

    >>> way = 4 * 0.5 ** np.arange(8.0)[:, None]
    >>> rows = Rows(way, None, np.ones(8, dtype=bool), way[:, 0] ** 2, [], [])
    >>> is_step(rows, 3, 4, np.arange(4)), is_step(rows, 6, 0, np.arange(2, 7))
    (True, False)
    """
    step = rows.points[row] - rows.points[at]
    length = float(np.linalg.norm(step))
    if not length > 0:
        return length == 0
    if rows.slopes is not None:
        slope = rows.slopes[at]
        inner, size = -float(slope @ step), float(np.linalg.norm(slope)) * length
        if step.size > 1 and inner > 0 and inner >= (1 - _SAME_RATE) * size:
            return True
    lengths = np.linalg.norm(np.diff(rows.points[steps_taken[-_LATEST:]], axis=0), axis=1)
    return len(lengths) > 0 and length <= _NO_FARTHER * float(lengths.max())


def accepted_in(rows: Rows, pieces: Sequence[tuple[int, int]]) -> NDArray[np.intp]:
    """Return the evaluations in some pieces that are iterates.

    >>> accepted_in(Rows(np.zeros((3, 1)), None, np.array([True, False, True]), np.zeros(3), [], []), [(0, 3)]).tolist()
    [0, 2]
    """
    return np.concatenate([np.flatnonzero(rows.accepted[a:b]) + a for a, b in pieces])
