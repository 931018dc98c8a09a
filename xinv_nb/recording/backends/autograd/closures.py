"""The variables that functions inside autograd close over: where it keeps the user's function and its own steps."""

from __future__ import annotations

from functools import lru_cache
from types import CodeType
from typing import Any


def closure(function: Any, name: str, *variables: str) -> list[Any] | None:
    """Return variables that a function called `name` closes over, or None if it is another."""
    code = getattr(function, "__code__", None)
    if code is None or code.co_name != name:
        return None
    found = places(code, variables)
    return None if found is None else [function.__closure__[place].cell_contents for place in found]


@lru_cache(maxsize=64)
def places(code: CodeType, variables: tuple[str, ...]) -> list[int] | None:
    """Return where among the variables that `code` closes over these stand; None if one is missing."""
    free = code.co_freevars
    return [free.index(v) for v in variables] if set(variables) <= set(free) else None
