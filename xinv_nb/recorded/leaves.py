"""How parameters of any structure are laid out in the columns of a history, each array a leaf. NumPy only.

A leaf with many entries is kept as its root mean square and a sample of its entries, so that a network with 180,000
weights costs as little to record as a handful of numbers.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

WHOLE_LIMIT = 4096
"""Parameters in total up to which every entry is kept."""

_PIECE = 8192
"""Entries up to which a dot product is calculated in one thread."""

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
    is_complex: bool = False
    """Whether its entries have imaginary parts."""
    labels: tuple[str, ...] = ()
    """What a package calls its entries, where it says so."""

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

    def lay_out(self, array: Any, row: NDArray[Any]) -> None:
        """Copy an array, or the summary of one, into the columns of this leaf."""
        if self.kept is None:
            row[self.start : self.stop] = array.reshape(-1)
        elif isinstance(array, Summary):
            row[self.start : self.stop], row[self.rms_column] = array.sample, array.rms
        else:
            row[self.start : self.stop], row[self.rms_column] = array.reshape(-1)[self.kept], rms(array)

    def position_of(self, name: str) -> int | None:
        """Return the flat position of the entry that is called so, as `entry_name` does; None if none is."""
        found = re.fullmatch(re.escape(self.name) + r"\[(\d+(?:, *\d+)*)\]", name)
        index = tuple(int(number) for number in found[1].split(",")) if found else ()
        if len(index) != len(self.shape) or any(i >= n for i, n in zip(index, self.shape, strict=True)):
            return None
        return int(np.ravel_multi_index(index, self.shape)) if index else None


def leaves_of(named_shapes: list[tuple[str, tuple[int, ...]]], complex_ones: Collection[str] = ()) -> list[Leaf]:
    """Lay out columns for arrays of these names and shapes; `complex_ones` are the names of complex arrays."""
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
    return [replace(leaf, is_complex=True) if leaf.name in complex_ones else leaf for leaf in leaves]


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
    return Summary(array.shape, array.dtype, array.reshape(-1)[sample_positions(array.size)], rms(array))


def sum_of_squares(array: NDArray[Any]) -> float:
    """Return the sum of the squares of an array's entries.

    By dot products: ten times as fast as a mean of squares, with no warning and no array for the squares. In pieces,
    since a dot product of long arrays starts threads, which wait for each other longer than the product takes.
    """
    if array.size <= _PIECE:
        return float(np.vdot(array, array).real)
    flat = array.reshape(-1)
    if flat.dtype.kind == "c":
        flat = np.ascontiguousarray(flat).view(flat.real.dtype)
    rest = flat.size % _PIECE
    pieces = flat[rest:].reshape(-1, 1, _PIECE)
    with np.errstate(all="ignore"):
        squares = np.matmul(pieces, pieces.reshape(-1, _PIECE, 1)).sum()
    return float(squares + np.vdot(flat[:rest], flat[:rest]))


def rms(array: NDArray[Any]) -> float:
    """Return the root mean square of an array's entries, also where their squares overflow."""
    mean = math.sqrt(sum_of_squares(array) / array.size)
    if mean == math.inf and math.isfinite(largest := float(np.abs(array).max())):
        return largest * rms(array / largest)  # only the squares overflowed
    return mean


def whole_leaf(name: str, shape: tuple[int, ...], start: int) -> Leaf:
    """Return a leaf that is kept with all its entries, from column `start` on."""
    return Leaf(name, shape, start, start + math.prod(shape))


def sampled_leaf(name: str, shape: tuple[int, ...], start: int, kept: NDArray[np.intp]) -> Leaf:
    """Return a leaf of which the entries `kept` and the root mean square are held, from column `start` on."""
    return Leaf(name, shape, start, start + len(kept), kept, start + len(kept))
