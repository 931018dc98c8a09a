"""Takes note of what a constraint's function answers a solver: at first, and at each point where only that tells it.

A stand-in is called in the place of the user's function, which it calls in turn, as often as without us.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recording.wrappers import function_name

_MOST = 10_000
"""Points at which answers are kept."""

Floats = NDArray[np.float64]


class Answers:
    """Stands for the function of one constraint in one call of a solver."""

    def __init__(self, function: Any, *, keeps_all: bool) -> None:
        self.function = function
        self.__name__ = function_name(function)
        self._keeps_all = keeps_all
        self.first: Floats | None = None
        """Its numbers at the start."""
        self.largest: Floats | None = None
        """How large each of them was at most."""
        self._at: dict[bytes, Floats] = {}

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Call it, and take note of the answer."""
        answer = self.function(*args, **options)
        if (self._keeps_all or self.first is None) and np.isrealobj(answer):
            with suppress(Exception):  # what is no number tells the solver itself
                self._note(np.array(args[0], dtype=float), np.array(answer, dtype=float).reshape(-1))
        return answer

    def _note(self, point: Floats, numbers: Floats) -> None:
        if self.first is None or self.largest is None:
            self.first, self.largest = numbers, np.abs(numbers)
        self.largest = np.fmax(self.largest, np.abs(numbers))
        if self._keeps_all and len(self._at) < _MOST:
            self._at[point.tobytes()] = numbers

    def at(self, point: Floats) -> Floats | None:
        """Return its numbers at a point; None where they were not kept."""
        return self._at.get(np.asarray(point, dtype=float).tobytes())

    def __reduce__(self) -> Any:
        return _itself, (self.function,)  # what another process is sent is the user's own


def _itself(function: Any) -> Any:
    return function


def watched(constraints: Sequence[Any], *, keeps_all: bool) -> list[Any]:
    """Return copies of constraints, as SciPy has them, with stand-ins for their functions; the user's stay as they are.

    >>> watched([{"type": "eq", "fun": abs}], keeps_all=False)[0]["fun"](-2)
    2
    """
    return [_watched(each, keeps_all) for each in constraints]


def _watched(each: Any, keeps_all: bool) -> Any:
    function = each.get("fun") if isinstance(each, Mapping) else getattr(each, "fun", None)
    if not callable(function):
        return each
    answers = Answers(function, keeps_all=keeps_all)
    if isinstance(each, Mapping):
        return {**each, "fun": answers}
    other = copy.copy(each)
    other.fun = answers
    return other


def answers_of(each: Any) -> Answers | None:
    """Return the stand-in of a constraint, if it has one."""
    function = each.get("fun") if isinstance(each, Mapping) else getattr(each, "fun", None)
    return function if isinstance(function, Answers) else None
