"""Finds on the call stack which optimizer calls for an evaluation."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

from xinv_nb.recording.solvers.scipy import CALLBACK

_OF_SCIPY = ("scipy.optimize", "scipy._lib")
"""Where the functions live that pass the point on to the user's function, as their `x`."""

_TRAINERS = ("adam", "sgd", "rmsprop")


@dataclass(frozen=True)
class Caller:
    """Who calls for an evaluation: a call of a solver that is followed, or one of autograd's optimizers, or neither."""

    solver: int = 0
    """Identity of the frame of `minimize`, or 0."""
    x: Any = None
    """The point as scipy passes it, before the user's function makes something else of it."""
    trainer: str = ""
    """The name of an optimizer of `autograd.misc.optimizers`, or empty."""
    place: int = 0
    """Identity of its frame."""
    code: Any = None
    depth: int = 0
    """How many frames it is away from the function that asks, called by a function that is not."""
    settings: Any = None
    """Its local variables: its step size, and the iteration that it is at."""


def is_at(depth: int, place: int, code: Any) -> bool:
    """Whether a frame that was found before is still running, as far from the function that calls this one."""
    try:
        frame = sys._getframe(depth)  # noqa: SLF001
    except ValueError:
        return False
    return id(frame) == place and frame.f_code is code


def find_caller(running: Sequence[int]) -> Caller:
    """Look on the call stack for the innermost optimizer; `running` are the frames of solvers that are followed."""
    x: Any = None
    found_x = False
    for depth, frame in enumerate(_frames()):
        code = frame.f_code
        if code.co_name in _TRAINERS and _is_trainer(frame):
            return Caller(trainer=code.co_name, place=id(frame), code=code, depth=depth, settings=frame.f_locals)
        if not running:
            continue
        if code is CALLBACK:
            found_x = True  # the user's callback looks at the iterate: no step of the solver
        if not str(frame.f_globals.get("__name__", "")).startswith(_OF_SCIPY):
            continue
        if id(frame) in running:
            return Caller(solver=id(frame), x=x)
        if not found_x:
            x = frame.f_locals.get("x")
            found_x = x is not None
    return Caller()


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
