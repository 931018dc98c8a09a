"""Functions that are one, each with another of its variables as the argument that it is differentiated by.

`grad(lambda a: f(a, b))(a)` and `grad(lambda b: f(a, b))(b)` are what `grad(f, 0)(a, b)` and `grad(f, 1)(a, b)` are:
code that is the same but for where its argument comes from. The other one is looked for in the code that is running,
and in the module.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import CodeType, FunctionType

from xinv_nb.recording.backends.autograd.differentiated import Differentiated
from xinv_nb.recording.backends.autograd.shared import Shared, shared, value_in

_FRAMES = 32
"""Frames in whose code others are looked for."""
_MOST_CODES = 400


class Alike:
    """What one recording knows of functions that are one."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[CodeType, Shared | None]] = {}
        """By the identity of the code, whose hash would be a cost of every evaluation."""
        self._alone: CodeType | None = None
        """The code of the latest that is none of these."""

    def seen(self, of: Differentiated) -> Differentiated:
        """Return what is differentiated, as a function of all its variables where it is one of several."""
        function = of.function
        if type(function) is not FunctionType:
            return of
        code = function.__code__
        if code is self._alone or of.others is not None or of.positions != (0,):
            return of
        known = self._known.get(id(code))
        if known is None or known[0] is not code:
            if len(self._known) > _MOST_CODES:
                self._known.clear()
            known = self._known[id(code)] = code, shared(function, _codes_around(function))
        found = known[1]
        if found is None:
            self._alone = code
            return of
        others = {position: value_in(function, name) for position, name in found.others.items()}
        of.positions, of.others, of.shared = (found.position,), others, found
        return of


def _codes_around(function: FunctionType) -> list[CodeType]:
    """Return the code of functions that the running program makes, and of those in the module of a function."""
    found = list[CodeType]()
    frame = sys._getframe(1)  # noqa: SLF001
    for _ in range(_FRAMES):
        if frame is None:
            break
        if not str(frame.f_globals.get("__name__", "")).startswith(("autograd.", "xinv_nb.")):
            found += [each for each in frame.f_code.co_consts if isinstance(each, CodeType)]
        frame = frame.f_back  # type: ignore[assignment]
    return [*found, *_codes_of(function)][:_MOST_CODES]


def _codes_of(function: FunctionType) -> Iterator[CodeType]:
    for value in list(function.__globals__.values()):
        if type(value) is FunctionType and value.__module__ == function.__module__:
            yield value.__code__
