"""The terms that a program's own loss is written as a sum of, and their values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recorded.columns import GrowingColumn


@dataclass(frozen=True)
class Term:
    """One term of a loss."""

    name: str
    """What the program calls it: a variable, or what is written there; of a watched number, its name."""
    weight: float = 1.0
    """What it is multiplied by in the sum, beside what its name says."""
    is_watched: bool = False
    """Whether it is a watched number."""
    has_data: bool = False
    """Whether it is computed from a comparison of something of the parameters with an array of numbers."""
    is_penalty: bool = False
    """Whether it adds up many numbers that are made from parameters alone, as the size or the roughness of a model."""
    is_prior: bool = False
    """Whether it compares all parameters themselves with numbers, with no model in between."""


@dataclass
class Sums:
    """The terms of one loss, with a row of their values for each evaluation in which they are known."""

    terms: tuple[Term, ...] = ()
    evaluation: GrowingColumn = field(default_factory=lambda: GrowingColumn(None, np.intp))
    values: GrowingColumn = field(default_factory=GrowingColumn)

    @classmethod
    def of(cls, terms: Sequence[Term]) -> Sums:
        """Return the sum of some terms, without a row so far.

        >>> sums = Sums.of([Term("misfit"), Term("size")])
        >>> sums.append(3, [2.0, 0.5])
        >>> sums.evaluation.array.tolist(), sums.values.array.tolist()
        ([3], [[2.0, 0.5]])
        """
        return cls(tuple(terms), values=GrowingColumn(len(terms)))

    def append(self, evaluation: int, values: Sequence[float]) -> None:
        """Add a row; the number of its evaluation last, so that a row is whole whenever an interrupt comes."""
        self.values.rows = len(self.evaluation)
        self.values.append(values)
        self.evaluation.append(evaluation)

    @property
    def own(self) -> tuple[str, ...]:
        """The names of the terms that are not watched, so that they are known by the sum alone."""
        return tuple(term.name for term in self.terms if not term.is_watched)

    def arrays(self) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Return the evaluations, and a row of values for each."""
        evaluations = self.evaluation.array
        return evaluations, self.values.array[: len(evaluations)]
