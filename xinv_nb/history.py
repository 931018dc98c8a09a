"""What was recorded of one objective: append-only columns, one row for each evaluation. NumPy only.

A row holds the loss, the parameters and their gradient. Parameters of any structure are kept flat, described by
`Leaf`s; a leaf with many entries is kept as its root mean square and a sample of its entries, so that a network with
180,000 weights costs as little to record as a handful of numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

WHOLE_LIMIT = 4096
"""Parameters in total up to which every entry is kept."""

SAMPLE = 64
"""Entries kept of a leaf that is not kept whole."""


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
        return int(np.prod(self.shape, dtype=np.int64))

    def entry_name(self, position: int) -> str:
        """Return the name of the entry at flat `position`: `theta[2]`, `W[0, 3]`, or `theta` for a scalar."""
        if not self.shape:
            return self.name
        index = ", ".join(str(int(i)) for i in np.unravel_index(position, self.shape))
        return f"{self.name}[{index}]"


def leaves_of(named_shapes: list[tuple[str, tuple[int, ...]]]) -> tuple[list[Leaf], int]:
    """Lay out columns for arrays of these names and shapes; returns the leaves and the number of columns."""
    total = sum(int(np.prod(shape, dtype=np.int64)) for _, shape in named_shapes)
    leaves: list[Leaf] = []
    column = 0
    for name, shape in named_shapes:
        size = int(np.prod(shape, dtype=np.int64))
        if total <= WHOLE_LIMIT or size <= SAMPLE:
            leaves.append(Leaf(name, shape, column, column + size))
            column += size
        else:
            kept = np.unique(np.linspace(0, size - 1, SAMPLE).astype(np.intp))
            leaves.append(Leaf(name, shape, column, column + len(kept), kept, column + len(kept)))
            column += len(kept) + 1
    return leaves, column


class GrowingColumn:
    """An array that grows along its first axis by doubling; appending costs the same however long it is."""

    def __init__(self, width: int | None, dtype: Any = np.float64) -> None:
        self._shape = () if width is None else (width,)
        self._block: NDArray[Any] = np.empty((64, *self._shape), dtype=dtype)
        self._rows = 0

    def __len__(self) -> int:
        return self._rows

    def append(self, row: Any) -> None:
        """Copy one row to the end."""
        if self._rows == len(self._block):
            self._grow()
        self._block[self._rows] = row
        self._rows += 1

    def _grow(self) -> None:
        block = np.empty((2 * len(self._block), *self._shape), dtype=self._block.dtype)
        block[: self._rows] = self._block
        self._block = block

    @property
    def array(self) -> NDArray[Any]:
        """The rows so far, as a read-only view."""
        view = self._block[: self._rows]
        view.flags.writeable = False
        return view


@dataclass
class WatchColumns:
    """What was recorded of one watched quantity: a row for each time the simulator came by."""

    unit: str
    evaluation: list[int] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    cotangents: list[Any] = field(default_factory=list)
    at: list[Any] = field(default_factory=list)


class History:
    """The recording of one objective, told apart from others by its function and the shape of its parameters."""

    def __init__(
        self,
        objective: str,
        named_shapes: list[tuple[str, tuple[int, ...]]],
        dtype: Any = np.float64,
        rebuild: Callable[[list[Any]], Any] = list,
    ) -> None:
        self.objective = objective
        self.rebuild = rebuild
        self.leaves, self.width = leaves_of(named_shapes)
        self.loss = GrowingColumn(None)
        self.values = GrowingColumn(self.width, dtype)
        self.gradients = GrowingColumn(self.width, dtype)
        self.accepted = GrowingColumn(None, np.bool_)
        self.watches: dict[str, WatchColumns] = {}
        self.optimizer = ""
        self.last_signs: NDArray[Any] = np.full(self.width, np.inf)
        """Signs of the latest gradient, for telling when it turns."""

    def __len__(self) -> int:
        return len(self.loss)

    def flat(self, arrays: list[NDArray[Any]]) -> NDArray[Any]:
        """Copy the arrays of one evaluation into one row of columns; one flat array may stand for all leaves."""
        if len(arrays) == 1 and len(self.leaves) > 1:
            arrays = np.split(arrays[0], np.cumsum([leaf.size for leaf in self.leaves])[:-1])
        row = np.empty(self.width, dtype=self.values.array.dtype)
        for leaf, array in zip(self.leaves, arrays, strict=True):
            if leaf.kept is None:
                row[leaf.start : leaf.stop] = array.reshape(-1)
            else:
                row[leaf.start : leaf.stop] = array.reshape(-1)[leaf.kept]
                row[leaf.rms_column] = np.sqrt(np.mean(np.abs(array) ** 2))
        return row

    def append(self, loss: float, values: NDArray[Any], gradient: NDArray[Any]) -> int:
        """Add one evaluation; returns its number."""
        self.values.append(values)
        self.gradients.append(gradient)
        self.accepted.append(True)
        self.loss.append(loss)  # last: the length is read from here
        return len(self.loss) - 1
