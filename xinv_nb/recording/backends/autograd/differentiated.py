"""What the user differentiates: out of autograd's wrappers to the function, and the arguments that are asked for."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from types import FunctionType, NoneType
from typing import Any, Literal

from xinv_nb.recording.backends.autograd.closures import closure
from xinv_nb.recording.backends.autograd.shared import Shared


class Differentiated:
    """What the user differentiates, out of autograd's wrappers.

    What is seldom is an attribute of the class: making one is a cost of every evaluation.
    """

    unflatten: Any = None
    """Turns the flat array that is passed into what `function` takes, where `flatten_func` stands between."""
    with_aux: bool = False
    """Whether it returns a pair, of which the first half is differentiated (`grad_and_aux`)."""
    in_tuple: bool = False
    """Whether its one argument is passed on in a tuple of one (`argnum=[0]`), and its gradient comes back in one."""
    by_name: Sequence[str] = ()
    """The names under which its arguments are passed in a dict, and their gradients come back (`multigrad_dict`)."""
    others: Mapping[int, Any] | None = None
    """The arguments that it is given beside, by their positions, where there are any that could be differentiated."""
    shared: Shared | None = None
    """The function of all these, where it is one of several functions that are one but for their argument."""

    def __init__(self, function: Any, positions: tuple[int, ...]) -> None:
        self.function = function
        self.positions = positions
        """Positions of the arguments that are differentiated."""

    def unpacked(self, value: Any) -> Any:
        """Return a point or a gradient as the function takes it: one argument, or a tuple of several."""
        if self.in_tuple:
            return value[0]
        if self.by_name:
            return value[self.by_name[0]] if len(self.by_name) == 1 else tuple(value[name] for name in self.by_name)
        return value


_BOOKKEEPING = ("autograd.core", "autograd.differential_operators", "autograd.test_util", "autograd.wrap_util")


def differentiated(function: Any) -> Differentiated | None:
    """Step through autograd's wrappers to the user's own function; None for autograd's own bookkeeping.

    `grad` and its like hand on a closure `unary_f` over the function and the argument's position, `grad_and_aux`,
    `holomorphic_grad` and `multigrad_dict` put a lambda around it; `autograd.misc.flatten.flatten_func` makes a
    lambda over the function and the way back from a flat array.
    """
    plain = _plain(function)
    if plain is not None:
        return plain or None
    positions: tuple[int, ...] = (0,)
    with_aux = in_tuple = is_by_name = False
    others: tuple[tuple[int, ...], Sequence[Any], Mapping[str, Any]] | None = None
    while True:
        module = getattr(function, "__module__", None) or ""
        if (cells := closure(function, "unary_f", "fun", "argnum", "args", "kwargs")) is not None:
            function, argnum, args, kwargs = cells
            positions = (argnum,) if isinstance(argnum, int) else tuple(argnum)
            in_tuple = len(positions) == 1 and not isinstance(argnum, int)
            others = (positions, args, kwargs) if len(args) > len(positions) or kwargs else None
        elif module == "autograd.differential_operators" and (cells := closure(function, "<lambda>", "fun")):
            with_aux = "atuple" in function.__code__.co_names
            is_by_name = "others" in function.__code__.co_freevars
            function = cells[0]
        else:
            break
    if module == "autograd.misc.flatten" and (cells := closure(function, "<lambda>", "func", "unflatten")):
        found = Differentiated(cells[0], positions)
        found.unflatten, found.in_tuple = cells[1], in_tuple
        return found
    if module in _BOOKKEEPING or module.startswith("autograd.misc."):
        return None
    if getattr(function, "_is_autograd_primitive", False) or getattr(function, "_is_primitive", False):
        function = getattr(function, "fun", function)
    found = Differentiated(function, positions)
    found.with_aux, found.in_tuple = with_aux, in_tuple
    if is_by_name and (names := _plain_names(function)):
        found.by_name, found.positions = names, tuple(range(len(names)))
    elif others is not None and others[0] == positions:
        found.positions, found.others = _beside(function, *others)
    return found


def _plain_names(function: Any) -> Sequence[str]:
    """Return the names of the arguments of a function that takes no others than these."""
    code = getattr(function, "__code__", None)
    if code is None or code.co_kwonlyargcount or code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS):
        return ()
    return code.co_varnames[: code.co_argcount]  # type: ignore[no-any-return]


def _plain(function: Any) -> Differentiated | Literal[False] | None:
    """Do what `differentiated` does in the two frequent cases, without a detour; None in all others.

    They are a function of the user's own under `grad`, and the flattening between two steps of autograd's optimizers:
    False for this one.
    """
    global _unary, _users
    code = getattr(function, "__code__", None)
    if code is not _unary:
        if code is None or code.co_name != "unary_f" or code.co_freevars != _CELLS:
            return None
        _unary = code
    position, arguments, inside, named = function.__closure__
    inner, argnum = inside.cell_contents, position.cell_contents
    if type(inner) is not FunctionType or type(argnum) is not int:
        return None
    if inner.__code__ is not _users:
        module = inner.__module__ or ""
        if module.startswith("autograd."):
            return False if module == "autograd.misc.flatten" and inner.__name__ == "_flatten" else None
        _users = inner.__code__
    args, kwargs = arguments.cell_contents, named.cell_contents
    found = Differentiated(inner, (argnum,))
    if len(args) == 1 and not kwargs:
        return found
    if len(args) == 2 and argnum == 0 and not kwargs and type(args[1]) in _NO_NUMBERS:
        return found  # the step's number, as autograd's optimizers hand it on
    found.positions, found.others = _beside(inner, (argnum,), args, kwargs)
    return found


_CELLS = ("argnum", "args", "fun", "kwargs")
"""What `unary_f` closes over, in the order in which Python keeps it."""
_unary: Any = None
"""The code of `unary_f`."""
_users: Any = None
"""The code of the function of the user's that came here last: where it comes again, its module need not be read."""

_NO_NUMBERS = frozenset({int, str, bool, NoneType, FunctionType})
"""What autograd differentiates nothing of."""


def _beside(
    function: Any, positions: tuple[int, ...], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[tuple[int, ...], Mapping[int, Any] | None]:
    """Return the positions counted from the front, and the other arguments that might be differentiated, too."""
    if min(positions) < 0:
        positions = tuple(place % len(args) for place in positions)
    found = {i: value for i, value in enumerate(args) if type(value) not in _NO_NUMBERS and i not in positions}
    if kwargs and (code := getattr(function, "__code__", None)) is not None:
        names = code.co_varnames[: code.co_argcount]
        found |= {i: kwargs[name] for i, name in enumerate(names) if i >= len(args) and name in kwargs}
    return positions, found or None
