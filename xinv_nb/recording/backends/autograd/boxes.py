"""What autograd boxes: numbers, arrays and containers that it follows."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np


def plain_value(value: Any) -> Any:
    """Return the number or array inside autograd's boxes, however many levels of differentiation deep."""
    while is_box(value):
        value = value._value  # noqa: SLF001
    return value


def is_box(value: Any) -> bool:
    """Whether `value` is a number, array or container that autograd is following."""
    kind: Any = type(value)
    return _are_boxes(kind)


@lru_cache(maxsize=256)
def _are_boxes(kind: object) -> bool:
    """Whether objects of a type are boxes.

    The type is asked, for an object may answer to any name: a stand-in of a test would be boxes without end.
    """
    return hasattr(kind, "_value") and hasattr(kind, "_node")


def only_output(value: Any) -> Any | None:
    """Return the number that a traced function returned, or None if it returned another thing."""
    value = plain_value(value)
    if isinstance(value, float):
        return value
    if isinstance(value, (dict, list, tuple)) or np.size(value) != 1:
        return None
    return np.asarray(value).reshape(())[()]
