"""The number or array inside what a framework boxes while it follows it, whichever framework that is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

unboxing: list[Callable[[Any], Any]] = []
"""How each backend that is in use takes its values out; `registry` fills it."""


def plain_value(value: Any) -> Any:
    """Return the number or array inside the boxes of a framework; anything else as it is."""
    for unboxed in unboxing:
        value = unboxed(value)
    return value
