"""Watches scipy's solvers without touching what they compute. The only file that touches scipy's internals.

Before a solver starts, scipy hands the user's callback to `_wrap_callback`; after it ended, `minimize` asks what came
back for `stop_iteration`. So a stand-in for `_wrap_callback` sees the start, each iterate and the result, and leaves no
frame of ours around a solver: its warnings name the same lines as ever. The user's callback is called as before, with
what scipy's own wrapper gives it. Where scipy is imported during the recording, the stand-in goes in at that moment.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recording import context
from xinv_nb.recording.solvers.calls import Follower, SolverCall

NAMES = {
    "bfgs": "BFGS",
    "l-bfgs-b": "L-BFGS-B",
    "cg": "Conjugate gradient",
    "newton-cg": "Newton-CG",
    "tnc": "TNC",
    "slsqp": "SLSQP",
    "trust-constr": "trust-constr",
    "dogleg": "dogleg",
    "trust-ncg": "trust-ncg",
    "trust-krylov": "trust-krylov",
    "trust-exact": "trust-exact",
    "fmin_bfgs": "BFGS",
    "fmin_l_bfgs_b": "L-BFGS-B",
    "fmin_cg": "Conjugate gradient",
    "fmin_ncg": "Newton-CG",
    "fmin_slsqp": "SLSQP",
}
"""The solvers that use gradients and report their iterates, by method or by function."""

_MODULES = ("_minimize", "_optimize", "_lbfgsb_py", "_slsqp_py")


# ---------------------------------------------------------------------- the stand-in, in and out

_watching: list[object] = []
"""The recordings for which the solvers are watched."""
_lock = threading.RLock()
_stand_ins: list[tuple[Any, Any]] = []
"""Each stand-in that is in use, with scipy's own function that it stands for."""


class _ImportWatcher:
    """Sees that scipy.optimize is being imported, since Python asks it, too, for each module; never answers."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> None:  # noqa: ARG004 - as Python calls it
        if name.startswith("scipy.optimize."):
            with _lock:
                if _watching:
                    _put_in()


def install(recording: object) -> None:
    """Watch the solvers for one more recording."""
    with _lock:
        _watching.append(recording)
        if len(_watching) == 1 and not _put_in():
            sys.meta_path.insert(0, _ImportWatcher)


def uninstall(recording: object) -> None:
    """Leave scipy as it was when the last recording closes; a second call does what an interrupt left of the first."""
    with _lock:
        if recording in _watching:
            _watching.remove(recording)
        if _watching:
            return
        if _ImportWatcher in sys.meta_path:
            sys.meta_path.remove(_ImportWatcher)
        # In all modules of scipy, for one that was imported during the recording took the stand-in over; where another
        # tool has put itself on top, it stays, and ours below it does nothing any more.
        for name, module in list(sys.modules.items()) if _stand_ins else ():
            if name.startswith("scipy.optimize"):
                found = vars(module).get("_wrap_callback")
                for ours, original in _stand_ins:
                    if found is ours:
                        vars(module)["_wrap_callback"] = original
        _stand_ins.clear()


def renew_lock() -> None:
    """Take a new lock in a forked process: another thread may have held this one."""
    global _lock
    _lock = threading.RLock()


def _put_in() -> bool:
    """Put the stand-in into those modules of scipy that are there; returns whether no more are to come."""
    for name in _MODULES:
        module = sys.modules.get(f"scipy.optimize.{name}")
        found = getattr(module, "_wrap_callback", None)
        if found is not None and all(found is not ours for ours, _ in _stand_ins):
            _stand_ins.append((_hook(found), found))
            vars(module)["_wrap_callback"] = _stand_ins[-1][0]
    return hasattr(sys.modules.get("scipy.optimize"), "minimize")


def _hook(wrap_callback: Any) -> Any:
    def observed_wrap_callback(callback: Any, *args: Any, **options: Any) -> Any:
        wrapped = wrap_callback(callback, *args, **options)
        recording = context.active()
        if recording is None or recording.depth:
            return wrapped
        try:
            call = _call_of(sys._getframe(1), *args, **options)  # noqa: SLF001
            if call is None:
                return wrapped
            followers = recording.followers()
            for follower in followers:
                follower.begins(call)
        except Exception:  # noqa: BLE001 - scipy is not as we know it: it runs unwatched
            return wrapped
        return _Callback(wrapped, call, followers)

    return observed_wrap_callback


def _call_of(frame: FrameType, method: Any = None) -> SolverCall | None:
    function, settings = frame.f_code.co_name, frame.f_locals
    name = NAMES.get(method if function == "minimize" else function)
    if name is None:
        return None
    fixed = settings.get("i_fixed") if settings.get("remove_vars") else None
    free = None if fixed is None else np.flatnonzero(~fixed)
    has_gradient = callable(settings.get("jac") or settings.get("fprime"))
    return SolverCall(name, id(frame), _limits(settings.get("bounds")), has_gradient, free)


def _limits(bounds: Any) -> tuple[NDArray[Any], NDArray[Any]] | None:
    """Return lower and upper bounds out of any of the forms that scipy takes."""
    if bounds is None:
        return None
    if hasattr(bounds, "lb"):
        low, high = bounds.lb, bounds.ub
    else:
        pairs = list(bounds)
        low = [-np.inf if pair[0] is None else pair[0] for pair in pairs]
        high = [np.inf if pair[1] is None else pair[1] for pair in pairs]
    return np.array(low, dtype=float).reshape(-1), np.array(high, dtype=float).reshape(-1)


class _Callback:
    """Stands before the user's callback, as scipy has wrapped it, or alone where there is none."""

    def __init__(self, inner: Any, call: SolverCall, followers: Sequence[Follower]) -> None:
        self._inner = inner
        self._call = call
        self._followers = followers

    def __call__(self, *args: Any, **options: Any) -> Any:
        with suppress(Exception):
            x = np.array(getattr(args[0], "x", args[0])).reshape(-1)
            for follower in self._followers:
                follower.iterates(self._call, x)
        return None if self._inner is None else self._inner(*args, **options)

    @property
    def stop_iteration(self) -> bool:
        """Whether the user's callback stopped the solver; `minimize` asks when it has the result."""
        stopped = getattr(self._inner, "stop_iteration", False)
        frame = sys._getframe(1)  # noqa: SLF001
        if id(frame) == self._call.frame:
            with suppress(Exception):
                for follower in self._followers:
                    follower.ends(self._call, frame.f_locals.get("res"), stopped=bool(stopped))
        return bool(stopped)

    @stop_iteration.setter
    def stop_iteration(self, stopped: bool) -> None:
        self._inner.stop_iteration = stopped


CALLBACK = _Callback.__call__.__code__
"""The code under which the user's callback runs."""
