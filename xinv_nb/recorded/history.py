"""What was recorded of one objective: columns with one row for each evaluation. NumPy only.

A row holds the loss, the parameters and their gradient. Parameters of any structure are kept flat, described by leaves.

Memory is bounded. The loss is kept of every evaluation. Parameters and gradients together take `BUDGET` bytes at most:
past it, of every second evaluation only, then of every fourth and so on, and always of the first, the latest, the best
and the worst. Watched quantities are thinned in the same way, past `WATCHED_LIMIT` numbers each.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recorded.calls import OptimizerCall
from xinv_nb.recorded.columns import GrowingColumn, SlopeColumns, TermColumns, WatchColumns
from xinv_nb.recorded.data import MOST_GROUPS, DataColumns
from xinv_nb.recorded.jacobians import Jacobians
from xinv_nb.recorded.leaves import Leaf
from xinv_nb.recorded.sums import Sums

BUDGET = 512 * 2**20
"""Bytes that the parameters and gradients of one objective take at most, with the residuals where they are kept."""
MOST_CHANGES = 100
"""Changes of what an objective holds beside its parameters that are noted; more are batches."""
_FEWEST_ROWS = 1024
_FEWEST_STEPS = 8
"""Evaluations from which on a loss that fell is one that somebody minimized."""
_FEWEST_WITH_RESIDUALS = 16
"""Evaluations that are kept however many bytes each takes; residuals may be as many as a picture has pixels."""

_UNKNOWN = np.float64(np.nan)
_NOWHERE = GrowingColumn()
"""Stands for a column that there is not; nobody reads it."""


class History:
    """The recording of one objective, told apart from others by its function and the structure of its parameters.

    `outline` is that structure: the containers that the objective takes, with None for each array or number.
    """

    def __init__(
        self, objective: str, leaves: Sequence[Leaf], dtype: Any = np.float64, outline: Any = None, optimizer: str = ""
    ) -> None:
        self.objective = objective
        self.outline = outline
        self.leaves = list(leaves)
        self.width = self.leaves[-1].end if self.leaves else 0
        self.dtype = np.dtype(dtype)
        self.is_real = self.dtype.kind == "f"
        self.loss = GrowingColumn()
        self.values = GrowingColumn(self.width, dtype)
        self.gradients = GrowingColumn(self.width, dtype)
        self.accepted = GrowingColumn(None, np.bool_)
        self.residuals: GrowingColumn | None = None
        """Residuals in the rows of `values`, where they were told."""
        self.jacobians = Jacobians()
        """The Jacobian of the residuals at some evaluations: see `keep_jacobian`."""
        self.data: dict[str, DataColumns] = {}
        """The groups of data that the objective marked, by their names."""
        self.without_gradient: GrowingColumn | None = None
        """The evaluations whose gradient is not known, in order; None where it is known of all."""
        self.kept: GrowingColumn | None = None
        """The evaluations of which parameters and gradient are kept, in order; None where it is all of them."""
        self.stride = 1
        """Of every which evaluation they are kept."""
        self.watches: dict[str, WatchColumns] = {}
        self.terms: dict[str, TermColumns] = {}
        self.sums = Sums()
        """The terms that the loss is written as a sum of."""
        self.slopes: dict[str, SlopeColumns] = {}
        """The gradients of watched quantities, by their names, where they were read."""
        self.along: dict[str, TermColumns] = {}
        """Of quantities watched along the simulation, the gradient of the loss through each part of the way."""
        self.optimizer = optimizer
        self.calls: list[OptimizerCall] = []
        """The calls of optimizers that were seen to work on it, in the order in which they began."""
        self.held: list[tuple[int, int]] = []
        """From which evaluation on the objective held which data and settings beside its parameters, as a number that
        tells them apart; only changes are noted, and none where it holds others nearly each time, as batches."""
        self.anew: list[int] = []
        """The evaluations at which the loop that makes them began to count its steps anew: a start, or an epoch."""
        self.handed: list[int] = []
        """The evaluations at which a loop went on from where a solver had ended that minimized another objective."""
        self.moved_by: tuple[str, ...] = ()
        """Objectives that are given these parameters, and whose own parameters this one is given: players of a game."""
        self.is_within = False
        """Whether it is computed inside of what a solver minimizes, and is not that itself."""
        self.nested = 0
        """In how many of a solver's evaluations of another objective it was minimized, to make these."""
        self.is_between = False
        """Whether that was between the evaluations of the other one, in a loop around both, and not inside of them."""
        self.is_on_manifold = False
        """Whether a package keeps its parameters on a curved surface, on which its own gradient need not vanish."""
        self.last_signs: NDArray[Any] = np.full(self.width, np.inf)
        """Signs of the latest gradient, for telling when it turns."""
        self.lock = threading.RLock()
        """Held while rows are dropped, and by who reads rows together with `kept`."""
        self._most_rows = max(_FEWEST_ROWS, BUDGET // (2 * self.dtype.itemsize * max(self.width, 1)))
        self._room = 0
        """Rows that there is room for in the blocks that there are, where a row is nothing more; else 0."""
        self._best, self._worst = math.inf, -math.inf
        self._points = 0, 0
        """Evaluations that were looked at so far, and points among them."""

    def __len__(self) -> int:
        return self.loss.rows

    @property
    def has_gradients(self) -> bool:
        """Whether the gradient is known of every evaluation that was accepted."""
        return self.without_gradient is None or not self.accepted.array[self.without_gradient.array].any()

    @property
    def was_optimized(self) -> bool:
        """Whether an optimizer was seen to work on it, or its loss ended lowest, or it is a player's in a game."""
        if self.optimizer or self.moved_by or self.loss.rows < _FEWEST_STEPS:
            return bool(self.optimizer or self.moved_by)
        loss = self.loss.block[: self.loss.rows]
        loss = loss[np.isfinite(loss)] if not math.isfinite(loss[-1]) else loss  # it may break down in the end
        if not len(loss):
            return False
        return bool(loss[-1] < loss[0] and loss[-1] <= np.fmin.reduce(loss[:: max(len(loss) // _FEWEST_STEPS, 1)]))

    def keep_residuals(self, count: int) -> None:
        """Make room for that many residuals in each row, before the first."""
        self.residuals = GrowingColumn(count)
        self._fit_into_budget()

    def _fit_into_budget(self) -> None:
        """Let rows be as many as fit, with all that they hold."""
        self._room = 0
        more = [
            *([] if self.residuals is None else [self.residuals]),
            *(group.residuals for group in self.data.values()),
        ]
        row = 2 * self.dtype.itemsize * self.width + 8 * sum(column.block.shape[1] for column in more)
        self._most_rows = max(_FEWEST_WITH_RESIDUALS, min(self._most_rows, BUDGET // row))

    def keep_jacobian(self, evaluation: int, jacobian: Any) -> bool:
        """Keep the Jacobian of the residuals at an evaluation that is recorded already; whether it is one.

        It has a row for each residual and a column for each column of the parameters, in numbers that are real. A
        sparse one is kept as an array. Of parameters that are kept as summaries there is none.
        """
        wanted = (-1 if self.residuals is None else self.residuals.block.shape[1], self.width)
        is_whole = self.is_real and all(leaf.kept is None for leaf in self.leaves)
        if not is_whole or getattr(jacobian, "shape", None) != wanted:
            return False
        if not self.jacobians.has_room(math.prod(jacobian.shape)):
            return False
        found = jacobian.toarray() if hasattr(jacobian, "toarray") else jacobian
        if not isinstance(found, np.ndarray) or found.dtype.kind not in "iuf":
            return False
        self.jacobians.add(evaluation, float(self.loss.block[evaluation]), found)
        return True

    def keep_data(
        self, name: str, residuals: NDArray[np.float64], sigma: NDArray[np.float64] | None, labels: Sequence[Any]
    ) -> bool:
        """Keep the residuals of a group of data in the latest evaluation; whether there is room for them.

        Each group has the same number of data points in every evaluation.
        """
        group = self.data.get(name)
        if group is None:
            if len(self.data) >= MOST_GROUPS:
                return False
            self._room = 0
            group = self.data[name] = DataColumns(len(residuals), self.values.rows, sigma, labels)
            self._fit_into_budget()
        if len(residuals) != group.count:
            return False
        group.put(self.values.rows - 1, residuals, sigma)
        return True

    def points(self) -> int:
        """Return how many points were visited: evaluations at one point, one after the other, count once."""
        if self.kept is not None:
            return len(self)
        seen, points = self._points
        rows = self.values.array[max(seen - 1, 0) :]
        if len(rows) > min(seen, 1):
            points += int((rows[1:] != rows[:-1]).any(axis=1).sum()) + (seen == 0)
            self._points = max(seen - 1, 0) + len(rows), points
        return points

    def rebuild(self, leaves: Sequence[Any]) -> Any:
        """Put arrays and numbers, in the order of the leaves, into the structure that the objective takes."""
        return _filled(self.outline, iter(leaves))

    def flat(self, arrays: list[Any]) -> NDArray[Any]:
        """Copy the arrays of one evaluation into one row of columns; one flat array may stand for all leaves."""
        if len(arrays) == 1 and len(self.leaves) > 1:
            arrays = np.split(arrays[0], np.cumsum([leaf.size for leaf in self.leaves])[:-1])
        row = np.empty(self.width, dtype=self.dtype)
        for leaf, array in zip(self.leaves, arrays, strict=True):
            leaf.lay_out(array, row)
        return row

    def append(
        self,
        loss: float,
        values: NDArray[Any],
        gradient: NDArray[Any] | None,
        accepted: bool = True,
        residuals: NDArray[Any] | None = None,
    ) -> int:
        """Add one evaluation, with None for a gradient that is not known; returns its number."""
        number = self.loss.rows
        if number == self._room:
            self._room = 0  # until the columns have grown
        if number == len(self.loss.block):
            self.loss.grow()
        if number == len(self.accepted.block):
            self.accepted.grow()
        row = number if self.kept is None and number < self._most_rows else self._make_room(loss)
        self._write(self.values, row, values)
        kept = told = unknown = _NOWHERE
        if self.kept is not None:
            kept = self.kept
        if gradient is None:
            unknown, gradient = self._note_unknown(number), _UNKNOWN
        self._write(self.gradients, row, gradient)
        if self.residuals is not None:
            told = self.residuals
            self._write(told, row, residuals)
        for group in self.data.values():
            self._write(group.residuals, row, np.nan)
            group.residuals.rows = row + 1  # only as many are read as there are rows of `values`
        self.loss.block[number] = loss
        self.accepted.block[number] = accepted
        # Written last and at once: an interrupt comes before, and there is no such row, or after, and it is whole.
        lengths = row + 1, row + 1, row + 1, row + 1, unknown.rows + 1, number + 1, number + 1
        flags, losses = self.accepted, self.loss
        kept.rows, told.rows, self.values.rows, self.gradients.rows, unknown.rows, flags.rows, losses.rows = lengths
        if not self._room and self.kept is None and self.residuals is None and not self.data:
            blocks = self.values, self.gradients, losses, flags
            self._room = min(self._most_rows, *(len(column.block) for column in blocks))
        return number

    def append_again(self, loss: float, values: NDArray[Any], gradient: NDArray[Any] | None) -> int:
        """Do as `append`, with rows that fit and a loss other than the latest; returns -1 where there is more to do."""
        losses = self.loss
        row = losses.rows
        if not 0 < row < self._room or losses.block[row - 1] == loss:
            return -1
        points, slopes, flags, unknown = self.values, self.gradients, self.accepted, _NOWHERE
        points.block[row], losses.block[row], flags.block[row] = values, loss, True
        if gradient is None:
            unknown, slopes.block[row] = self._note_unknown(row), _UNKNOWN
        else:
            slopes.block[row] = gradient
        lengths = row + 1, row + 1, unknown.rows + 1, row + 1, row + 1  # last and at once, as in `append`
        points.rows, slopes.rows, unknown.rows, flags.rows, losses.rows = lengths
        return row

    def _write(self, column: GrowingColumn, row: int, values: Any) -> None:
        """Write a row behind the last one of a column."""
        if row == len(column.block):
            column.grow(max(self._most_rows, row + 1))
        column.block[row] = values

    def _note_unknown(self, number: int) -> GrowingColumn:
        """Write, behind its last row, that the gradient of an evaluation is not known."""
        if self.without_gradient is None:
            self.without_gradient = GrowingColumn(None, np.intp)
        unknown = self.without_gradient
        if unknown.rows == len(unknown.block):
            unknown.grow()
        unknown.block[unknown.rows] = number
        return unknown

    def gradient_known(self, gradient: NDArray[Any], columns: NDArray[np.bool_], *, wholly: bool) -> None:
        """Put in what has become known of the gradient of the latest evaluation; the rest of it is not known yet."""
        self.gradients.block[self.gradients.rows - 1, columns] = gradient[columns]
        if not wholly or self.without_gradient is None:
            return
        self.without_gradient.rows -= 1
        if not self.without_gradient.rows:
            self.without_gradient = None

    def _make_room(self, loss: float) -> int:
        """Return the row of parameters and gradient for the next evaluation, at the price of another one."""
        with self.lock:
            number = len(self)
            if self.kept is None or self.kept.rows >= self._most_rows:
                self._thin()
            assert self.kept is not None
            latest = number - 1
            is_extreme = (self.loss.block[latest] == self._best and not loss < self._best) or (
                self.loss.block[latest] == self._worst and not loss > self._worst
            )
            self._best, self._worst = min(self._best, loss), max(self._worst, loss)
            kept, told = self.kept, _NOWHERE if self.residuals is None else self.residuals
            if latest % self.stride and not is_extreme and kept.block[kept.rows - 1] == latest:
                kept.rows = told.rows = self.values.rows = self.gradients.rows = kept.rows - 1
            if kept.rows == len(kept.block):
                kept.grow()
            kept.block[kept.rows] = number
            return kept.rows

    def _thin(self) -> None:
        """Double the stride and drop what is not on it, save the best, the worst and the latest."""
        known = np.arange(len(self)) if self.kept is None else self.kept.array
        loss = self.loss.array[known]
        finite = np.flatnonzero(np.isfinite(loss))
        extremes = [finite[np.argmin(loss[finite])], finite[np.argmax(loss[finite])]] if len(finite) else []
        self._best, self._worst = (float(loss[i]) for i in extremes) if extremes else (math.inf, -math.inf)
        stride = 2 * self.stride
        stays = known % stride == 0
        stays[[*extremes, -1]] = True
        rows = np.flatnonzero(stays)
        told = None if self.residuals is None else self.residuals.only(rows)
        data = {name: group.within(rows) for name, group in self.data.items()}
        thinned = stride, GrowingColumn.of(known[rows]), self.values.only(rows), self.gradients.only(rows), told, data
        # At once, as in `append`.
        self.stride, self.kept, self.values, self.gradients, self.residuals, self.data = thinned

    def row_of(self, evaluation: int) -> int:
        """Return the row of the parameters of an evaluation, or of the latest before it of which they were kept."""
        if self.kept is None:
            return evaluation
        with self.lock:
            return int(np.searchsorted(self.kept.array, evaluation, side="right")) - 1

    def rows(
        self,
        evaluations: NDArray[np.intp],
        of: Literal["values", "gradients"] = "values",
        columns: NDArray[np.intp] | None = None,
    ) -> NDArray[Any]:
        """Return the rows of some evaluations, in some columns or all; of one that was not kept, those before it."""
        with self.lock:
            rows = (self.values if of == "values" else self.gradients).array
            kept = evaluations
            if self.kept is not None:
                kept = np.searchsorted(self.kept.array, evaluations, side="right") - 1
            return rows[kept] if columns is None else rows[np.ix_(kept, columns)]

    def column(self, place: int | slice, of: Literal["values", "gradients"] = "values") -> NDArray[Any]:
        """Return columns with a row for each evaluation; where none was kept, the one before it stands."""
        with self.lock:
            rows = (self.values if of == "values" else self.gradients).array[:, place]
            if self.kept is None:
                return rows
            return np.repeat(rows, np.diff(self.kept.array, append=len(self)), axis=0)

    def set_accepted(self, row: int, *, accepted: bool) -> None:
        """Say of an evaluation, once it is known, whether the optimizer accepted it."""
        self.accepted.block[row] = accepted


def _filled(outline: Any, leaves: Iterator[Any]) -> Any:
    if isinstance(outline, Mapping):
        return {key: _filled(item, leaves) for key, item in outline.items()}
    if isinstance(outline, (list, tuple)):
        return type(outline)(_filled(item, leaves) for item in outline)
    return next(leaves)
