"""What was recorded of one objective: append-only columns, one row for each evaluation. NumPy only.

A row holds the loss, the parameters and their gradient. Parameters of any structure are kept flat, described by
`Leaf`s; a leaf with many entries is kept as its root mean square and a sample of its entries, so that a network with
180,000 weights costs as little to record as a handful of numbers.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping, Sequence
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


def _rms(array: NDArray[Any]) -> float:
    # A dot product: ten times as fast as the mean of squares, without an array for the squares.
    return math.sqrt(np.vdot(array, array).real / array.size)


def whole_leaf(name: str, shape: tuple[int, ...], start: int) -> Leaf:
    """Return a leaf that is kept with all its entries, from column `start` on."""
    return Leaf(name, shape, start, start + math.prod(shape))


def sampled_leaf(name: str, shape: tuple[int, ...], start: int, kept: NDArray[np.intp]) -> Leaf:
    """Return a leaf of which the entries `kept` and the root mean square are held, from column `start` on."""
    return Leaf(name, shape, start, start + len(kept), kept, start + len(kept))


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

    def replace(self, index: int, row: Any) -> None:
        """Put another row in the place of one that is there."""
        self._block[: self._rows][index] = row

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
        self.loss = GrowingColumn(None)
        self.values = GrowingColumn(self.width, dtype)
        self.gradients = GrowingColumn(self.width, dtype)
        self.accepted = GrowingColumn(None, np.bool_)
        self.watches: dict[str, WatchColumns] = {}
        self.terms: dict[str, TermColumns] = {}
        self.optimizer = optimizer
        self.last_signs: NDArray[Any] = np.full(self.width, np.inf)
        """Signs of the latest gradient, for telling when it turns."""
        self._points = 0, 0
        """Evaluations that were looked at so far, and points among them."""

    def __len__(self) -> int:
        return len(self.loss)

    def points(self) -> int:
        """Return how many points were visited: evaluations at one point, one after the other, count once."""
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
        row = np.empty(self.width, dtype=self.values.array.dtype)
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
        self.values.append(values)
        self.gradients.append(gradient)
        self.accepted.append(accepted)
        self.loss.append(loss)  # last: the length is read from here
        return len(self.loss) - 1

    def set_accepted(self, row: int, *, accepted: bool) -> None:
        """Say of an evaluation, once it is known, whether the optimizer accepted it."""
        self.accepted.replace(row, accepted)


def _filled(outline: Any, leaves: Iterator[Any]) -> Any:
    if isinstance(outline, Mapping):
        return {key: _filled(item, leaves) for key, item in outline.items()}
    if isinstance(outline, (list, tuple)):
        return type(outline)(_filled(item, leaves) for item in outline)
    return next(leaves)
