"""Sees at which evaluation a loop of the program begins anew: where the number that counts its steps starts over.

`for start in starts: for k in range(50): x = x - rate * grad(f)(x)` takes all its gradients at one place, and `k` says
which of them are of one start; an epoch begins so, too. Which number counts is found out at the first evaluations.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from types import CodeType, FrameType

import numpy as np

from xinv_nb.recorded.history import History

_FRAMES = 4
"""Frames of the program, from the one that asks for a gradient, in which a number is looked for."""
_MOST_SITES = 8
"""Places of the program that are followed."""
_MOST_TRIES = 4
"""Evaluations in a row without a number that counts, after which none is looked for."""
_MOST_NOTED = 10_000

_Counters = dict[tuple[int, str], list[int]]
"""By frame and name: the number that it begins with, and its latest."""


@dataclass
class _Site:
    """One place of the program that asks for evaluations."""

    code: CodeType
    counters: _Counters
    is_found: bool = False
    tries: int = 0


class Loops:
    """The loops of one recording."""

    def __init__(self) -> None:
        self._sites: dict[tuple[int, int], _Site] = {}
        self._latest: tuple[int, CodeType | None] = (0, None)
        """How far away the frame was that asked for the latest evaluation, and its code."""

    def evaluated(self, history: History, row: int) -> None:
        """Look at the loop that an evaluation was made in, and note if it begins anew."""
        if row >= _MOST_NOTED or sys.gettrace() is not None:  # a debugger has frames in its hands
            return
        frame = self._frame()
        if frame is None:
            return
        code = frame.f_code
        site = self._sites.get((id(code), frame.f_lasti))
        if site is None or site.code is not code:
            if len(self._sites) < _MOST_SITES:
                self._sites[id(code), frame.f_lasti] = _Site(code, _numbers(frame))
        elif site.tries <= _MOST_TRIES and _begins_anew(site, frame):
            history.anew.append(row)

    def _frame(self) -> FrameType | None:
        """Return the frame of the program that asks for an evaluation: mostly as far away as the latest."""
        depth, code = self._latest
        with suppress(ValueError):
            frame: FrameType | None = sys._getframe(depth)  # noqa: SLF001
            if code is not None and frame is not None and frame.f_code is code:
                return frame
        frame, depth = sys._getframe(0), 0  # noqa: SLF001
        while frame is not None and _is_a_library(frame.f_code.co_filename):
            frame, depth = frame.f_back, depth + 1
        self._latest = depth, None if frame is None else frame.f_code
        return frame


def _begins_anew(site: _Site, frame: FrameType) -> bool:
    if not site.is_found:
        site.tries += 1
        now = _numbers(frame)
        risen = {
            key: [first, now[key][1]]
            for key, (first, last) in site.counters.items()
            if now.get(key, (0, last))[1] > last
        }
        site.counters, site.is_found = risen or now, bool(risen)
        return False
    is_anew, gone = False, []
    for key, known in site.counters.items():  # mostly one: this is a cost of every evaluation
        depth, name = key
        at = frame if not depth else next((each for k, each in enumerate(_up(frame)) if k == depth), None)
        value = None if at is None else _variable(at, name)
        if value is None or (value <= known[1] and (value > known[0] or value == known[1])):
            gone.append(key)  # it stays, or goes back half the way: it counts something else
            continue
        if value < known[1]:
            is_anew = True
        known[1] = value
    for key in gone:
        del site.counters[key]
    if not site.counters:
        site.tries = _MOST_TRIES + 1
    return is_anew


def _numbers(frame: FrameType) -> _Counters:
    """Return the whole numbers among the variables of a frame and of those around it."""
    return {
        (depth, name): [int(value), int(value)]
        for depth, each in enumerate(_up(frame))
        if not (_is_copied(each) and _ASKS.intersection(each.f_code.co_names))
        for name, value in _variables(each).items()
    }


def _variables(frame: FrameType) -> dict[str, int]:
    """Return the whole numbers among the variables of a frame.

    Up to Python 3.12 a function's frame keeps a copy of its variables once somebody asked, and with it the user's
    arrays: it is emptied. A program that asks for that copy itself is left alone, as each look brings it up to date.
    """
    local = frame.f_locals
    found = {
        name: int(value)
        for name, value in list(local.items())
        if type(value) is int or (isinstance(value, np.integer) and not isinstance(value, np.timedelta64))
    }
    if _is_copied(frame) and sys.getrefcount(local) <= _OURS_ALONE:
        local.clear()
    return found


def _variable(frame: FrameType, name: str) -> int | None:
    """Return one of these, if it is a whole number still."""
    local = frame.f_locals
    value = local.get(name)
    if _is_copied(frame) and sys.getrefcount(local) <= _OURS_ALONE:
        local.clear()
    return int(value) if type(value) is int or isinstance(value, np.integer) else None


def _is_copied(frame: FrameType) -> bool:
    """Whether to ask for the variables of a frame makes a copy of them."""
    return _ARE_COPIES and bool(frame.f_code.co_flags & inspect.CO_OPTIMIZED)


_ARE_COPIES = sys.version_info < (3, 13)


_ASKS = frozenset({"locals", "vars", "dir", "eval", "exec", "f_locals"})
"""What a program calls that asks for its own variables."""
_OURS_ALONE = 3
"""References to such a copy where nobody else holds it: of the frame, of the one who asks, and of who counts them."""


def _up(frame: FrameType | None) -> Iterator[FrameType]:
    """Yield a frame of the program and those around it, up to that of its module."""
    for _ in range(_FRAMES):
        if frame is None:
            return
        yield frame
        frame = None if frame.f_code.co_name == "<module>" else _of_the_program(frame.f_back)


def _of_the_program(frame: FrameType | None) -> FrameType | None:
    """Return the innermost frame outside of this package, and of the libraries that call for the user."""
    while frame is not None and _is_a_library(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


@cache
def _is_a_library(file: str) -> bool:
    return file.startswith(_OURS) or any(f"{os.sep}{name}{os.sep}" in file for name in ("autograd", "scipy", "numpy"))


_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep  # noqa: PTH100, PTH120 - as files of code are named
