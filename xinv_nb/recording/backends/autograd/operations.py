"""Describes calls of autograd's primitives: name, operands, place in the program.

It never calls user code.
"""

from __future__ import annotations

import functools
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import numpy as np

from xinv_nb.recording.backends.autograd.boxes import plain_value
from xinv_nb.recording.finite import is_finite
from xinv_nb.recording.nonfinite import Operation, Place

_FEW = 4096
"""Entries of an array up to which it is worth to look for the one that matters."""

_OURS = f"{Path(__file__).parents[2]}{os.sep}"


def name_of(function: Any) -> str:
    """Return what a primitive is called."""
    return str(getattr(function, "__name__", "") or type(function).__name__)


def operation_on(name: str, args: Sequence[Any], value: Any, place: Place | None) -> Operation:
    """Describe a call whose result `value` is not finite."""
    bad = ~np.isfinite(value) if isinstance(value, np.ndarray) and value.dtype.kind in "fc" else None
    operands = {str(i): entry(arg, bad) for i, arg in enumerate(args) if is_number(arg)}
    return Operation(name, operands, place, from_data=not all(is_finite(arg) for arg in args if is_number(arg)))


def is_number(value: Any) -> bool:
    """Whether `value` is a number or an array of numbers."""
    value = plain_value(value)
    return isinstance(value, (float, int, complex, np.generic, np.ndarray)) and np.asarray(value).dtype.kind in "biufc"


def entry(value: Any, bad: Any) -> Any:
    """Return a number, of an array the first entry where the result is `bad`, or else its shape as text."""
    value = plain_value(value)
    if np.size(value) == 1:
        return np.asarray(value).reshape(()).item()
    if bad is not None and np.shape(value) == bad.shape and bad.any():
        return np.asarray(value)[bad][0].item()
    return f"array of {'×'.join(map(str, np.shape(value)))}"


@functools.cache
def _not_the_users() -> tuple[str, ...]:
    import autograd

    return _OURS, *(f"{Path(str(package.__file__)).parent}{os.sep}" for package in (autograd, np))


def place_of(frame: FrameType | None, line: int | None = None) -> Place | None:
    """Return the innermost line of the program outside autograd, NumPy and this package: where it is, or was at."""
    found = outside(frame)
    if found is None:
        return None
    return Place(found.f_code.co_filename, found.f_lineno if line is None else line, found.f_code.co_name)


def is_outside(code: CodeType) -> bool:
    """Whether code is the program's, outside autograd, NumPy and this package."""
    return not code.co_filename.startswith(_not_the_users())


def outside(frame: FrameType | None) -> FrameType | None:
    """Return the innermost frame of the program outside autograd, NumPy and this package."""
    while frame is not None and frame.f_code.co_filename.startswith(_not_the_users()):
        frame = frame.f_back
    return frame


def primitive_call(frame: FrameType | None) -> Operation | None:
    """Return the call of a primitive that `frame` is in, right inside autograd; None where there is no such call."""
    for _ in range(6):
        if frame is None or not frame.f_code.co_filename.startswith(_not_the_users()):
            return None
        if frame.f_code.co_name == "f_wrapped" and frame.f_globals.get("__name__") == "autograd.tracer":
            inside = frame.f_locals
            args = inside["args"]
            numbers = {
                str(i): entry(arg, _extreme(inside["f_raw"], args)) for i, arg in enumerate(args) if is_number(arg)
            }
            finite = all(is_finite(arg) for arg in args)
            return Operation(name_of(inside["f_raw"]), numbers, place_of(frame), from_data=not finite)
        frame = frame.f_back
    return None


def _extreme(function: Any, args: Sequence[Any]) -> Any:
    """Return where a ufunc of arrays gives what is not finite, by doing it again on its few numbers."""
    shapes = {np.shape(arg) for arg in args if np.ndim(arg)}
    if not isinstance(function, np.ufunc) or len(shapes) != 1 or math.prod(*shapes) > _FEW:
        return None
    with np.errstate(all="ignore"):
        return ~np.isfinite(function(*args))


def warning_registry() -> dict[Any, Any]:
    """Return where Python keeps which warnings of primitives were shown before."""
    registry: dict[Any, Any] = vars(sys.modules["autograd.tracer"]).setdefault("__warningregistry__", {})
    return registry
