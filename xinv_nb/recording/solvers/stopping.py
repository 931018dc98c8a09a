"""What the tests look at by which a solver stops, as it stood at its end: plain numbers of SciPy's own."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any

import numpy as np

_MOST = 1000
"""Numbers of a point that are kept."""
_TOLD = ("optimality", "constr_violation", "tr_radius", "barrier_parameter")
"""What trust-constr and `least_squares` tell of their end."""


def of_frame(frame: FrameType) -> dict[str, float]:
    """Return what only the frame of a solver knows at its end: of Powell's method and of SLSQP."""
    local = frame.f_locals
    if frame.f_code.co_name == "_minimize_powell":
        return _finite({"loss_before": local["fx"], "loss_after": local["fval"]})
    if frame.f_code.co_name == "_minimize_slsqp":
        state: Mapping[str, Any] = local.get("state_dict", local)
        return _finite({"loss_before": state["f0"], "loss_after": local["fx"], "promised": state["gs"]})
    return {}


def of_result(result: Any) -> dict[str, Any]:
    """Return what a result tells of them: where it ended, and how wide, steep or far from its constraints it was.

    >>> from types import SimpleNamespace
    >>> of_result(SimpleNamespace(x=np.array([1.0, 2.0]), fun=0.5))
    {'size': 2, 'point': [1.0, 2.0], 'loss': 0.5}
    """
    return dict(_of_result(result))


def _of_result(result: Any) -> Iterator[tuple[str, Any]]:
    x = getattr(result, "x", None)
    if isinstance(x, np.ndarray) and x.ndim == 1:
        yield "size", x.size
        if x.size <= _MOST and x.dtype.kind == "f" and np.isfinite(x).all():
            yield "point", [float(number) for number in x]
    loss = getattr(result, "cost", getattr(result, "fun", None))
    yield from _finite({"loss": loss} | {name: getattr(result, name, None) for name in _TOLD}).items()
    simplex = getattr(result, "final_simplex", None)
    if simplex is not None:
        corners, losses = simplex
        widths = {"width": np.abs(corners[1:] - corners[0]).max(), "height": np.abs(losses[0] - losses[1:]).max()}
        yield from _finite(widths).items()


def _finite(numbers: Mapping[str, Any]) -> dict[str, float]:
    """Return those of some numbers that are single and finite."""
    kept = {name: value for name, value in numbers.items() if value is not None and np.size(value) == 1}
    return {name: number for name, value in kept.items() if math.isfinite(number := float(np.reshape(value, ())))}
