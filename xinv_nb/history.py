"""What was recorded of one objective: columns with one row for each evaluation. NumPy only.

A row holds the loss, the parameters and their gradient. Parameters of any structure are kept flat, described by
`Leaf`s; a leaf with many entries is kept as its root mean square and a sample of its entries, so that a network with
180,000 weights costs as little to record as a handful of numbers.

Memory is bounded. The loss is kept of every evaluation. Parameters and gradients together take `BUDGET` bytes at most:
past it, of every second evaluation only, then of every fourth and so on, and always of the first, the latest, the best
and the worst. Watched quantities are thinned in the same way, past `WATCHED_LIMIT` numbers each.
"""

from __future__ import annotations

import functools
import math
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

WHOLE_LIMIT = 4096
"""Parameters in total up to which every entry is kept."""

_PIECE = 8192
"""Entries up to which a dot product is calculated in one thread."""

SAMPLE = 64
"""Entries kept of a leaf that is not kept whole."""

BUDGET = 512 * 2**20
"""Bytes that the parameters and gradients of one objective take at most."""

WATCHED_LIMIT = 2_000_000
"""Numbers kept of one watched quantity."""


_FIRST_BLOCK = 2**24
_SMALL_BLOCK = 2**20
"""Bytes up to which a column grows fast, for what is not used of a block costs nothing."""


@dataclass(frozen=True)
class Leaf:
    """One array or scalar among the parameters, and the columns of the history that hold it."""

    name: str
    shape: tuple[int, ...]
    start: int
    stop: int
    kept: NDArray[np.intp] | None = None
    """Flat indices of the entries kept, or None where all are."""
    rms_column: int | None = None
    """Column of the root mean square, for a leaf that is not kept whole."""

    @property
    def size(self) -> int:
        """Number of entries in the user's array."""
        return math.prod(self.shape)

    @property
    def end(self) -> int:
        """The column after the last one of this leaf."""
        return self.stop + (self.rms_column is not None)

    def entry_name(self, position: int) -> str:
        """Return the name of the entry at flat `position`: `theta[2]`, `W[0, 3]`, or `theta` for a scalar."""
        if not self.shape:
            return self.name
        index = ", ".join(str(int(i)) for i in np.unravel_index(position, self.shape))
        return f"{self.name}[{index}]"

    def position_of(self, name: str) -> int | None:
        """Return the flat position of the entry that is called so, as `entry_name` does; None if none is."""
        found = re.fullmatch(re.escape(self.name) + r"\[(\d+(?:, *\d+)*)\]", name)
        index = tuple(int(number) for number in found[1].split(",")) if found else ()
        if len(index) != len(self.shape) or any(i >= n for i, n in zip(index, self.shape, strict=True)):
            return None
        return int(np.ravel_multi_index(index, self.shape)) if index else None


def leaves_of(named_shapes: list[tuple[str, tuple[int, ...]]]) -> list[Leaf]:
    """Lay out columns for arrays of these names and shapes."""
    total = sum(math.prod(shape) for _, shape in named_shapes)
    leaves: list[Leaf] = []
    column = 0
    for name, shape in named_shapes:
        size = math.prod(shape)
        if total <= WHOLE_LIMIT or size <= SAMPLE:
            leaves.append(whole_leaf(name, shape, column))
        else:
            leaves.append(sampled_leaf(name, shape, column, sample_positions(size)))
        column = leaves[-1].end
    return leaves


@functools.lru_cache(maxsize=64)
def sample_positions(size: int) -> NDArray[np.intp]:
    """Return the flat positions of the entries that are kept of an array of that size."""
    return np.unique(np.linspace(0, size - 1, SAMPLE).astype(np.intp))


