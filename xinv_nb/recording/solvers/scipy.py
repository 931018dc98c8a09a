"""Watches scipy's minimizers without touching what they compute.

Before a solver starts, scipy hands the user's callback to `_wrap_callback`; after it ended, `minimize` asks what came
back for `stop_iteration`. So a stand-in for `_wrap_callback` sees the start, each iterate and the result; it exchanges
the user's functions in the frame that called it, and leaves no frame of ours around a solver: its warnings name the
same lines as ever. The user's callback is called as before, with what scipy's own wrapper gives it. A solver that no
callback is wrapped for is met when it checks its options.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import FrameType
from typing import Any

import numpy as np

from xinv_nb.recording import context
from xinv_nb.recording.backends.protocol import Recording
from xinv_nb.recording.solvers import constraint_values, constraints, least_squares
from xinv_nb.recording.solvers.asked import Function
from xinv_nb.recording.solvers.callers import LINE_SEARCH
from xinv_nb.recording.solvers.calls import SolverCall
from xinv_nb.recording.solvers.fitting import FittingCall
from xinv_nb.recording.solvers.minimizing import MinimizingCall
from xinv_nb.recording.solvers.objective import Objective
from xinv_nb.recording.solvers.options import limits, plain_bounds, plain_constraints, plain_options
from xinv_nb.recording.solvers.results import Results
from xinv_nb.recording.solvers.standins import MOVED, Before, StandIn, StandIns, rebind

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
    "nelder-mead": "Nelder-Mead",
    "powell": "Powell",
    "cobyla": "COBYLA",
    "cobyqa": "COBYQA",
}
"""The methods of `minimize`."""

SEARCHES = ("Nelder-Mead", "Powell", "COBYLA", "COBYQA")
"""Those that take no gradient, nor differences in its place."""


_OLDER = {
    "fmin": ("nelder-mead", "func", ""),
    "fmin_powell": ("powell", "func", ""),
    "fmin_bfgs": ("bfgs", "f", "fprime"),
    "fmin_cg": ("cg", "f", "fprime"),
    "fmin_ncg": ("newton-cg", "f", "fprime"),
    "fmin_l_bfgs_b": ("l-bfgs-b", "fun", "jac"),
    "fmin_slsqp": ("slsqp", "func", "fprime"),
}
"""The older functions that wrap a callback: their method, and how they name the user's function and its gradient."""

_OTHERS = {
    "_minimize_tnc": ("TNC", "fun", "jac", ("fmin_tnc",)),
    "_minimize_cobyla": ("COBYLA", "fun", "", ("fmin_cobyla",)),
    "_minimize_slsqp": ("SLSQP", "func", "jac", ("fmin_slsqp",)),
    "_minimize_scalar_bounded": ("Bounded search", "func", "", ("minimize_scalar", "fminbound")),
    "_minimize_scalar_brent": ("Brent's method", "func", "", ("minimize_scalar", "brent")),
    "_minimize_scalar_golden": ("Golden section search", "func", "", ("minimize_scalar", "golden")),
    "_root_nonlin_solve": ("Root finding", "fun", "", ("root",)),
    "_root_df_sane": ("DF-SANE", "func", "", ("root",)),
}
"""The solvers that no callback is wrapped for: their name, the names of the user's functions, and who starts them.

Other solvers start them, too, along a line; then they are no fit of their own.
"""

_SEARCHES_FROM_MANY = {
    "basinhopping": "Basin hopping",
    "shgo": "SHGO",
    "dual_annealing": "Dual annealing",
    "differential_evolution": "Differential evolution",
    "brute": "Brute force",
}
"""The searches that look in many places, most of them by starting another solver there."""


# ---------------------------------------------------------------------- minimize, and the older functions


def _wrap_callback(wrap_callback: Any) -> Any:
    def observed_wrap_callback(callback: Any, *args: Any, **options: Any) -> Any:
        wrapped = wrap_callback(callback, *args, **options)
        recording = context.active_for_solver()
        if recording is None or recording.depth:
            return wrapped
        try:
            _STAND_INS.complete()
            watched = _begins(recording, sys._getframe(1), *args, **options)  # noqa: SLF001
        except Exception:  # noqa: BLE001 - scipy is not as we know it: it runs unwatched
            recording.notice(MOVED)
            return wrapped
        return wrapped if watched is None else _Callback(wrapped, watched)

    return observed_wrap_callback


