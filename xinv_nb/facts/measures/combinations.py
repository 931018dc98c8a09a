"""Moves of several parameters together, in words: how a direction in the space of the parameters is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.names import named
from xinv_nb.language.quantities import is_state
from xinv_nb.language.slots import Clause, Count, Listed, Named, Said, Slot, Value
from xinv_nb.recorded.entries import Entry

_MOVE = 0.1
"""The move that is spoken of, as a share of the size of the parameter that moves most."""
PART = 0.1
"""Share of the largest move in a combination from which a parameter's is told."""
LITTLE, TRACE = 1e-2, 1e-5
"""The same from which a parameter is counted where the combination is weakly, or not at all, determined."""
_MOST_NAMES = 4


@dataclass(frozen=True)
class Combination:
    """A move of several parameters together: of the one that moves most, by a share of its size."""

    columns: NDArray[np.intp]
    moves: Floats
    """How far each of these parameters moves, in its own unit."""
    step: Floats
    """The whole move, in sizes of the parameters."""
    others: int
    """Parameters that move as well and are not told one by one."""

    def as_clause(self, names: Mapping[int, Entry]) -> Clause:
        """Return the move as a part of a sentence, the largest first."""
        parts = [_part(names.get(c), c, m) for c, m in zip(self.columns.tolist(), self.moves.tolist(), strict=True)]
        if self.others:
            with_it = "others, with it" if len(parts) == 1 else "others, with them"
            parts.append(Clause(with_it, {"count": Count(self.others)}))
        if len(parts) == 1:
            return parts[0]
        return Clause("together", {"one": parts[0], "rest": Listed(tuple(parts[1:]))})

    def told(self, names: Mapping[int, Entry]) -> dict[str, float]:
        """Return the moves by the parameters' names."""
        pairs = zip(self.columns.tolist(), self.moves.tolist(), strict=True)
        return {names[column].name if column in names else str(column): move for column, move in pairs}


def _part(entry: Entry | None, column: int, move: float) -> Clause:
    """Return the move of one parameter."""
    if entry is None:
        unknown = Named(str(column), f"parameter {column}", is_of_domain=False)
        return Clause("rises" if move > 0 else "falls", {"parameter": unknown, "amount": Value(abs(move))})
    known = entry.parameter
    slots: dict[str, Slot] = {"parameter": named(entry), "amount": Value(abs(move), known.unit)}
    if known.directions:
        direction = known.directions[move > 0]
        return Clause("becomes" if is_state(direction) else "moves", slots | {"direction": Said(direction)})
    return Clause("rises" if move > 0 else "falls", slots)


def combination(direction: Floats, scale: Floats, trace: float = PART) -> Combination:
    """Return the move along a direction; a parameter takes part whose share of the largest move is above `trace`."""
    step = direction / direction[np.argmax(np.abs(direction))] * _MOVE
    order = np.argsort(-np.abs(step), kind="stable")
    takes_part = int(np.count_nonzero(np.abs(step) >= trace * _MOVE * (1 - 1e-9)))
    told = int(np.count_nonzero(np.abs(step) >= PART * _MOVE * (1 - 1e-9)))
    # Where the loss does not change at all, a small move of another parameter is what keeps it from changing.
    told = min(max(told, 2 if trace == TRACE else 1), _MOST_NAMES, takes_part)
    return Combination(order[:told], step[order[:told]] * scale[order[:told]], step, takes_part - told)


def simplest(vectors: Floats) -> Floats:
    """Return directions that span the same and have as few parameters in each as elimination finds."""
    found = vectors.T.copy()
    for k in range(len(found)):
        row, column = np.unravel_index(np.argmax(np.abs(found[k:])), found[k:].shape)
        found[[k, k + row]] = found[[k + row, k]]
        found[k] /= found[k, column]
        for other in range(len(found)):
            if other != k:
                found[other] -= found[other, column] * found[k]
    found[np.abs(found) < 1e-7 * np.abs(found).max()] = 0.0
    return np.asarray(found.T / np.linalg.norm(found, axis=1))
