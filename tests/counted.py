"""A primitive with a derivative of the user's own, which counts how often it is called."""

from __future__ import annotations

from typing import Any

from autograd.extend import defvjp, primitive

calls: list[Any] = []
"""The cotangents that the derivative was called with; a test clears it first."""


@primitive
def counted(x: Any) -> Any:
    """Return `x`."""
    return x


def _derivative(g: Any) -> Any:
    calls.append(g)
    return g


defvjp(counted, lambda ans, x: _derivative)
