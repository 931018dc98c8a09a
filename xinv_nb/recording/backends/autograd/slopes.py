"""How several results of one evaluation depend on its parameters, read from the tape of autograd in one walk back.

Each operation is visited once, however many results depend on it: what an operation with one number as its result
passes on for one result it passes on, times a number, for each. No forward pass is done again, taps hear nothing of it,
and derivatives that are the user's own functions are never called a second time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from xinv_nb.recording.backends.autograd.boxes import plain_value
from xinv_nb.recording.backends.autograd.tape import added, cost_of, dense, is_own, ordered
from xinv_nb.recording.backends.autograd.taps import untapped

_ONE = np.float64(1.0)  # autograd asks numbers for their shape
_WHOLE = 1.4
"""What an operation costs forward and backward, next to what it costs to read it, the overhead of reading included."""
_SMALL = 64
"""Numbers of the parameters up to which what is passed on to some of them is laid out in full."""

_parents = attrgetter("parents")


class Slopes(NamedTuple):
    """What a walk back from several results found."""

    gradients: Sequence[Any | None]
    """The gradient of each by the parameters; None where that took a function of the user's."""
    inside: Sequence[frozenset[int]]
    """Of each, the places of the others that it is computed from."""
    cost: float
    """What the walk cost, counted and not timed, so that it is the same each time."""
    whole: float
    """What the evaluation cost, counted in the same way."""


def slopes(results: Sequence[Any], end_node: Any) -> Slopes:
    """Return the gradient of each of some nodes of a tape that ends with `end_node`."""
    return _Walk(results).back(end_node)


class _Walk:
    """Cotangents of all results on their way back to the root."""

    def __init__(self, results: Sequence[Any]) -> None:
        self.results = results
        self.count = len(results)
        self.numbers: dict[Any, Any] = {}
        """Of nodes whose value is one number, a row with the cotangent for each result."""
        self.arrays: dict[Any, dict[int, Any]] = {}
        """Of other nodes, the cotangent for each result that is computed from them, as autograd adds them up."""
        self.root: Any = None
        """For each result a row of its gradient, as far as it was passed on to few parameters by numbers."""
        self.shape: tuple[int, ...] = ()
        self.refused: set[int] = set()
        self.cost = 0.0

    def back(self, end_node: Any) -> Slopes:
        """Walk from the end of the tape to its root."""
        order = ordered([*self.results, end_node], _parents)
        places: dict[Any, list[int]] = {}
        for place, node in enumerate(self.results):
            places.setdefault(node, []).append(place)
        inside: list[set[int]] = [set() for _ in self.results]
        size = 0.0
        for node in order[:-1]:
            if node in places:
                for other in self._active(node):
                    inside[other].update(places[node])
                self._begin(node, places[node])
            size += self._visit(node, order[-1])
        gradients = [None if place in self.refused else self._gradient(order[-1], place) for place in range(self.count)]
        level = next((0.0 * each for each in gradients if isinstance(each, (float, np.ndarray))), None)
        for place in range(self.count) if level is not None else ():
            if gradients[place] is None and place not in self.refused:
                gradients[place] = level  # nothing came to the parameters: its slope is 0
        return Slopes(gradients, [frozenset(each) for each in inside], self.cost, _WHOLE * size)

    def _active(self, node: Any) -> list[int]:
        if (row := self.numbers.get(node)) is not None:
            return [int(place) for place in np.flatnonzero(row)]
        return list(self.arrays.get(node, ()))

    def _begin(self, node: Any, places: list[int]) -> None:
        if getattr(node, "value", None) is None:
            of_node = self.arrays.setdefault(node, {})
            for place in places:
                of_node[place] = added(of_node.get(place), _ONE)
            return
        if node not in self.numbers:
            self.numbers[node] = np.zeros(self.count)
        self.numbers[node][places] += 1.0

    def _visit(self, node: Any, root: Any) -> float:
        """Pass on what came to a node; returns what the operation itself costs."""
        row, of_node = self.numbers.pop(node, None), self.arrays.pop(node, None)
        if row is None and not of_node:
            return 1.0
        vjp = untapped(node)
        if not is_own(node):
            self.refused.update(of_node or (int(place) for place in np.flatnonzero(row)))
            return 1.0
        if row is not None:
            self._pass_numbers(node, root, vjp, row)
            return 1.0
        unit = 1.0
        for place, (cotangent, _) in (of_node or {}).items():
            if place in self.refused:
                continue
            unit = cost_of(cotangent)
            self.cost += unit
            for parent, part in zip(node.parents, vjp(cotangent), strict=True):
                self._pass(parent, place, part)
        return unit

    def _pass_numbers(self, node: Any, root: Any, vjp: Any, row: Any) -> None:
        """Pass on what came to a node whose value is one number: the same for each result, but for a factor."""
        self.cost += 1.0
        for k, (parent, part) in enumerate(zip(node.parents, vjp(_ONE), strict=True)):
            if isinstance(part, float) and math.isfinite(part) and getattr(parent, "value", None) is not None:
                known = self.numbers.get(parent)
                if known is None:
                    self.numbers[parent] = row * part
                else:
                    known += row * part
                continue
            if parent is root and self._is_small(part):
                laid_out = dense(part)
                if self.root is None:
                    self.root, self.shape = np.zeros((self.count, laid_out.size)), laid_out.shape
                self.root += np.multiply.outer(row, laid_out.reshape(-1))
                self.cost += 0.5
                continue
            for place in np.flatnonzero(row).tolist() or range(self.count):  # where all slopes are 0, these are known
                self.cost += 0.5
                self._pass(parent, place, tuple(vjp(row[place]))[k])

    def _is_small(self, part: Any) -> bool:
        """Whether what is passed on to the parameters is a small array of numbers, or some entries of one."""
        space = getattr(part, "vs", part)
        if not 0 < getattr(space, "size", 0) <= _SMALL or not getattr(space, "shape", ()):
            return False
        if getattr(space, "dtype", None) != np.float64 or (self.root is not None and space.shape != self.shape):
            return False
        return space is not part or bool(np.isfinite(part).all())

    def _pass(self, parent: Any, place: int, part: Any) -> None:
        if getattr(parent, "value", None) is not None:
            row = self.numbers.get(parent)
            if row is None:
                row = self.numbers[parent] = np.zeros(self.count)
            row[place] += float(part)
            return
        of_node = self.arrays.setdefault(parent, {})
        of_node[place] = added(of_node.get(place), part)

    def _gradient(self, root: Any, place: int) -> Any | None:
        """Return what came to the root for one result."""
        if (row := self.numbers.get(root)) is not None:
            return row[place]
        flagged = self.arrays.get(root, {}).get(place)
        found = None if flagged is None else plain_value(flagged[0])
        if self.root is None:
            return found
        laid_out = self.root[place].reshape(self.shape)
        return laid_out if found is None else found + laid_out
