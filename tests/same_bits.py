"""Holds what a program gives with the recording against what it gives without, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import xinv_nb as xi


def bits(value: Any) -> Any:
    """Everything that can be told of a result: its structure, types and bytes."""
    if isinstance(value, dict):
        return {key: bits(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [bits(item) for item in value]
    return type(value), np.asarray(value).dtype, np.shape(value), np.asarray(value).tobytes()


def harmlessly_recorded(program: Callable[[], Any]) -> tuple[xi.Run, Any]:
    """Record a program, assert that this changed no bit of its result, and return the run and the result."""
    plain = bits(program())
    with xi.record() as run:
        result = program()
    assert bits(result) == plain
    return run, result
