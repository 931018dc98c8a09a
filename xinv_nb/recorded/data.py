"""The recording of one group of data: its residuals at the evaluations, and what is known of the data. NumPy only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recorded.columns import GrowingColumn
from xinv_nb.recorded.plain import text_of

Floats = NDArray[np.float64]

MOST_GROUPS = 64
"""Groups of data kept of one objective."""


@dataclass(frozen=True)
class Data:
    """The recording of one group of data, as it is read.

    `residuals` has a row for each evaluation in `kept`, not a number where the objective did not come by; `sigma` is
    the standard deviation of each data point, or None where none is known; `labels` are their names, if they have any.
    """

    name: str
    residuals: Floats
    sigma: Floats | None
    labels: tuple[str, ...]


class DataColumns:
    """What was recorded of one group of data: residuals in the rows that the parameters have."""

    def __init__(self, count: int, rows: int, sigma: Floats | None = None, labels: Sequence[Any] = ()) -> None:
        self.residuals = GrowingColumn.of(np.full((rows, count), np.nan))
        self.sigma = sigma
        self.labels = tuple(map(text_of, labels))
        self._sigma_varies = False

    @property
    def count(self) -> int:
        """How many data points there are."""
        return int(self.residuals.block.shape[1])

    def within(self, rows: slice | NDArray[np.intp]) -> DataColumns:
        """Return the same group in some of the rows only: in a slice of them as a view, by their numbers as a copy."""
        part = DataColumns(self.count, 0, self.sigma, self.labels)
        part._sigma_varies = self._sigma_varies
        part.residuals = GrowingColumn.of(self.residuals.array[rows])
        return part

    def put(self, row: int, residuals: Floats, sigma: Floats | None) -> None:
        """Keep the residuals of a row that there is; of a `sigma` that does not stay the same, that it is not known."""
        if not self._sigma_varies and not _are_same(sigma, self.sigma):
            self.sigma, self._sigma_varies = None, True
        self.residuals.block[row] = residuals


def as_read(groups: Mapping[str, DataColumns], rows: int) -> dict[str, Data]:
    """Return groups of data as they are read, by their names, in so many rows as the parameters have."""
    return {name: Data(name, group.residuals.array[:rows], group.sigma, group.labels) for name, group in groups.items()}


def _are_same(one: Floats | None, other: Floats | None) -> bool:
    return one is other if one is None or other is None else np.array_equal(one, other)
