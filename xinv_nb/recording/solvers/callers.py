"""Finds on the call stack which optimizer calls for an evaluation."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any

_TRAINERS = ("adam", "sgd", "rmsprop")


@dataclass(frozen=True)
class Caller:
    """One of autograd's optimizers that calls for an evaluation."""

    trainer: str
    """Its name in `autograd.misc.optimizers`."""
    place: int
    """Identity of its frame."""
    code: Any
    depth: int
    """How many frames it is away from the function that asks, called by a function that is not."""
    settings: Any
    """Its local variables: its step size, and the iteration that it is at."""


def is_at(depth: int, place: int, code: Any) -> bool:
    """Whether a frame that was found before is still running, as far from the function that calls this one."""
    try:
        frame = sys._getframe(depth)  # noqa: SLF001
    except ValueError:
        return False
    return id(frame) == place and frame.f_code is code


def find_caller() -> Caller | None:
    """Look on the call stack for the innermost optimizer of autograd."""
    for depth, frame in enumerate(_frames()):
        code = frame.f_code
        if code.co_name in _TRAINERS and _is_trainer(frame):
            return Caller(code.co_name, id(frame), code, depth, frame.f_locals)
    return None


def by_an_optimizer() -> bool:
    """Whether any optimizer that is known calls for the evaluation."""
    return any(
        str(frame.f_globals.get("__name__", "")).startswith("scipy.optimize") or _is_trainer(frame)
        for frame in _frames()
    )


def _is_trainer(frame: FrameType) -> bool:
    return frame.f_globals.get("__name__") == "autograd.misc.optimizers"


def on_the_stack() -> set[int]:
    """Return the identities of all frames that are running in this thread."""
    return {id(frame) for frame in _frames()}


LINE_SEARCH = "line_search_wolfe2"
"""How SciPy's own code calls what is `scipy.optimize.line_search`."""


def in_line_search() -> bool:
    """Whether a line search of scipy's is running that calls for the evaluation."""
    return any(
        frame.f_code.co_name == LINE_SEARCH and str(frame.f_globals.get("__name__", "")).startswith("scipy.optimize")
        for frame in _frames()
    )


_OTHER_SOLVERS = {
    "_minimize_bfgs": "BFGS",
    "_minimize_lbfgsb": "L-BFGS-B",
    "_minimize_cg": "Conjugate gradient",
    "_minimize_newtoncg": "Newton-CG",
    "_minimize_tnc": "TNC",
    "_minimize_slsqp": "SLSQP",
    "_minimize_trustregion_constr": "trust-constr",
    "_minimize_trust_region": "Trust region",
    "_minimize_neldermead": "Nelder-Mead",
    "_minimize_powell": "Powell",
    "_minimize_cobyla": "COBYLA",
    "_minimize_cobyqa": "COBYQA",
    "least_squares": "Least squares",
}
"""How solvers are called whose iterates are not seen: by an older function, in a scipy that works otherwise, or because
they search without the gradient, so that none of their evaluations is an iterate more than the others."""


def other_solver() -> str:
    """Return the name of a solver on the stack whose iterates are not seen; empty if there is none."""
    for frame in _frames():
        name = _OTHER_SOLVERS.get(frame.f_code.co_name)
        if name and str(frame.f_globals.get("__name__", "")).startswith("scipy.optimize"):
            return name
    return ""


_FLAT = ("Euclidean", "ComplexEuclidean")
"""Manifolds on which the gradient is that of the space itself."""


def is_on_manifold() -> bool:
    """Whether what calls for the evaluation keeps the parameters on a curved manifold, as pymanopt's problems do."""
    for frame in _frames():
        if str(frame.f_globals.get("__name__", "")).partition(".")[0] != "pymanopt":
            continue
        holders = (frame.f_locals.get(name) for name in ("self", "problem"))
        held = [getattr(holder, "__dict__", {}).get("manifold") for holder in holders]
        for manifold in filter(None, [frame.f_locals.get("manifold"), *held]):
            factors = getattr(manifold, "manifolds", [manifold])
            return any(type(factor).__name__ not in _FLAT for factor in factors)
    return False


def _frames() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001
    while frame is not None:
        yield frame
        frame = frame.f_back
