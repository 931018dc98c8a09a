"""Whether numbers are finite: of numbers, arrays, summaries of arrays, and containers of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from xinv_nb.recorded.leaves import Summary, sum_of_squares
from xinv_nb.recording.backends.boxes import plain_value

_FEW = 16
"""Entries up to which Python adds them up faster than NumPy is called."""


def is_finite(value: Any) -> bool:
    """Whether numbers, arrays and containers of them are finite; what is no number counts as finite."""
    if isinstance(value, float):  # np.float64 as well
        return math.isfinite(value)
    if type(value) is not np.ndarray:
        value = plain_value(value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "fc":
        return math.isfinite(sum_of_squares(value)) or bool(np.isfinite(value).all())  # the squares may overflow
    if isinstance(value, (float, np.generic, complex)):
        return np.asarray(value).dtype.kind not in "fc" or bool(np.isfinite(value))
    if isinstance(value, Mapping):
        return all(map(is_finite, value.values()))
    return not isinstance(value, (list, tuple)) or all(map(is_finite, value))


def is_finite_point(point: Any) -> bool:
    """Whether parameters, with summaries in the place of large arrays, are finite."""
    if isinstance(point, Summary):
        return is_finite(point.rms) and is_finite(point.sample)
    if isinstance(point, Mapping):
        return all(map(is_finite_point, point.values()))
    if isinstance(point, (list, tuple)):
        return all(map(is_finite_point, point))
    return is_finite(point)


def is_finite_gradient(gradient: Any) -> bool:
    """Whether a gradient, with summaries in the place of large arrays, is finite."""
    if type(gradient) is np.ndarray:
        if gradient.ndim == 1 and gradient.size <= _FEW and gradient.dtype.kind == "f":
            # The sum of what is finite may overflow.
            return math.isfinite(sum(gradient.tolist())) or is_finite(gradient)
        return is_finite(gradient)
    if isinstance(gradient, Summary):
        return math.isfinite(gradient.rms)
    if isinstance(gradient, (list, tuple)):
        return all(map(is_finite_gradient, gradient))
    if isinstance(gradient, Mapping):
        return all(map(is_finite_gradient, gradient.values()))
    return is_finite(gradient)
