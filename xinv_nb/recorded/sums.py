"""The terms that a program's own loss is written as a sum of, in the evaluations in which they were looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Sums:
    """The terms of one loss, with a row of their values for each evaluation that was looked at."""

    names: tuple[str, ...] = ()
    """What the program calls them."""
    has_data: tuple[bool, ...] = ()
    """Of each, whether it compares something with an array of numbers."""
    is_penalty: tuple[bool, ...] = ()
    """Of each, whether it adds up many numbers that are made from parameters alone."""
    evaluations: list[int] = field(default_factory=list)
    values: list[tuple[float, ...]] = field(default_factory=list)
    pulls: list[list[list[float]] | None] = field(default_factory=list)
    """In each row, the products of the gradients of the terms with each other, where they were read."""

    def append(self, evaluation: int, values: Sequence[float], pulls: Sequence[Sequence[float]] | None = None) -> None:
        """Add a row; the number of its evaluation last, so that a row is whole whenever an interrupt comes."""
        self.values[len(self.evaluations) :] = [tuple(values)]
        self.pulls[len(self.evaluations) :] = [None if pulls is None else [list(row) for row in pulls]]
        self.evaluations.append(evaluation)

    def plain(self) -> dict[str, Any]:
        """Return it as plain data, for a file."""
        count = len(self.evaluations)
        rows = [list(row) for row in self.values[:count]]
        of_terms = {name: list(getattr(self, name)) for name in ("names", "has_data", "is_penalty")}
        return {**of_terms, "evaluations": list(self.evaluations), "values": rows, "pulls": self.pulls[:count]}
