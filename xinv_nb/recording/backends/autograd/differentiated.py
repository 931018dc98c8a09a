"""What the user differentiates: out of autograd's wrappers to the function, and the arguments that are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from types import FunctionType
from typing import Any, Literal

from xinv_nb.recording.backends.autograd.closures import closure, places


@dataclass(slots=True)
class Differentiated:
    """What the user differentiates, out of autograd's wrappers."""

    function: Any
    positions: tuple[int, ...]
    """Positions of the arguments that are differentiated."""
    unflatten: Any = None
    """Turns the flat array that is passed into what `function` takes, where `flatten_func` stands between."""
    with_aux: bool = False
    """Whether it returns a pair, of which the first half is differentiated (`grad_and_aux`)."""
    in_tuple: bool = False
    """Whether its one argument is passed on in a tuple of one (`argnum=[0]`), and its gradient comes back in one."""


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
    with_aux = in_tuple = False
    while True:
        module = getattr(function, "__module__", None) or ""
        if (cells := closure(function, "unary_f", "fun", "argnum")) is not None:
            function, argnum = cells
            positions = (argnum,) if isinstance(argnum, int) else tuple(argnum)
            in_tuple = len(positions) == 1 and not isinstance(argnum, int)
        elif module == "autograd.differential_operators" and (cells := closure(function, "<lambda>", "fun")):
            with_aux = "atuple" in function.__code__.co_names
            function = cells[0]
        else:
            break
    if module == "autograd.misc.flatten" and (cells := closure(function, "<lambda>", "func", "unflatten")):
        return Differentiated(cells[0], positions, unflatten=cells[1], in_tuple=in_tuple)
    if module in _BOOKKEEPING or module.startswith("autograd.misc."):
        return None
    if getattr(function, "_is_autograd_primitive", False) or getattr(function, "_is_primitive", False):
        function = getattr(function, "fun", function)
    return Differentiated(function, positions, None, with_aux, in_tuple)


def _plain(function: Any) -> Differentiated | Literal[False] | None:
    """Do what `differentiated` does in the two frequent cases, without a detour; None in all others.

    They are a function of the user's own under `grad`, and the flattening between two steps of autograd's optimizers:
    False for this one.
    """
    global _unary
    code = getattr(function, "__code__", None)
    if code is not _unary[0]:
        if code is None or code.co_name != "unary_f" or (found := places(code, ("fun", "argnum"))) is None:
            return None
        _unary = code, found[0], found[1]
    cells = function.__closure__
    inner, argnum = cells[_unary[1]].cell_contents, cells[_unary[2]].cell_contents
    if type(inner) is not FunctionType or type(argnum) is not int:
        return None
    module = inner.__module__ or ""
    if not module.startswith("autograd."):
        return Differentiated(inner, (argnum,))
    return False if module == "autograd.misc.flatten" and inner.__name__ == "_flatten" else None


_unary: tuple[Any, int, int] = (None, 0, 0)
"""The code of `unary_f`, and where among the variables it closes over function and position stand."""
