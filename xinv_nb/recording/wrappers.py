"""What a program calls an objective, and what tells it apart from others, also through decorators and other wrappers.

A decorator that was written without `functools.wraps` returns a function whose name, code and arguments say nothing:
`wrapper(*args)`. What it hands its arguments on to is among the variables that it closes over.
"""

from __future__ import annotations

import dis
import functools
import inspect
import itertools
from collections.abc import Hashable, Iterator, Sequence
from types import CodeType, FunctionType, MethodType
from typing import Any

_DEEPEST = 8
"""Wrappers around each other that are looked through."""

_SAYS_NOTHING = frozenset(
    {"wrapper", "_wrapper", "wrapped", "_wrapped", "inner", "_inner", "decorated", "inner_function"}
)
"""How the functions are called that decorators return."""


def argument_names(function: Any, positions: Sequence[int]) -> list[str]:
    """Return the names that `function` gives to its arguments at `positions`; `x`, or `x0`, `x1`…, if it names none."""
    try:
        parameters = list(inspect.signature(forwarded(function)).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if positions and min(positions) < 0:
        named = [p.name for p in parameters if p.name in named and p.default is p.empty]
    fallback = "x" if len(positions) == 1 else "x{}"
    return [named[i] if -len(named) <= i < len(named) else fallback.format(i) for i in positions]


def function_name(function: Any) -> str:
    """Return what the program calls `function`; `objective` where it has no name of its own.

    >>> function_name(functools.partial(max, 0)), function_name(lambda x: x)
    ('max', 'objective')
    """
    function = forwarded(function)
    while isinstance(function, functools.partial):
        function = forwarded(function.func)
    name = getattr(function, "__name__", None)
    if not isinstance(name, str) or not name:
        name = type(function).__name__
    if name in _SAYS_NOTHING and len(inner := [each for each in _held(function) if type(each) is FunctionType]) == 1:
        return function_name(inner[0])
    return name if name.isidentifier() else "objective"


def identity(function: Any, depth: int = _DEEPEST) -> Hashable:
    """Return what tells objectives apart: their code, so that a lambda made anew in each iteration stays one.

    And the code of the functions that they close over or hold. What a closure closes over, `functools.partial` binds
    or an instance holds beside these (a mini-batch) tells nothing apart.
    """
    if type(function) is FunctionType and function.__closure__ is None:
        return function.__code__  # the plain case, at once
    while isinstance(function, functools.partial):
        function = function.func
    code = _code_of(function)
    if code is None:
        name = getattr(function, "__name__", "")
        return type(function), name if isinstance(name, str) else ""
    if not depth or (type(function) is FunctionType and function.__closure__ is None):
        return code
    inner = [each for each in _held(function) if _is_function(each) and each is not function]
    if not inner and (through := _forwarded_once(function)) is not None:
        inner = [through]
    return (code, *(identity(each, depth - 1) for each in inner)) if inner else code


def forwarded(function: Any) -> Any:
    """Return the function that a wrapper hands all its arguments on to, through several wrappers; or `function`.

    >>> def timed(fun):
    ...     def wrapper(*args):
    ...         return fun(*args)
    ...     return wrapper
    >>> forwarded(timed(timed(len))) is len
    True
    """
    for _ in range(_DEEPEST):
        if isinstance(function, functools.partial):
            inner = forwarded(function.func)
            return function if inner is function.func else functools.partial(inner, *function.args, **function.keywords)
        if (inner := _forwarded_once(function)) is None:
            break
        function = inner
    return function


def _forwarded_once(function: Any) -> Any:
    if callable(wrapped := getattr(function, "__dict__", {}).get("__wrapped__")):
        return wrapped
    code = _code_of(function)
    if code is None or not code.co_flags & inspect.CO_VARARGS or code.co_argcount > _own_arguments(function):
        return None
    found = [each for each in _held(function) if callable(each) and not isinstance(each, type)]
    if len(found) > 1 and isinstance(function, FunctionType):
        names = _called_with_all(code)
        cells = zip(code.co_freevars, function.__closure__ or (), strict=True)
        found = [cell.cell_contents for name, cell in cells if name in names]
    return found[0] if len(found) == 1 else None


def _own_arguments(function: Any) -> int:
    return 0 if isinstance(function, FunctionType) else 1  # self


def _code_of(function: Any) -> CodeType | None:
    """Return the code that runs when `function` is called."""
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType):  # an instance, which may answer to any name
        code = getattr(type(function).__call__, "__code__", None)
    return code if isinstance(code, CodeType) else None


def _held(function: Any) -> Iterator[Any]:
    """Yield what a function closes over, or what an instance that can be called holds."""
    if isinstance(function, (FunctionType, MethodType)):
        for cell in function.__closure__ or ():
            try:
                yield cell.cell_contents
            except ValueError:  # not bound yet
                continue
    else:
        yield from list(getattr(function, "__dict__", {}).values())


def _is_function(value: Any) -> bool:
    return isinstance(value, (FunctionType, functools.partial)) and not hasattr(value, "_is_autograd_primitive")


@functools.lru_cache(maxsize=64)
def _called_with_all(code: CodeType) -> frozenset[str]:
    """Return the variables of a closure that are called with `*args` of the function alone."""
    args = code.co_varnames[code.co_argcount + code.co_kwonlyargcount]
    steps = [step for step in dis.get_instructions(code) if step.opname not in ("PUSH_NULL", "COPY_FREE_VARS")]
    return frozenset(
        str(step.argval)
        for step, following in itertools.pairwise(steps)
        if step.opname == "LOAD_DEREF" and following.opname.startswith("LOAD_FAST") and following.argval == args
    )
