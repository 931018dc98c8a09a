"""Why a solver of scipy stopped: what its result says, as data and in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from xinv_nb.language.quantities import number

_BY_CALLBACK = "the callback ended it"
_FLAT = "the gradient is small enough"
_CONVERGED = "its own test for convergence is met"
_REASONS = (
    ("stopiteration", _BY_CALLBACK),
    ("user requested", _BY_CALLBACK),
    ("`callback` function requested", _BY_CALLBACK),
    ("nan result", "the loss is no number any more"),
    ("precision loss", "it finds no lower loss along its direction any more"),
    ("abnormal", "its line search found no lower loss"),
    ("line search", "its line search found no lower loss"),
    ("linear search", "its line search found no lower loss"),
    ("directional derivative", "its line search found no lower loss"),
    ("unable to progress", "it cannot get any further"),
    ("projected gradient", _FLAT),
    ("projected_gradient", _FLAT),
    ("gtol` termination", "its first-order conditions are met"),
    ("local minimum", _FLAT),
    ("relative reduction of f", "the loss hardly changes any more"),
    ("rel_reduction_of_f", "the loss hardly changes any more"),
    ("|f_n-f_(n-1)|", "the loss hardly changes any more"),
    ("xtol` termination", "its steps have become tiny"),
    ("|x_n-x_(n-1)|", "its steps have become tiny"),
    ("function evaluations", "it has made as many evaluations as it was allowed"),
    ("g evaluations", "it has made as many evaluations as it was allowed"),
    ("iterations", "it has taken as many steps as it was allowed"),
    ("iteration limit", "it has taken as many steps as it was allowed"),
    ("terminated successfully", _CONVERGED),
)
"""Parts of scipy's messages, and what they mean."""


def ending(result: Any, solver: str, *, bounded: bool, stopped: bool) -> str:
    """Return why a solver stopped, in words; empty if it is not known."""
    message = _message(result)
    found = [reason for part, reason in _REASONS if part in message.lower()]
    if stopped:
        return _BY_CALLBACK
    if not found:
        return f"scipy says “{' '.join(message.split()).rstrip('.')}”" if message else ""
    slope = of_result(result).get("largest_slope")
    if found[0] == _CONVERGED and slope is not None and solver not in ("SLSQP", "Newton-CG"):
        return f"{_CONVERGED}, the largest slope left is {number(slope)}"
    return f"within the bounds, {found[0]}" if bounded and found[0] == _FLAT else found[0]


def of_result(result: Any) -> dict[str, Any]:
    """Return what scipy says of the end of a solver, as plain data."""
    return dict(_numbers(result)) | ({"message": _message(result)} if result is not None else {})


def _message(result: Any) -> str:
    message = getattr(result, "message", "")
    return message.decode(errors="replace") if isinstance(message, bytes) else str(message)


def _numbers(result: Any) -> Iterator[tuple[str, Any]]:
    """Yield what the result says of its end, as plain numbers."""
    for name, kind in (("status", int), ("success", bool), ("nit", int), ("nfev", int), ("njev", int)):
        value = getattr(result, name, None)
        if value is not None:
            yield name, kind(value)
    slope = getattr(result, "jac", None)
    if isinstance(slope, np.ndarray) and slope.size and slope.dtype.kind == "f":
        yield "largest_slope", float(np.max(np.abs(slope)))
