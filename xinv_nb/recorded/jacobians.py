"""The Jacobians of the residuals at some evaluations of one objective, within a budget. NumPy only."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

BUDGET = 64 * 2**20
"""Bytes that the Jacobians of one objective take at most."""
_FEWEST = 2
"""Jacobians that have to fit into the budget for any to be kept: the best and the latest."""


class Jacobians:
    """From an evaluation to the Jacobian there: a row for each residual, a column for each parameter.

    All are kept within the budget; past it those of the lower half of the losses, and the latest.

    Examples
    --------
    >>> kept = Jacobians()
    >>> kept.add(0, 2.5, np.eye(2))
    >>> kept.evaluations, kept.at(0).shape, kept.at(1)
    ([0], (2, 2), None)
    """

    def __init__(self) -> None:
        self._kept: dict[int, tuple[float, NDArray[np.float64]]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[tuple[int, NDArray[np.float64]]]:
        return iter([(evaluation, self._kept[evaluation][1]) for evaluation in self.evaluations])

    @property
    def evaluations(self) -> Sequence[int]:
        """The evaluations of which a Jacobian is kept, in order."""
        return sorted(self._kept)

    def at(self, evaluation: int) -> NDArray[np.float64] | None:
        """Return the Jacobian at an evaluation; None where none is kept."""
        found = self._kept.get(evaluation)
        return None if found is None else found[1]

    @staticmethod
    def has_room(size: int) -> bool:
        """Whether a Jacobian of so many numbers is one to keep."""
        return _FEWEST * 8 * size <= BUDGET

    def add(self, evaluation: int, loss: float, jacobian: NDArray[Any]) -> None:
        """Keep a copy of the Jacobian at an evaluation with that loss, one that there is room for."""
        if (len(self._kept) + 1) * 8 * jacobian.size > BUDGET:
            self._thin()
        kept = np.array(jacobian, dtype=np.float64)
        kept.flags.writeable = False
        self._kept[evaluation] = loss if math.isfinite(loss) else math.inf, kept

    def within(self, evaluations: Sequence[int]) -> Jacobians:
        """Return those at some evaluations, in order, by their places among these."""
        part = Jacobians()
        part._kept = {k: self._kept[each] for k, each in enumerate(evaluations) if each in self._kept}
        return part

    def _thin(self) -> None:
        """Drop the upper half of the losses; the one that comes now is the latest."""
        best = sorted(self._kept, key=lambda evaluation: self._kept[evaluation][0])
        self._kept = {evaluation: self._kept[evaluation] for evaluation in best[: max(len(best) // 2, 1)]}
