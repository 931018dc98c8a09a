"""What an objective holds beside its parameters: the data and the settings that it closes over or is bound to.

Two objectives of one code with other data are other problems: their losses cannot be compared.
"""

from __future__ import annotations

import dis
import functools
import zlib
from collections.abc import Iterator
from contextlib import suppress
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from xinv_nb.errors import shown

_DEEPEST = 4
_MOST_HELD = 16
"""Entries of a dict or a list that a function reads that are looked at each time."""
_MOST_NUMBERS = 64
"""Numbers of an array, or of a list, that are looked at, evenly over it."""
_MOST_CHARACTERS = 10**6


_NUMBERS = frozenset([float, int, np.float64, np.int64])
"""The types of numbers that a program sets: those of NumPy, as a loop over `linspace` has them, too."""

_NO_STATE = frozenset([FunctionType, ModuleType, BuiltinFunctionType, type, type(None)])
"""The types of most of what a function reads, of which nothing is looked at."""

_KEPT = frozenset([float, np.float64, np.ndarray])
"""The types that are looked at in dicts and lists: whole numbers count steps there."""


def mark_of(function: Any) -> int:
    """Return a number that tells apart what functions of one code hold; objects that are no data tell nothing apart.

    Examples
    --------
    >>> def misfit_to(data):
    ...     return lambda x: (x - data) ** 2
    >>> mark_of(misfit_to(1.0)) == mark_of(misfit_to(1.0)), mark_of(misfit_to(1.0)) == mark_of(misfit_to(2.0))
    (True, False)
    """
    mark = 0
    for piece in _pieces(function, _DEEPEST):
        mark = zlib.crc32(piece, mark)
    return mark


def numbers_of(function: Any) -> tuple[float, ...]:
    """Return the numbers that a function reads from around it, and does not set itself: the strength of a penalty, say.

    Examples
    --------
    >>> def penalized(strength):
    ...     return lambda x: x**2 + strength * abs(x)
    >>> numbers_of(penalized(0.5))
    (0.5,)
    """
    return tuple([value for value in read_by(function) if type(value) in _NUMBERS])


def state_of(function: Any) -> tuple[float, ...]:
    """Return what changes when a function reads other numbers from around it, or other arrays are bound to their names.

    Where this is the same, and so is the function, so is what `mark_of` returns, but for arrays that change in place.

    Examples
    --------
    >>> def misfit_to(data):
    ...     return lambda x: (x - data) ** 2
    >>> ones, twos = np.ones(2), 2 * np.ones(2)
    >>> state_of(misfit_to(ones)) == state_of(misfit_to(ones)), state_of(misfit_to(ones)) == state_of(misfit_to(twos))
    (True, False)
    """
    found: list[float] = []
    for value in read_by(function):
        kind = type(value)
        if kind in _NO_STATE:
            continue
        if kind in _NUMBERS:
            found.append(value)
        elif kind is np.ndarray:
            found.append(id(value))
        elif (kind is dict or kind is list or kind is tuple) and len(value) <= _MOST_HELD:
            inner = list(value.values()) if kind is dict else value
            found += [id(each) if type(each) is np.ndarray else each for each in inner if type(each) in _KEPT]
    return tuple(found)


def read_by(function: Any) -> list[Any]:
    """Return what a function reads from around it, and does not set itself.

    >>> read_by(lambda x: x)
    []
    """
    if type(function) is not FunctionType:
        return []
    code = function.__code__
    names = _names.get(id(code))
    if names is None or names[0] is not code:
        names = _names[id(code)] = code, _read_names(code)
        if len(_names) > _MOST_CODES:
            _names.clear()
    around = function.__globals__
    found = list(map(around.get, names[1]))
    if function.__closure__ is not None:
        with suppress(ValueError):  # not bound yet
            found += [cell.cell_contents for cell in function.__closure__]
    return found


_MOST_CODES = 256
_names: dict[int, tuple[CodeType, tuple[str, ...]]] = {}
"""What code reads from around it, by the identity of the code: its hash would be a cost of every evaluation."""


def _read_names(code: CodeType) -> tuple[str, ...]:
    """Return the names of a module that code reads and does not set."""
    asked = [(each.opname, each.argval) for each in dis.get_instructions(code)]
    own = {name for opname, name in asked if opname in ("STORE_GLOBAL", "DELETE_GLOBAL")}
    return tuple(dict.fromkeys(name for opname, name in asked if opname == "LOAD_GLOBAL" and name not in own))


def _pieces(value: Any, depth: int) -> Iterator[bytes]:
    if isinstance(value, (bool, int, float, complex, str, np.generic)):
        yield shown(value, _MOST_CHARACTERS).encode(errors="surrogatepass")
    elif isinstance(value, np.ndarray):
        if value.dtype.kind in "biufcmM":
            flat = value.reshape(-1)
            yield repr((value.shape, value.dtype.str)).encode()
            yield np.ascontiguousarray(flat[:: max(flat.size // _MOST_NUMBERS, 1)]).tobytes()
    elif not depth:
        return
    elif isinstance(value, functools.partial):
        for held in (value.func, value.args, value.keywords):
            yield from _pieces(held, depth - 1)
    elif isinstance(value, MethodType):
        yield from _pieces(value.__func__, depth - 1)
        own = getattr(value.__self__, "__dict__", {})
        kept = {name: held for name, held in own.items() if type(held) not in (int, list)}  # no counters, no logs
        yield from _pieces(kept, depth - 1)
    elif isinstance(value, FunctionType):
        yield shown(numbers_of(value), _MOST_CHARACTERS).encode()
        for held in read_by(value):
            if type(held) is np.ndarray:  # of the module; those of a closure come once more
                yield from _pieces(held, depth - 1)
        for cell in value.__closure__ or ():
            try:
                held = cell.cell_contents
            except ValueError:  # not bound yet
                continue
            yield from _pieces(held, depth - 1)
        yield from _pieces(value.__defaults__ or (), depth - 1)
    elif isinstance(value, (list, tuple)):
        if all(isinstance(item, (int, float)) for item in value):
            some = value[:: max(len(value) // _MOST_NUMBERS, 1)]
            yield shown((len(value), some), _MOST_CHARACTERS).encode()
        elif len(value) <= _MOST_NUMBERS:
            for item in value:
                yield from _pieces(item, depth - 1)
    elif isinstance(value, dict) and len(value) <= _MOST_NUMBERS:
        for item in list(value.values()):
            yield from _pieces(item, depth - 1)
