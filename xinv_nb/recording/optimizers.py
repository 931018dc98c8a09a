"""Recognises the optimizer that is running from the functions on the call stack, without touching it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

from xinv_nb.quantities import number

_AUTOGRAD = {"adam": "Adam", "sgd": "Gradient descent with momentum", "rmsprop": "RMSProp"}
_SCIPY = {
    "_minimize_bfgs": "BFGS",
    "_minimize_lbfgsb": "L-BFGS-B",
    "_minimize_cg": "Conjugate gradient",
    "_minimize_newtoncg": "Newton-CG",
    "_minimize_tnc": "TNC",
    "_minimize_slsqp": "SLSQP",
    "_minimize_trustregion_constr": "trust-constr",
    "_minimize_dogleg": "dogleg",
    "_minimize_trust_region": "Trust region",
}


def name_optimizer() -> str:
    """Return the optimizer that calls for this evaluation, with its step size where it has one; empty if unknown."""
    for frame in _frames():
        module = frame.f_globals.get("__name__", "")
        function = frame.f_code.co_name
        if module == "autograd.misc.optimizers" and function in _AUTOGRAD:
            return _with_step_size(_AUTOGRAD[function], frame.f_locals)
        if module.startswith("scipy.optimize") and function in _SCIPY:
            return _SCIPY[function]
    return ""


def _with_step_size(name: str, settings: dict[str, Any]) -> str:
    step_size = settings.get("step_size")
    return f"{name} · step size {number(step_size)}" if isinstance(step_size, (int, float)) else name


def _frames() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001
    while frame is not None:
        yield frame
        frame = frame.f_back
