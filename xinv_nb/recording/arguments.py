"""What is known of the arguments of an objective that takes several, evaluation by evaluation.

A program may differentiate one function by each of its arguments in turn, `grad(f, 0)(m, b)` and `grad(f, 1)(m, b)`:
`joining` finds that, and needs to know what the other arguments were. Of each a mark is taken, which is the same for
the same numbers, and kept where it changes; arrays of many entries are known by a sample.
"""

from __future__ import annotations

import itertools
import zlib
from bisect import bisect_right
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recorded.history import MOST_CHANGES, History
from xinv_nb.recorded.leaves import SAMPLE, Leaf, sample_positions
from xinv_nb.recording.backends.boxes import plain_value
from xinv_nb.recording.evaluation import Evaluation
from xinv_nb.recording.structure import copied, flatten, leaf_names, outline, signature

Mark = tuple[bytes, ...]
"""What tells the numbers of one argument apart from others: a piece for each array in it."""

_MOST_BYTES = 2**22
"""Bytes of marks that are kept of one argument; of mini-batches, new each time, it is not worth more."""


def mark(value: Any) -> Mark | None:
    """Return the mark of an argument; None where it holds anything but floating-point numbers.

    >>> mark([1.0, np.zeros(2)]) == mark((1.0, np.zeros(2))), mark(3), mark("a")
    (True, None, None)
    """
    pieces: list[bytes] = []
    return tuple(pieces) if _gather(value, pieces) and pieces else None


def _gather(value: Any, pieces: list[bytes]) -> bool:
    value = plain_value(value)
    if isinstance(value, Mapping):
        return all(_gather(value[key], pieces) for key in sorted(value, key=str))
    if isinstance(value, (list, tuple)):
        return all(_gather(item, pieces) for item in value)
    if not isinstance(value, (float, complex, np.ndarray, np.floating, np.complexfloating)):
        return False
    array = np.asarray(value)
    if array.dtype.kind not in "fc":
        return False
    pieces.append(_piece(array, array.size))
    return True


def _piece(array: NDArray[Any], size: int) -> bytes:
    if size > SAMPLE and array.size == size:
        array = array.flat[sample_positions(size)]
    return array.astype(complex).tobytes()