def _begins(recording: Recording, frame: FrameType, method: Any = None) -> MinimizingCall | None:
    """Follow the solver that a frame of scipy is about to start."""
    caller = frame.f_code.co_name
    known = (method, "fun", "jac") if caller == "minimize" else _OLDER.get(caller)
    if known is None or known[0] not in NAMES:
        return None
    name, fun, jac = NAMES[known[0]], known[1], known[2]
    settings = frame.f_locals
    fixed = settings.get("i_fixed") if settings.get("remove_vars") else None
    bounds = limits(settings.get("bounds"))
    has_gradient = callable(settings.get(jac)) and name not in SEARCHES
    given = settings.get("constraints") or ()
    watched = _follow(
        recording,
        frame,
        (fun, jac if has_gradient else ""),
        SolverCall(
            name,
            id(frame),
            bounds,
            has_gradient,
            None if fixed is None else np.flatnonzero(~fixed),
            options=_options(frame, caller) | plain_bounds(bounds) | plain_constraints(given),
            differences=name == "Newton-CG" or (not has_gradient and name not in SEARCHES),
            best_so_far=name in ("COBYLA", "COBYQA") and not given,
        ),
    )
    if isinstance(given, list) and given:
        # Of COBYQA's end only the functions of its constraints tell how far from them it is.
        rebind(frame, "constraints", constraint_values.watched(given, keeps_all=name == "COBYQA"))
    return watched


def _follow(recording: Recording, frame: FrameType, names: tuple[str, str], call: SolverCall) -> MinimizingCall:
    """Exchange the user's functions in a frame of scipy."""
    fun, jac = names
    function = frame.f_locals[fun]
    watched = MinimizingCall(recording, call, function)
    holder = getattr(function, "fun_in", None) if call.free is not None else None
    inner = function if holder is None else holder
    if type(inner).__name__ == "MemoizeJac":
        inner.fun = watched.both(inner.fun)  # scipy's own, made for this call
        return watched
    if jac:
        slope = frame.f_locals[jac]
        if holder is None:
            rebind(frame, jac, watched.slope(slope))
        else:
            slope.fun_in = watched.slope(slope.fun_in)
    if holder is None:
        rebind(frame, fun, watched.value(function))
    else:
        function.fun_in = watched.value(holder)
    return watched


_SETTINGS = (
    "gtol", "ftol", "xtol", "eps", "epsilon", "maxiter", "maxfun", "norm", "avextol", "pgtol", "factr", "m", "acc",
    "iter", "xatol", "fatol",
)  # fmt: skip
"""What the older functions are told by name."""


def _options(frame: FrameType, caller: str) -> dict[str, Any]:
    """Return what a solver was told, and by which function: the one that was called, and the search it is a part of."""
    settings = frame.f_locals
    given: Mapping[str, Any] = {name: settings[name] for name in _SETTINGS if name in settings}
    if caller in ("minimize", "minimize_scalar"):
        given = settings.get("options") or {}
    within = next((_SEARCHES_FROM_MANY[name] for name in _names_above(frame) if name in _SEARCHES_FROM_MANY), None)
    return plain_options({**given, "function": caller, "within": within})


def _names_above(frame: FrameType) -> list[str]:
    """Return the names of the functions of scipy that called this one, the one that the user called last."""
    return [above.f_code.co_name for above in _scipys(frame)]


def _scipys(frame: FrameType | None) -> list[FrameType]:
    found = []
    while frame is not None and str(frame.f_globals.get("__name__", "")).startswith("scipy."):
        found.append(frame)
        frame = frame.f_back
    return found


# ---------------------------------------------------------------------- solvers that no callback is wrapped for


def _checks_options(frame: FrameType) -> None:
    """Follow a solver that is about to check its options."""
    known = _OTHERS.get(frame.f_code.co_name)
    if known is None:
        return
    recording = context.active_for_solver()
    if recording is None or recording.depth:
        return
    try:
        _STAND_INS.complete()
        name, fun, jac, starters = known
        entry = next(f for f in _scipys(frame)[::-1] if f.f_code.co_name != "wrapper")
        settings = frame.f_locals
        if entry.f_code.co_name not in starters or isinstance(settings[fun], Function):
            return
        has_gradient = bool(jac) and callable(settings.get(jac))
        is_root = entry.f_code.co_name == "root"
        call = SolverCall(
            name,
            id(entry),
            limits(settings.get("bounds")) if jac else None,
            has_gradient,
            None,
            options=_options(entry, entry.f_code.co_name),
            differences=is_root or (bool(jac) and not has_gradient),
            best_so_far=jac == "" and not settings.get("constraints"),
        )
        if is_root:
            fitting = FittingCall(recording, call, Objective(settings[fun], kind="residuals"), waits=False)
            rebind(frame, fun, fitting.residuals(settings[fun]))
        else:
            watched = _follow(recording, frame, (fun, jac if has_gradient else ""), call)
            if "callback" in settings:
                rebind(frame, "callback", _Callback(settings["callback"], watched))
    except Exception:  # noqa: BLE001
        recording.notice(MOVED)


