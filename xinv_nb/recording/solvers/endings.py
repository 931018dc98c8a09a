"""Why a solver of SciPy stopped: what its result says, as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from xinv_nb.recorded.endings import reason_of
from xinv_nb.recording.solvers import stopping
from xinv_nb.recording.solvers.calls import SolverCall

_MOST = 1000
"""Numbers of a gradient that are kept."""


def of_result(result: Any, *, bounded: bool, stopped: bool) -> dict[str, Any]:
    """Return what SciPy says of the end of a solver; `stopped` tells that the user's callback ended it."""
    if result is None:
        return {"reason": "callback"} if stopped else {}
    message = _message(result)
    reason = "callback" if stopped else reason_of(message)
    if reason == "evaluations" and hasattr(result, "tr_radius"):
        reason = "iterations"  # trust-constr says evaluations, and counts iterations
    return dict(_numbers(result)) | {"message": message, "reason": reason, "bounded": bounded}


def _message(result: Any) -> str:
    message = getattr(result, "message", "")
    return message.decode(errors="replace") if isinstance(message, bytes) else str(message)


def _numbers(result: Any) -> Iterator[tuple[str, Any]]:
    """Yield what the result says of its end, as plain numbers."""
    for name, kind in (("status", int), ("success", bool), ("nit", int), ("nfev", int), ("njev", int)):
        value = getattr(result, name, None)
        if value is not None:
            yield name, kind(value)
    slope = getattr(result, "largest_slope", None)
    if slope is not None:
        yield "largest_slope", float(slope)
        return
    slope = getattr(result, "jac", None)
    if isinstance(slope, np.ndarray) and slope.ndim == 1 and slope.size and slope.dtype.kind == "f":
        yield "largest_slope", float(np.max(np.abs(slope)))


def more_of_result(result: Any, call: SolverCall) -> dict[str, Any]:
    """Return what else is known of the end: the gradient that the solver has there, also by differences."""
    found: dict[str, Any] = {"constraints": list(call.constraints)} if call.constraints else {}
    if at_end := stopping.of_result(result) | call.at_end:
        found["at_end"] = at_end
    for name in ("grad", "jac"):
        slope = getattr(result, name, None)
        if isinstance(slope, np.ndarray) and slope.ndim == 1 and 0 < slope.size <= _MOST and slope.dtype.kind == "f":
            return found | {"gradient": [float(number) for number in slope]}
    return found
