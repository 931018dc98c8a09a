"""What functions share that are one but for the variable that is the argument of each."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any

from xinv_nb.recording.wrappers import function_name, identity

Token = tuple[str, Any]

_LONGEST = 400
"""Instructions up to which code is compared."""
_SAYS_NOTHING = frozenset(
    {"RESUME", "NOP", "CACHE", "PUSH_NULL", "PRECALL", "COPY_FREE_VARS", "MAKE_CELL", "EXTENDED_ARG", "NOT_TAKEN"}
)


@dataclass(frozen=True)
class Shared:
    """A function of several variables, of which another one is the argument in each of several functions.

    Or one of several functions that read the arguments of each other.
    """

    identity: Hashable
    position: int
    """The position of the argument among the variables."""
    names: Mapping[int, str]
    """What the variables are called, by position."""
    others: Mapping[int, str]
    """The names of the others in the function that has this argument, by position."""
    callee: str
    """The name of the function that is called with them; empty where it is none."""

    def called(self, function: FunctionType) -> str:
        """Return what the program calls it."""
        return function_name(value_in(function, self.callee)) if self.callee else function_name(function)


def shared(function: FunctionType, codes: Sequence[CodeType]) -> Shared | None:
    """Return what a function of one argument shares with those of some codes; None where it is alone.

    Examples
    --------
    >>> first, second = lambda a: max(a, b), lambda b: max(a, b)
    >>> found = shared(first, [second.__code__])
    >>> found.position, found.others, found.callee
    (0, {1: 'b'}, 'max')
    >>> shared(first, [(lambda c: min(c, b)).__code__]) is None
    True
    """
    own = _tokens(function.__code__)
    if own is None:
        return None
    called: dict[tuple[int, ...], str] = {own.places: own.argument}
    others: dict[tuple[int, ...], str] = {}
    for code in codes:
        other = _tokens(code) if code is not function.__code__ else None
        if other is None or (names := own.exchanged(other)) is None:
            continue
        if all(set(other.places).isdisjoint(each) for each in called):
            called[own.places], called[other.places] = names
            others[other.places] = names[1]
    if not others:
        return _player(function, own, codes)
    order = sorted(called)
    first_of = {place: each[0] for each in order for place in each}
    common = tuple(("argument", first_of[k]) if k in first_of else token for k, token in enumerate(own.tokens))
    by_position = {order.index(each): name for each, name in called.items()}
    given = {order.index(each): name for each, name in others.items()}
    return Shared(common, order.index(own.places), by_position, given, own.callee)


def _player(function: FunctionType, own: _Tokens, codes: Sequence[CodeType]) -> Shared | None:
    """Return a function that reads what others have as their argument, and these read its own: players of a game."""
    found = [other.argument for code in codes if (other := _tokens(code)) is not None and own.reads(other)]
    names = [name for name in dict.fromkeys(found) if name != own.argument]
    if not names:
        return None
    others = dict(enumerate(names, start=1))
    return Shared(identity(function), 0, {0: own.argument, **others}, others, own.callee)


@dataclass(frozen=True)
class _Tokens:
    """The instructions of code that takes one argument."""

    argument: str
    tokens: tuple[Token, ...]
    places: tuple[int, ...]
    """Where the argument is read."""

    @property
    def callee(self) -> str:
        """The name of the function that is called with these, and that is all; else empty."""
        (kind, name), *given = self.tokens[:-2]
        return str(name) if kind == "name" and all(each in ("name", "own", "LOAD_CONST") for each, _ in given) else ""

    def reads(self, other: _Tokens) -> bool:
        """Whether each reads a variable that is the argument of the other one."""
        return ("name", other.argument) in self.tokens and ("name", self.argument) in other.tokens

    def exchanged(self, other: _Tokens) -> tuple[str, str] | None:
        """Return the variable there that is the argument here, and the one here that is the argument there.

        None, unless both are the same but for that.
        """
        if len(self.tokens) != len(other.tokens) or not set(self.places).isdisjoint(other.places):
            return None
        there, here = {other.tokens[k] for k in self.places}, {self.tokens[k] for k in other.places}
        if len(there) != 1 or len(here) != 1 or {kind for kind, _ in there | here} != {"name"}:
            return None
        rest = set(range(len(self.tokens))) - {*self.places, *other.places}
        if any(self.tokens[k] != other.tokens[k] for k in rest):
            return None
        (_, one), (_, two) = *there, *here
        return str(one), str(two)


@lru_cache(maxsize=1024)  # a notebook's functions are looked at in each of its recordings
def _tokens(code: CodeType) -> _Tokens | None:
    """Return the instructions of code with one argument that no version of Python writes otherwise; else None."""
    flags = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS | inspect.CO_GENERATOR | inspect.CO_COROUTINE
    if code.co_argcount != 1 or code.co_kwonlyargcount or code.co_flags & flags or len(code.co_code) > 2 * _LONGEST:
        return None
    argument, found = code.co_varnames[0], list[Token]()
    for each in dis.get_instructions(code):
        name, value = each.opname, each.argval
        if name in _SAYS_NOTHING:
            continue
        if isinstance(value, CodeType) or "CLOSURE" in name or argument in code.co_cellvars:
            return None
        if "LOAD_FAST" in name:
            stored = name.startswith("STORE_FAST")
            for k, local in enumerate(value if isinstance(value, tuple) else (value,)):
                found.append(("STORE_FAST" if stored and k == 0 else "own" if local == argument else "local", local))
        elif name in ("LOAD_GLOBAL", "LOAD_DEREF", "LOAD_NAME"):
            found.append(("name", value))
        else:
            found.append((name, "" if "JUMP" in name or name == "FOR_ITER" else repr(value)))
    places = tuple(k for k, (kind, _) in enumerate(found) if kind == "own")
    return _Tokens(argument, tuple(found), places) if places else None


def value_in(function: FunctionType, name: str) -> Any:
    """Return what a variable holds that a function reads from around it; None where it is not bound.

    >>> value_in(lambda: None, "no such name") is None
    True
    """
    free = function.__code__.co_freevars
    if name not in free:
        return function.__globals__.get(name)
    try:
        return (function.__closure__ or ())[free.index(name)].cell_contents
    except ValueError:
        return None
