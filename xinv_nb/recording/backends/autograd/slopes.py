"""How several results of one evaluation depend on its parameters, read from the tape of autograd in one walk back.

Each operation is visited once, however many results depend on it: what an operation with one number as its result
passes on for one result it passes on, times a number, for each; and mostly that was heard in the program's own backward
pass. No forward pass is done again, taps hear nothing of it, and derivatives that are the user's own functions are
never called a second time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from xinv_nb.recording.backends.autograd.boxes import plain_value
from xinv_nb.recording.backends.autograd.tape import added, cost_of, is_own, ordered
from xinv_nb.recording.backends.autograd.taps import heard, untapped

_ONE = np.float64(1.0)  # autograd asks numbers for their shape
_HEARD, _EACH, _ASKED, _BEGIN = 0.16, 0.016, 0.4, 5.0
"""What it costs to read an operation that was heard, beside what each result adds, and one whose derivative has to be
called, next to what it costs forward and backward; and what a reading costs before the first."""
_SMALL = 64
"""Numbers of the parameters up to which what is passed on to some of them is laid out in full."""

_AT_ONCE = 256
"""How much waits for the root, at most."""

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
        self.numbers: dict[Any, list[float]] = {}
        """Of nodes whose value is one number, the cotangent for each result."""
        self.arrays: dict[Any, dict[int, Any]] = {}
        """Of other nodes, the cotangent for each result that is computed from them, as autograd adds them up."""
        self.root: Any = None
        """For each result a row of its gradient, as far as it was passed on to few parameters by numbers."""
        self.shape: tuple[int, ...] = ()
        self.waiting: list[tuple[list[float], Any]] = []
        """What is to be added there: a number for each result, times a row."""
        self.refused: set[int] = set()
        self.cost = _BEGIN
        self.cost_heard = _HEARD + _EACH * self.count

    def back(self, end_node: Any) -> Slopes:
        """Walk from the end of the tape to its root."""
        order = ordered([*self.results, end_node], _parents)
        root = order.pop()
        places: dict[Any, list[int]] = {}
        for place, node in enumerate(self.results):
            places.setdefault(node, []).append(place)
        inside: list[set[int]] = [set() for _ in self.results]
        size = float(len(order))
        for node in order:
            if node in places:
                for other in self._active(node):
                    inside[other].update(places[node])
                self._begin(node, places[node])
            if (row := self.numbers.pop(node, None)) is not None:
                self._pass_numbers(node, root, row)
            elif of_node := self.arrays.pop(node, None):
                size += self._pass_arrays(node, of_node)
        self._add_up()
        gradients = [None if place in self.refused else self._gradient(root, place) for place in range(self.count)]
        level = next((0.0 * each for each in gradients if isinstance(each, (float, np.ndarray))), None)
        for place in range(self.count) if level is not None else ():
            if gradients[place] is None and place not in self.refused:
                gradients[place] = level  # nothing came to the parameters: its slope is 0
        return Slopes(gradients, [frozenset(each) for each in inside], self.cost, size)

    def _active(self, node: Any) -> list[int]:
        if (row := self.numbers.get(node)) is not None:
            return [place for place, number in enumerate(row) if number]
        return list(self.arrays.get(node, ()))

    def _begin(self, node: Any, places: list[int]) -> None:
        for place in places:
            self._pass(node, place, _ONE)

    def _pass_numbers(self, node: Any, root: Any, row: list[float]) -> None:
        """Pass on what came to a node whose value is one number: the same for each result, but for a factor."""
        vjp = None
        listener = heard(node)
        parts, of = (listener.passed, listener.cotangent) if listener is not None else ((), None)
        if not parts or not isinstance(of, float) or not of or not math.isfinite(of) or not is_own(node):
            if not is_own(node):
                self.refused.update(place for place, number in enumerate(row) if number)
                return
            vjp = untapped(node)
            parts, of = tuple(vjp(_ONE)), 1.0
        self.cost += self.cost_heard if vjp is None else _ASKED
        wide: list[int] = []
        """Which parents are passed more than a number."""
        for k, (parent, part) in enumerate(zip(node.parents, parts, strict=True)):
            if isinstance(part, float) and math.isfinite(part) and getattr(parent, "value", None) is not None:
                factor = float(part) / of
                known = self.numbers.get(parent)
                if known is None:
                    self.numbers[parent] = [number * factor for number in row]
                else:
                    self.numbers[parent] = [sum_ + number * factor for sum_, number in zip(known, row, strict=True)]
            elif parent is root and (laid_out := self._few(part)) is not None:
                self.waiting.append(([number / of for number in row], laid_out.reshape(-1)))
                self.cost += _ASKED
                if len(self.waiting) >= _AT_ONCE:
                    self._add_up()
            else:
                wide.append(k)
        for place, number in enumerate(row) if wide else ():
            if number or not any(row):  # where all slopes are 0, these are known
                self.cost += _ASKED
                passed = tuple((vjp or untapped(node))(np.float64(number)))
                for k in wide:
                    self._pass(node.parents[k], place, passed[k])

    def _pass_arrays(self, node: Any, of_node: dict[int, Any]) -> float:
        """Pass on what came to a node with other values; returns what the operation itself costs beyond the usual."""
        if not is_own(node):
            self.refused.update(of_node)
            return 0.0
        vjp, unit = untapped(node), 1.0
        for place, (cotangent, _) in of_node.items():
            if place in self.refused:
                continue
            unit = cost_of(cotangent)
            self.cost += _ASKED * unit
            for parent, part in zip(node.parents, vjp(cotangent), strict=True):
                self._pass(parent, place, part)
        return unit - 1.0

    def _few(self, part: Any) -> Any | None:
        """Return what is passed on to the parameters where it is a small array of numbers, or some entries of one."""
        space = getattr(part, "vs", part)
        shape = getattr(space, "shape", ())
        if getattr(space, "dtype", None) != np.float64 or not shape or (self.root is not None and shape != self.shape):
            return None
        if self.root is None:
            if not 0 < math.prod(shape) <= _SMALL:
                return None
            self.root, self.shape = np.zeros((self.count, math.prod(shape))), shape
        if space is not part:
            return part.mut_add(np.zeros(shape))
        return part if np.isfinite(part).all() else None

    def _add_up(self) -> None:
        if self.waiting:
            rows, laid_out = zip(*self.waiting, strict=True)
            self.root += np.array(rows).T @ np.array(laid_out)
            self.waiting.clear()

    def _pass(self, parent: Any, place: int, part: Any) -> None:
        if getattr(parent, "value", None) is not None:
            row = self.numbers.get(parent)
            if row is None:
                row = self.numbers[parent] = [0.0] * self.count
            row[place] += float(part)
            return
        of_node = self.arrays.setdefault(parent, {})
        of_node[place] = added(of_node.get(place), part)

    def _gradient(self, root: Any, place: int) -> Any | None:
        """Return what came to the root for one result."""
        if (row := self.numbers.get(root)) is not None:
            return np.float64(row[place])
        flagged = self.arrays.get(root, {}).get(place)
        found = None if flagged is None else plain_value(flagged[0])
        if self.root is None:
            return found
        laid_out = self.root[place].reshape(self.shape)
        return laid_out if found is None else found + laid_out
