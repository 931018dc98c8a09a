"""What a solver was told, as plain data: numbers, texts, and lists of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recording.wrappers import function_name

_MOST = 1000
"""Numbers of one option that are kept."""

Limits = tuple[NDArray[Any], NDArray[Any]]


def plain_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what can be said in plain data; what was left at None, or is a function, is left out.

    A limit that is infinite is no limit, which is not to be left out: it is told in words.

    >>> plain_options({"gtol": 1e-5, "maxiter": None, "maxfev": math.inf, "eps": np.array([1, 2])})
    {'gtol': 1e-05, 'maxfev': 'inf', 'eps': [1, 2]}
    """
    found = {str(name): _in_words(value) or plain(value) for name, value in given.items()}
    return {name: value for name, value in found.items() if value is not None}


def _in_words(value: Any) -> str:
    return str(float(value)) if isinstance(value, float) and math.isinf(value) else ""


def plain(value: Any) -> Any:
    """Return a value as plain data; None where it is none."""
    if isinstance(value, np.ndarray) and value.size <= _MOST and value.dtype.kind in "biuf":
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, (list, tuple)) and len(value) <= _MOST:
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (bool, int, float, str)) else None


def limits(bounds: Any) -> Limits | None:
    """Return lower and upper bounds out of any of the forms that scipy takes."""
    if bounds is None:
        return None
    if hasattr(bounds, "lb"):
        low, high = bounds.lb, bounds.ub
    else:
        pairs = list(bounds)
        low = [-np.inf if pair[0] is None else pair[0] for pair in pairs]
        high = [np.inf if pair[1] is None else pair[1] for pair in pairs]
    low, high = np.array(low, dtype=float).reshape(-1), np.array(high, dtype=float).reshape(-1)
    return (low, high) if low.size else None


def plain_bounds(bounds: Limits | None) -> dict[str, Any]:
    """Return bounds as pairs of a lower and an upper one, None where there is none."""
    if bounds is None or bounds[0].size > _MOST:
        return {}
    low, high = np.broadcast_arrays(*bounds)
    return {"bounds": [[plain(float(a)), plain(float(b))] for a, b in zip(low, high, strict=True)]}


def plain_constraints(constraints: Any) -> dict[str, Any]:
    """Return the kind of each constraint, what it is called, and its limits."""
    found = [
        _constraint(each) for each in (constraints if _is_several(constraints) else [constraints]) if each is not None
    ]
    return {"constraints": found} if found else {}


def _is_several(constraints: Any) -> bool:
    return isinstance(constraints, Iterable) and not isinstance(constraints, Mapping)


def _constraint(each: Any) -> dict[str, Any]:
    if isinstance(each, Mapping):
        return {"type": str(each.get("type", "")), "name": function_name(each.get("fun"))}
    known = {name: plain(getattr(each, name, None)) for name in ("A", "lb", "ub")}
    kept = {name: value for name, value in known.items() if value is not None}
    name = {"name": function_name(each.fun)} if callable(getattr(each, "fun", None)) else {}
    return {"type": type(each).__name__, **name, **kept}