def _wrapper(wrapper: Any) -> Any:
    """Return what stands for scipy's own wrapper of the user's function in a search that looks in many places."""

    def observed_wrapper(function: Any, *args: Any, **options: Any) -> Any:
        recording = context.active_for_solver()
        if recording is None or recording.depth:
            return wrapper(function, *args, **options)
        try:
            _STAND_INS.complete()
            frame = sys._getframe(1)  # noqa: SLF001
            above = _scipys(frame)
            name = next((found for f in above if (found := _SEARCHES_FROM_MANY.get(f.f_code.co_name))), "")
            if name and frame.f_locals.get("func") is function:
                entry = above[-1]
                bounds = limits(entry.f_locals.get("bounds"))
                options_of = _options(entry, entry.f_code.co_name) | plain_bounds(bounds)
                if name == "Brute force":
                    grid, axes = frame.f_locals["grid"], frame.f_locals["N"]
                    options_of |= {"points": int(grid.size) // int(axes)}
                call = SolverCall(name, id(entry), bounds, False, None, options=options_of, best_so_far=True)
                function = MinimizingCall(recording, call, function).value(function)
        except Exception:  # noqa: BLE001
            recording.notice(MOVED)
        return wrapper(function, *args, **options)

    return observed_wrapper


def _searches(frame: FrameType) -> None:
    """Follow a line search, if it is the program that calls it, and no solver."""
    recording = context.active()
    if recording is None or recording.depth or recording.asked is not None or frame.f_code.co_name != LINE_SEARCH:
        return
    if len(_scipys(frame)) == 1:
        for follower in recording.followers():
            follower.searches()


# ---------------------------------------------------------------------- the callback


class _Callback:
    """Stands before the user's callback, as scipy has wrapped it, or alone where there is none."""

    def __init__(self, inner: Any, watched: MinimizingCall) -> None:
        self._inner = inner
        self._watched = watched
        if inner is not None:
            with suppress(TypeError, ValueError):
                self.__signature__ = inspect.signature(inner)  # scipy looks how the user's takes the iterate

    def __call__(self, *args: Any, **options: Any) -> Any:
        try:
            given = args[0] if args else options["intermediate_result"]
            x = given if type(given) is np.ndarray else getattr(given, "x", given)
            self._watched.accepts(np.array(x).reshape(-1))
        except Exception as error:  # noqa: BLE001 - nothing of ours may reach the user's computation
            self._watched.recording.failed(error)
        return None if self._inner is None else self._inner(*args, **options)

    @property
    def stop_iteration(self) -> bool:
        """Whether the user's callback stopped the solver; `minimize` asks when it has the result."""
        stopped = getattr(self._inner, "stop_iteration", False)
        frame = sys._getframe(1)  # noqa: SLF001
        if id(frame) == self._watched.call.frame:
            with suppress(Exception):
                local, known = frame.f_locals, self._watched.call.constraints
                with suppress(Exception):
                    known.extend(() if known else constraints.of_result(local["res"], local.get("constraints") or ()))
                self._watched.ends(local.get("res"), stopped=bool(stopped))
        return bool(stopped)

    @stop_iteration.setter
    def stop_iteration(self, stopped: bool) -> None:
        self._inner.stop_iteration = stopped


# ---------------------------------------------------------------------- in and out

_STAND_INS = StandIns(
    StandIn(("_minimize", "_optimize", "_lbfgsb_py", "_slsqp_py"), "_wrap_callback", _wrap_callback),
    StandIn(
        ("_optimize", "_tnc", "_cobyla_py", "_slsqp_py", "_root", "_spectral"),
        "_check_unknown_options",
        lambda function: Before(function, _checks_options),
    ),
    StandIn(("_linesearch",), "scalar_search_wolfe2", lambda function: Before(function, _searches)),
    StandIn(("_differentialevolution", "_shgo"), "_FunctionWrapper", _wrapper),
    StandIn(("_dual_annealing",), "ObjectiveFunWrapper", _wrapper),
    StandIn(("_optimize",), "_Brute_Wrapper", _wrapper),
    StandIn(
        ("_optimize", "_tnc", "_cobyla_py", "_slsqp_py", "_lbfgsb_py", "_spectral", "_differentialevolution"),
        "OptimizeResult",
        Results,
        late=True,
    ),
    *least_squares.STAND_INS,
)


def install(notice: Callable[[str], None]) -> None:
    """Watch the solvers for one more recording."""
    _STAND_INS.install(notice)


def uninstall(notice: Callable[[str], None]) -> None:
    """Leave scipy as it was when the last recording closes; a second call does what an interrupt left of the first."""
    _STAND_INS.uninstall(notice)


def renew_lock() -> None:
    """Take a new lock in a forked process: another thread may have held this one."""
    _STAND_INS.renew_lock()


def is_watching() -> bool:
    """Whether there is anything of ours in scipy."""
    return _STAND_INS.is_installed
