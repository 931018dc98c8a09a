"""Columns that grow as a run goes on: of numbers, of watched quantities, of the terms of a loss. NumPy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

WATCHED_LIMIT = 2_000_000
"""Numbers kept of one watched quantity."""

_FIRST_BLOCK = 2**24
_SMALL_BLOCK = 2**20
"""Bytes up to which a column grows fast, for what is not used of a block costs nothing."""


def in_real_numbers(rows: NDArray[Any]) -> NDArray[np.float64]:
    """Return rows of complex numbers as rows of their real parts and, behind them, their imaginary ones.

    >>> in_real_numbers(np.array([[1 + 2j]]))
    array([[1., 2.]])
    """
    return rows if rows.dtype.kind == "f" else np.concatenate([rows.real, rows.imag], axis=1)


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

    def only(self, rows: NDArray[Any]) -> GrowingColumn:
        """Return a column that begins with these rows of this one, by their numbers."""
        return GrowingColumn.of(self.block[rows])

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

    @classmethod
    def of(cls, rows: NDArray[np.float64] | list[Any]) -> VariedColumn:
        """Return a column that begins with these rows."""
        column = cls()
        if isinstance(rows, list):
            column._list = rows
        else:
            column._numbers = GrowingColumn.of(rows)
        return column

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

    def only(self, rows: NDArray[Any]) -> VariedColumn:
        """Return a column of these rows of this one."""
        column = VariedColumn()
        if self._list is None:
            column._numbers = self._numbers.only(rows)
        else:
            column._list = [self._list[row] for row in rows]
        return column

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

    def append(self, evaluation: int, value: float, cotangent: float, at: Any) -> None:
        """Add the only row of one evaluation, of plain numbers: what `extend` does, for the most frequent case."""
        if self.stride > 1 or self._numbers > WATCHED_LIMIT or isinstance(at, np.ndarray):
            self.extend(evaluation, [value], [cotangent], [at])
            return
        row = len(self.at)
        try:
            self._latest, self._begin = evaluation, row
            self._numbers += 1
            self.evaluation.append(evaluation)
            self.values.append(value)
            self.cotangents.append(cotangent)
            self.at.append(at)
        except BaseException:  # an interrupt, too: rows that are whole stay
            self._truncate(row)
            raise

    def extend(self, evaluation: int, values: Sequence[Any], cotangents: Sequence[Any], at: Sequence[Any]) -> None:
        """Add the rows of one evaluation."""
        try:
            if self._latest % self.stride:
                self._truncate(self._begin)
            elif self._numbers > WATCHED_LIMIT:
                self._thin()
            self._latest, self._begin = evaluation, len(self.at)
            self._numbers += sum(value.size if isinstance(value, np.ndarray) else 1 for value in values)
            self.evaluation.extend(np.full(len(values), evaluation))
            self.values.extend(values)
            self.cotangents.extend(cotangents)
            self.at.extend(self._shared(each) for each in at)
        except BaseException:  # an interrupt, too: rows that are whole stay
            self._truncate(min(len(self.evaluation), len(self.values), len(self.cotangents), len(self.at)))
            raise

    def _shared(self, at: Any) -> Any:
        """Return an array of places as it is kept already, where it is the same as the time before."""
        if not isinstance(at, np.ndarray) or not self.at:
            return at
        latest = self.at[-1]
        return latest if isinstance(latest, np.ndarray) and np.array_equal(latest, at) else at

    def _truncate(self, rows: int) -> None:
        self._numbers -= round(self._numbers / max(len(self.at), 1) * (len(self.at) - rows))
        self.evaluation.rows = rows
        self.values.truncate(rows)
        self.cotangents.truncate(rows)
        del self.at[rows:]

    def _thin(self) -> None:
        self.stride *= 2
        rows = np.flatnonzero(self.evaluation.array % self.stride == 0)
        self._numbers = round(self._numbers * len(rows) / len(self.at))
        at = [self.at[row] for row in rows]
        thinned = self.evaluation.only(rows), self.values.only(rows), self.cotangents.only(rows), at
        self.evaluation, self.values, self.cotangents, self.at = thinned  # at once, whenever an interrupt comes


@dataclass
class TermColumns:
    """The gradient of one term of the loss in the evaluations in which it was read."""

    evaluation: list[int] = field(default_factory=list)
    gradients: list[NDArray[Any]] = field(default_factory=list)

    def append(self, evaluation: int, gradient: NDArray[Any]) -> None:
        """Add the gradient in one evaluation."""
        self.gradients[len(self.evaluation) :] = [gradient]
        self.evaluation.append(evaluation)  # last: what an interrupt leaves without it is none, and is written over

    def arrays(self) -> tuple[NDArray[np.intp], NDArray[Any]]:
        """Return the evaluations, and a row for each."""
        return np.array(self.evaluation, dtype=np.intp), np.array(self.gradients[: len(self.evaluation)])


@dataclass
class SlopeColumns(TermColumns):
    """The gradient of one watched quantity itself, not weighed by its part in the loss."""

    inside: tuple[str, ...] = ()
    """The watched quantities that it is computed from."""