@dataclass(frozen=True)
class Summary:
    """What is kept of one array of more than `WHOLE_LIMIT` entries, in place of a copy."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    sample: NDArray[Any]
    rms: float


def summary(array: NDArray[Any]) -> Summary:
    """Return the root mean square of an array and a sample of its entries."""
    return Summary(array.shape, array.dtype, array.reshape(-1)[sample_positions(array.size)], _rms(array))


def sum_of_squares(array: NDArray[Any]) -> float:
    """Return the sum of the squares of an array's entries.

    By dot products: ten times as fast as a mean of squares, with no warning and no array for the squares. In pieces,
    since a dot product of long arrays starts threads, which wait for each other longer than the product takes.
    """
    if array.size <= _PIECE:
        return float(np.vdot(array, array).real)
    flat = array.reshape(-1)
    pieces = (flat[i : i + _PIECE] for i in range(0, flat.size, _PIECE))
    return float(sum(np.vdot(piece, piece).real for piece in pieces))


def _rms(array: NDArray[Any]) -> float:
    mean = math.sqrt(sum_of_squares(array) / array.size)
    if mean == math.inf and math.isfinite(largest := float(np.abs(array).max())):
        return largest * _rms(array / largest)  # only the squares overflowed
    return mean


def whole_leaf(name: str, shape: tuple[int, ...], start: int) -> Leaf:
    """Return a leaf that is kept with all its entries, from column `start` on."""
    return Leaf(name, shape, start, start + math.prod(shape))


def sampled_leaf(name: str, shape: tuple[int, ...], start: int, kept: NDArray[np.intp]) -> Leaf:
    """Return a leaf of which the entries `kept` and the root mean square are held, from column `start` on."""
    return Leaf(name, shape, start, start + len(kept), kept, start + len(kept))


class GrowingColumn:
    """An array that grows along its first axis by doubling; appending costs the same however long it is."""

    def __init__(self, width: int | None = None, dtype: Any = np.float64) -> None:
        self._shape = () if width is None else (width,)
        rows = min(max(64, _FIRST_BLOCK // (8 * max(width or 1, 1))), 1024)
        self.block: NDArray[Any] = np.empty((rows, *self._shape), dtype=dtype)
        """The rows, and room for more behind them."""
        self.rows = 0

    def __len__(self) -> int:
        return self.rows

    def append(self, row: Any) -> None:
        """Copy one row to the end."""
        if self.rows == len(self.block):
            self.grow()
        self.block[self.rows] = row
        self.rows += 1

    def extend(self, rows: NDArray[Any]) -> None:
        """Copy several rows to the end."""
        while self.rows + len(rows) > len(self.block):
            self.grow()
        self.block[self.rows : self.rows + len(rows)] = rows
        self.rows += len(rows)

    def grow(self, most: int | None = None) -> None:
        """Make room for more rows, `most` in all."""
        rows = len(self.block) * (8 if self.block.nbytes < _SMALL_BLOCK else 2)
        block = np.empty((rows if most is None else min(rows, most), *self._shape), dtype=self.block.dtype)
        block[: self.rows] = self.block[: self.rows]
        self.block = block

    def keep(self, rows: NDArray[Any]) -> None:
        """Keep only these rows, by their numbers or a mask; earlier views of the array stay as they are."""
        kept = self.block[: self.rows][rows]
        self.block = np.empty((max(64, 2 * len(kept)), *self._shape), dtype=self.block.dtype)
        self.block[: len(kept)] = kept
        self.rows = len(kept)

    @classmethod
    def of(cls, rows: NDArray[Any]) -> GrowingColumn:
        """Return a column that begins with these rows."""
        column = cls(rows.shape[1] if rows.ndim > 1 else None, rows.dtype)
        if len(rows):
            column.block, column.rows = rows, len(rows)
        return column

    @property
    def array(self) -> NDArray[Any]:
        """The rows so far, as a read-only view."""
        view = self.block[: self.rows]
        view.flags.writeable = False
        return view


class VariedColumn:
    """Values of a watched quantity: in an array as long as all are plain numbers, in a list if not."""

    def __init__(self, values: Sequence[Any] = ()) -> None:
        self._numbers = GrowingColumn()
        self._list: list[Any] | None = None
        for value in values:
            self.append(value)

    def __len__(self) -> int:
        return len(self._numbers) if self._list is None else len(self._list)

    def append(self, value: Any) -> None:
        """Add a value to the end."""
        if self._list is None and isinstance(value, float):
            self._numbers.append(value)
            return
        if self._list is None:
            self._list = list(self._numbers.array)
        self._list.append(value)

    def extend(self, values: Sequence[Any]) -> None:
        """Add values to the end, many at once."""
        if self._list is None and all(isinstance(value, float) for value in values):
            self._numbers.extend(np.array(values))
            return
        for value in values:
            self.append(value)

    def keep(self, rows: NDArray[Any]) -> None:
        """Keep only these rows."""
        if self._list is None:
            self._numbers.keep(rows)
        else:
            self._list = [self._list[row] for row in rows]

    def between(self, start: int, stop: int) -> NDArray[np.float64] | list[Any]:
        """Return the rows from `start` up to `stop`: an array where all values are plain numbers, else a list."""
        return self._numbers.array[start:stop] if self._list is None else self._list[start:stop]

    def truncate(self, rows: int) -> None:
        """Drop all from row `rows` on."""
        if self._list is None:
            self._numbers.rows = rows
        else:
            del self._list[rows:]

    def stacked(self) -> NDArray[Any]:
        """Return rows of one shape as an array; rows of different shapes as an array of objects."""
        if self._list is None:
            return np.array(self._numbers.array)
        arrays = [np.asarray(value) for value in self._list]
        if len({array.shape for array in arrays}) <= 1:
            return np.array(arrays)
        ragged = np.empty(len(arrays), dtype=object)
        ragged[:] = arrays
        return ragged


class WatchColumns:
    """What was recorded of one watched quantity: a row for each time the simulator came by."""

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.evaluation = GrowingColumn(None, np.intp)
        self.values = VariedColumn()
        self.cotangents = VariedColumn()
        self.at: list[Any] = []
        self.stride = 1
        """Of every which evaluation the rows are kept, beside the latest."""
        self._latest = -1
        self._begin = 0
        """The row with which those of the latest evaluation begin."""
        self._numbers = 0

    def extend(self, evaluation: int, values: Sequence[Any], cotangents: Sequence[Any], at: Sequence[Any]) -> None:
        """Add the rows of one evaluation."""
        if self._latest % self.stride:
            self._truncate(self._begin)
        elif self._numbers > WATCHED_LIMIT:
            self._thin()
        self._latest, self._begin = evaluation, len(self.at)
        self._numbers += sum(value.size if isinstance(value, np.ndarray) else 1 for value in values)
        self.evaluation.extend(np.full(len(values), evaluation))
        self.values.extend(values)
        self.cotangents.extend(cotangents)
        self.at.extend(at)

    def _truncate(self, rows: int) -> None:
        self._numbers -= round(self._numbers / len(self.at) * (len(self.at) - rows))
        self.evaluation.rows = rows
        self.values.truncate(rows)
        self.cotangents.truncate(rows)
        del self.at[rows:]

    def _thin(self) -> None:
        self.stride *= 2
        rows = np.flatnonzero(self.evaluation.array % self.stride == 0)
        self._numbers = round(self._numbers * len(rows) / len(self.at))
        self.evaluation.keep(rows)
        self.values.keep(rows)
        self.cotangents.keep(rows)
        self.at = [self.at[row] for row in rows]


@dataclass
class TermColumns:
    """The gradient of one term of the loss in the evaluations in which it was read."""

    evaluation: list[int] = field(default_factory=list)
    gradients: list[NDArray[Any]] = field(default_factory=list)


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
        self.kept: GrowingColumn | None = None
        """The evaluations of which parameters and gradient are kept, in order; None where it is all of them."""
        self.stride = 1
        """Of every which evaluation they are kept."""
        self.watches: dict[str, WatchColumns] = {}
        self.terms: dict[str, TermColumns] = {}
        self.optimizer = optimizer
        self.last_signs: NDArray[Any] = np.full(self.width, np.inf)
        """Signs of the latest gradient, for telling when it turns."""
        self.lock = threading.Lock()
        """Held while rows are dropped, and by who reads rows together with `kept`."""
        self._most_rows = max(1024, BUDGET // (2 * self.dtype.itemsize * max(self.width, 1)))
        self._best, self._worst = math.inf, -math.inf
        self._points = 0, 0
        """Evaluations that were looked at so far, and points among them."""

    def __len__(self) -> int:
        return self.loss.rows

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
            if leaf.kept is None:
                row[leaf.start : leaf.stop] = array.reshape(-1)
            elif isinstance(array, Summary):
                row[leaf.start : leaf.stop], row[leaf.rms_column] = array.sample, array.rms
            else:
                row[leaf.start : leaf.stop], row[leaf.rms_column] = array.reshape(-1)[leaf.kept], _rms(array)
        return row

    def append(self, loss: float, values: NDArray[Any], gradient: NDArray[Any], accepted: bool = True) -> int:
        """Add one evaluation; returns its number."""
        number = self.loss.rows
        if number == len(self.loss.block):
            self.loss.grow()
        if number == len(self.accepted.block):
            self.accepted.grow()
        row = number if self.kept is None and number < self._most_rows else self._make_room(loss)
        if row == len(self.values.block):
            self.values.grow(self._most_rows)
            self.gradients.grow(self._most_rows)
        self.values.block[row] = values
        self.gradients.block[row] = gradient
        self.loss.block[number] = loss
        self.accepted.block[number] = accepted
        self.values.rows = self.gradients.rows = row + 1
        self.accepted.rows = self.loss.rows = number + 1  # last: the length is read from here
        return number

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
            if latest % self.stride and not is_extreme and self.kept.block[self.kept.rows - 1] == latest:
                self.kept.rows -= 1
            self.kept.append(number)
            return self.kept.rows - 1

    def _thin(self) -> None:
        """Double the stride and drop what is not on it, save the best, the worst and the latest."""
        known = np.arange(len(self)) if self.kept is None else self.kept.array
        loss = self.loss.array[known]
        finite = np.flatnonzero(np.isfinite(loss))
        extremes = [finite[np.argmin(loss[finite])], finite[np.argmax(loss[finite])]] if len(finite) else []
        self._best, self._worst = (float(loss[i]) for i in extremes) if extremes else (math.inf, -math.inf)
        self.stride *= 2
        stays = known % self.stride == 0
        stays[[*extremes, -1]] = True
        rows = np.flatnonzero(stays)
        self.kept = GrowingColumn.of(known[rows])
        self.values.keep(rows)
        self.gradients.keep(rows)

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