class Marks:
    """The marks of one argument over the evaluations of a history, kept where they change."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.marks: list[Mark | None] = []
        self._bytes = 0
        self.is_full = False
        """Whether there were too many to be kept: those of later evaluations are not known."""

    @property
    def latest(self) -> Mark | None:
        """The mark at the latest evaluation that is known."""
        return self.marks[-1] if self.marks else None

    def note(self, row: int, found: Mark | None) -> None:
        """Take note of the argument at an evaluation."""
        if self.is_full or (self.marks and found == self.marks[-1]):
            return
        self._bytes += sum(map(len, found or ()))
        if self._bytes > _MOST_BYTES:
            self.is_full = True
            return
        self.rows.append(row)
        self.marks.append(found)

    def at(self, row: int) -> Mark | None:
        """Return the mark at an evaluation; None where it is not known."""
        place = bisect_right(self.rows, row) - 1
        return self.marks[place] if place >= 0 and not self.is_full else None


@dataclass(frozen=True)
class Argument:
    """One argument that was differentiated: its structure, and the leaves that hold it."""

    outline: Any
    shape: Hashable
    leaves: Sequence[Leaf]

    def mark_in(self, row: NDArray[Any]) -> Mark:
        """Return the mark of the argument whose numbers stand in a row of the history."""
        pieces = [_piece(row[leaf.start : leaf.stop], leaf.size) for leaf in self.leaves]
        return tuple(pieces[place] for place in order_of(self.outline))


def order_of(structure: Any) -> list[int]:
    """Return the places of the leaves of an outline in the order in which `mark` meets them."""
    places = itertools.count()

    def numbered(item: Any) -> Any:
        if isinstance(item, Mapping):
            return {key: numbered(part) for key, part in item.items()}
        return [numbered(part) for part in item] if isinstance(item, (list, tuple)) else next(places)

    def met(item: Any) -> list[int]:
        if isinstance(item, Mapping):
            return [place for key in sorted(item, key=str) for place in met(item[key])]
        return [place for part in item for place in met(part)] if isinstance(item, list) else [item]

    return met(numbered(structure))


@dataclass(eq=False)
class Part:
    """One history of an objective that takes several arguments, with what was known beside it."""

    history: History
    arguments: Mapping[int, Argument]
    """What was differentiated, by position."""
    names: Mapping[int, str]
    """What the objective calls its arguments."""
    moments: list[int] = field(default_factory=list)
    """When each of its evaluations was made, in a count over all of them."""
    others: dict[int, Marks] = field(default_factory=dict)
    """What was handed over beside, by position."""
    known: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))
    """The columns in which the gradient of the latest evaluation is known."""
    sites: set[Hashable] = field(default_factory=set)
    """Where in the program the passes of the latest evaluation were made."""
    has_one_loss: bool = False
    """Whether passes at one point were seen to give the same loss: no mini-batches of their own."""
    largest_loss: float = 0.0
    """The largest size of its losses so far."""
    given_to: dict[Part, list[Mark]] = field(default_factory=dict)
    """The points of this history that another objective was given as an argument, the latest last; see `players`."""
    tries: int = 0
    """How often it was looked at whether it belongs together with another."""

    def point_of(self, evaluation: Evaluation) -> dict[int, Any] | None:
        """Return the arguments that this history holds, as an evaluation was given them; None if it has others."""
        others = evaluation.others or {}
        if not self.arguments.keys() <= {*evaluation.positions, *others}:
            return None
        found = values_of(evaluation, self.arguments)
        fits = all(self.arguments[position].shape == signature(value) for position, value in found.items())
        return found if fits else None

    def mark_at(self, position: int, row: int) -> Mark | None:
        """Return the mark of an argument at an evaluation; None where it is not known."""
        if position in self.arguments:
            return self.arguments[position].mark_in(self.history.values.array[row])
        return self.others[position].at(row) if position in self.others else None

    def columns_of(self, positions: Sequence[int]) -> NDArray[np.bool_]:
        """Return which columns hold these arguments."""
        columns = np.zeros(self.history.width, dtype=bool)
        for position in positions:
            for leaf in self.arguments[position].leaves:
                columns[leaf.start : leaf.end] = True
        return columns

    def row_at(self, values: Mapping[int, Any]) -> NDArray[Any]:
        """Lay arguments out in a row of columns; nan stands in those of the others."""
        row = np.full(self.history.width, np.nan, dtype=self.history.dtype)
        for position, value in values.items():
            argument = self.arguments[position]
            for leaf, array in zip(argument.leaves, flatten(value, argument.outline), strict=True):
                leaf.lay_out(array, row)
        return row

    def note_others(self, row: int, evaluation: Evaluation) -> None:
        """Take note of what was handed over beside."""
        for position, value in (evaluation.others or {}).items():
            if position not in self.arguments:
                self.others.setdefault(position, Marks()).note(row, mark(value))
        self.note_held(row)

    def note_held(self, row: int) -> None:
        """Take note in the history where what was handed over beside is something else than before."""
        held = self.history.held
        if len(held) <= MOST_CHANGES:
            pieces = [
                piece for place in sorted(self.others.keys() - self.arguments.keys()) for piece in self._given(place)
            ]
            found = zlib.crc32(b"".join(pieces))
            if not held or held[-1][1] != found:
                held.append((row, found))

    def _given(self, position: int) -> Mark:
        return self.others[position].latest or ()


def values_of(evaluation: Evaluation, positions: Mapping[int, Any] | Sequence[int]) -> dict[int, Any]:
    """Return the arguments of an evaluation at these positions, copied, or a summary of large ones."""
    own = evaluation.positions
    points = [evaluation.point] if len(own) == 1 else evaluation.point
    found = dict(zip(own, points, strict=True))
    others = evaluation.others or {}
    return {
        position: found[position] if position in found else copied(others[position], summarise=True)
        for position in positions
    }


def arguments_in(history: History, evaluation: Evaluation) -> dict[int, Argument]:
    """Return the arguments of which the leaves of a history were made, from the evaluation that it begins with."""
    leaves = iter(history.leaves)
    found = {}
    for position, value in values_of(evaluation, evaluation.positions).items():
        structure = outline(value)
        count = len(leaf_names(structure, ""))
        found[position] = Argument(structure, signature(value), [next(leaves) for _ in range(count)])
    return found
