"""Plain data as JSON can hold it exactly, and back; and the checks of what a file claims to hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeVar, cast

import numpy as np

from xinv_nb.errors import shown
from xinv_nb.recorded.plain import MOST_DIGITS, is_plain, is_wide, plain_array

T = TypeVar("T")


def encoded(value: Any) -> Any:
    """Return `value` as JSON can hold it exactly; an object that is not plain data as its text."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, int):
        return value if abs(value) < MOST_DIGITS else {"int": hex(value)}
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, complex):
        return {"complex": [encoded(value.real), encoded(value.imag)]}
    if isinstance(value, np.ndarray):
        if not is_plain(value):
            return encoded(plain_array(value))
        return {"array": encoded(value.tolist()), "dtype": value.dtype.str}
    if isinstance(value, Mapping):
        return {"dict": [[encoded(key), encoded(item)] for key, item in value.items()]}
    if isinstance(value, list):
        return [encoded(item) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [encoded(item) for item in value]}
    return str(value)


def decoded(saved: Any) -> Any:
    """Return what `encoded` was given."""
    if isinstance(saved, list):
        return [decoded(item) for item in saved]
    if not isinstance(saved, dict):
        return saved
    if "float" in saved:
        return float(saved["float"])
    if "int" in saved:
        return int(of_kind(str, saved["int"]), 16)
    if "complex" in saved:
        return complex(*(decoded(part) for part in saved["complex"]))
    if "tuple" in saved:
        return tuple(decoded(item) for item in saved["tuple"])
    if "dict" in saved:
        return {decoded(key): decoded(item) for key, item in saved["dict"]}
    dtype = np.dtype(of_kind(str, saved["dtype"]))
    if dtype.kind not in "biufcU":
        raise TypeError("an array that holds no plain data")
    items = decoded(saved["array"])
    if dtype.kind == "U" and is_wide(items, dtype.itemsize // 4):  # it could claim the whole memory
        raise ValueError("an array that would take far more memory than what it holds")
    return np.array(items, dtype=dtype)


def of_kind(kind: type[T] | tuple[type[Any], ...], value: Any) -> T:
    """Return `value` if it is of that kind; a bool is no number here."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(f"{shown(value, 40)} is of the wrong type")
    return cast("T", value)


def one_of(choices: tuple[T, ...], value: Any) -> T:
    """Return `value` if it is among `choices`."""
    if not isinstance(value, (str, bool, type(None))) or value not in choices:
        raise ValueError(f"{shown(value, 40)} is none of {choices}")
    return value


def texts(values: Any) -> list[str]:
    """Return a list of texts if it is one."""
    return [of_kind(str, value) for value in of_kind(list, values)]


def position(value: Any, below: float = math.inf) -> int:
    """Return a whole number from 0 up to `below`, if it is one."""
    if not 0 <= of_kind(int, value) < below:
        raise ValueError(f"{shown(value, 40)} is out of range")
    return int(value)
