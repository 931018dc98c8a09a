"""Watches `least_squares`, `leastsq`, `curve_fit` and MINPACK's search for a root.

`least_squares` hands the user's function on to one of its methods: it is exchanged when its tolerances are checked, and
the method is told of the Jacobian and the cost. All that goes through MINPACK passes by the module of its functions.
No warning of scipy's crosses the frames that this puts around them.
"""

from __future__ import annotations

import inspect
import math
import sys
from types import FrameType, SimpleNamespace
from typing import Any

import numpy as np

from xinv_nb.recording import context
from xinv_nb.recording.backends.protocol import Recording
from xinv_nb.recording.solvers.asked import Function
from xinv_nb.recording.solvers.calls import SolverCall
from xinv_nb.recording.solvers.fitting import FittingCall
from xinv_nb.recording.solvers.objective import Objective
from xinv_nb.recording.solvers.options import limits, plain_bounds, plain_options
from xinv_nb.recording.solvers.standins import MOVED, Before, StandIn, rebind

METHODS = {"trf": "Trust region reflective", "dogbox": "Dogbox", "lm": "Levenberg-Marquardt"}

_SETTINGS = ("ftol", "xtol", "gtol", "max_nfev", "maxfev", "maxiter", "x_scale", "loss", "f_scale", "jac", "diff_step")
_NEAR = 5
"""Frames between a function of scipy and another that calls it, at most."""


# ---------------------------------------------------------------------- least_squares


def _begins(frame: FrameType) -> None:
    """Exchange the user's function in `least_squares`, which is about to check its tolerances."""
    if frame.f_code.co_name != "least_squares":
        return
    recording = context.active_for_solver()
    if recording is None or recording.depth:
        return
    try:
        settings = frame.f_locals
        bounds = limits(SimpleNamespace(lb=settings["lb"], ub=settings["ub"]))
        bounded = bounds is not None and bool(np.isfinite(bounds).any())
        method = settings["method"]
        options = plain_options({name: settings[name] for name in _SETTINGS if name in settings})
        call = SolverCall(
            METHODS[method],
            id(frame),
            bounds if bounded else None,
            callable(settings["jac"]),
            None,
            options=options | (plain_bounds(bounds) if bounded else {}) | _caller(frame, "least_squares"),
            differences=not callable(settings["jac"]),
        )
        fitting = FittingCall(recording, call, _objective(frame, settings["fun"]))
        rebind(frame, "fun", fitting.residuals(settings["fun"]))
    except Exception:  # noqa: BLE001 - scipy is not as we know it: it runs unwatched
        recording.notice(MOVED)


def _method(method: Any) -> Any:
    """Return what stands for one of the methods of `least_squares`."""

    def observed_method(*args: Any, **options: Any) -> Any:
        fitting = _fitting_of(sys._getframe(1))  # noqa: SLF001
        if fitting is None:
            return method(*args, **options)
        try:
            given = inspect.signature(method).bind(*args, **options)
            named = given.arguments
            loss_function = named.get("loss_function")
            if loss_function is not None:
                named["loss_function"] = fitting.robust(loss_function)
            named["jac"] = fitting.jacobian(named["jac"], is_users=fitting.call.has_gradient)
            fitting.linearized(named["x0"], named["J0"])
            args, options = given.args, given.kwargs
        except Exception:  # noqa: BLE001
            fitting.recording.notice(MOVED)
        result = method(*args, **options)
        messages = vars(sys.modules["scipy.optimize._lsq.least_squares"]).get("TERMINATION_MESSAGES", {})
        message = messages.get(result.status, "")
        told = SimpleNamespace(**{**result, "jac": None, "message": message, "success": result.status > 0})
        told.largest_slope = float(result.optimality)
        fitting.ends(told)
        return result

    return observed_method


def _fitting_of(frame: FrameType | None) -> FittingCall | None:
    """Return the watched call of the `least_squares` that runs in a frame, or in the one around it."""
    for _ in range(2):
        if frame is not None and frame.f_code.co_name == "least_squares":
            function = frame.f_locals.get("fun")
            call = function.call if isinstance(function, Function) else None
            return call if isinstance(call, FittingCall) else None
        frame = None if frame is None else frame.f_back
    return None


# ---------------------------------------------------------------------- MINPACK


class _Minpack:
    """Stands for the module of MINPACK's functions."""

    def __init__(self, module: Any) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def _lmdif(self, function: Any, *rest: Any) -> Any:
        return _minimized(self._module._lmdif, sys._getframe(1), function, None, rest)  # noqa: SLF001

    def _lmder(self, function: Any, jacobian: Any, *rest: Any) -> Any:
        return _minimized(self._module._lmder, sys._getframe(1), function, jacobian, rest)  # noqa: SLF001

    def _hybrd(self, function: Any, *rest: Any) -> Any:
        return _minimized(self._module._hybrd, sys._getframe(1), function, None, rest)  # noqa: SLF001

    def _hybrj(self, function: Any, jacobian: Any, *rest: Any) -> Any:
        return _minimized(self._module._hybrj, sys._getframe(1), function, jacobian, rest)  # noqa: SLF001


def _counted(frame: FrameType | None) -> int:
    """Return how often SciPy's search for a root says that it called the function; 0 where it counts no calls."""
    found = 0
    for _ in range(_NEAR):
        if frame is None or not str(frame.f_globals.get("__name__", "")).startswith("scipy."):
            break
        for name in ("_wrapped_fun", "_wrapped_func"):
            counted = getattr(frame.f_locals.get(name), "nfev", 0)
            found = counted if isinstance(counted, int) and counted else found
        frame = frame.f_back
    return found


_CHECKED = (
    "{}: SciPy counts {} evaluations (nfev), and {} were made to find the root. It evaluates the start a few times "
    "more, to check what the function returns, and counts these as well; the start is recorded once."
)


def _minimized(solve: Any, frame: FrameType, function: Any, jacobian: Any, rest: tuple[Any, ...]) -> Any:
    """Call one of MINPACK's functions from `frame` of scipy, and take note of what it asks for."""
    recording = context.active_for_solver()
    given = (function,) if jacobian is None else (function, jacobian)
    if recording is None or recording.depth:
        return solve(*given, *rest)
    fitting = None
    try:
        is_root = solve.__name__.startswith("_hyb")
        fitting = _fitting_of(frame)
        if fitting is None:
            fitting = _of_minpack(recording, frame, function, jacobian, is_root=is_root)
            function = fitting.residuals(function)
        if jacobian is None:
            fitting.step = math.sqrt(max(float(rest[7]), sys.float_info.epsilon))
        else:
            transposed = bool(rest[3])
            is_users = fitting.call.has_gradient
            jacobian = fitting.jacobian(jacobian, is_users=is_users, transposed=transposed)
        given = (function,) if jacobian is None else (function, jacobian)
    except Exception:  # noqa: BLE001
        recording.notice(MOVED)
    retval = solve(*given, *rest)
    if fitting is not None:
        told = _said(retval, is_root=is_root)
        fitting.ends(told)
        counted, made = _counted(frame), getattr(told, "nfev", None)
        if isinstance(made, int) and counted > made:
            recording.notice(_CHECKED.format(fitting.call.name, counted, made))
    return retval


def _of_minpack(recording: Recording, frame: FrameType, function: Any, jacobian: Any, *, is_root: bool) -> FittingCall:
    settings = frame.f_locals
    options = plain_options({name: settings[name] for name in _SETTINGS if name in settings})
    call = SolverCall(
        "Powell's hybrid method" if is_root else METHODS["lm"],
        id(sys._getframe(1)),  # noqa: SLF001
        None,
        jacobian is not None,
        None,
        options=options | _caller(frame, "root" if is_root else "leastsq"),
        best_so_far=is_root,
    )
    return FittingCall(recording, call, _objective(frame, function))


_SAID = {
    0: ("Improper input parameters.", False),
    1: ("`ftol` termination condition is satisfied.", True),
    2: ("`xtol` termination condition is satisfied.", True),
    3: ("Both `ftol` and `xtol` termination conditions are satisfied.", True),
    4: ("`gtol` termination condition is satisfied.", True),
    5: ("The maximum number of function evaluations is exceeded.", False),
    6: ("ftol is too small: no further reduction in the sum of squares is possible.", False),
    7: ("xtol is too small: no further improvement is possible.", False),
    8: ("gtol is too small: no further improvement is possible.", False),
}
"""What MINPACK's numbers for the end of a fit mean, and whether it is one that was wanted."""

_SAID_OF_ROOTS = {
    0: ("Improper input parameters.", False),
    1: ("`xtol` termination condition is satisfied.", True),
    2: ("The maximum number of function evaluations is exceeded.", False),
    3: ("xtol is too small: no further improvement is possible.", False),
    4: ("The iteration is not making good progress.", False),
    5: ("The iteration is not making good progress.", False),
}


def _said(retval: Any, *, is_root: bool) -> SimpleNamespace:
    """Return what MINPACK said of its end, in the form of scipy's results."""
    x, status = retval[0], int(retval[-1])
    message, success = (_SAID_OF_ROOTS if is_root else _SAID).get(status, ("", False))
    told = SimpleNamespace(x=x, status=status, message=message, success=success)
    if isinstance(retval[1], dict):
        for name in ("nfev", "njev"):
            if name in retval[1]:
                setattr(told, name, retval[1][name])
    return told


# ---------------------------------------------------------------------- who called


def _objective(frame: FrameType, function: Any) -> Objective:
    """Return who is asked: the model, where it is `curve_fit` that fits it, with the names of its own parameters."""
    fit = _above(frame, "curve_fit")
    if fit is not None:
        return Objective(fit.f_locals["f"], first=1, apart=True, kind="curve_fit")
    return Objective(function, kind="residuals")


def _caller(frame: FrameType, default: str) -> dict[str, Any]:
    """Return which function of scipy the user called, and whether it was told that sigma is absolute."""
    fit = _above(frame, "curve_fit")
    if fit is not None:
        is_absolute, is_given = bool(fit.f_locals.get("absolute_sigma")), fit.f_locals.get("sigma") is not None
        return {"function": "curve_fit", "absolute_sigma": is_absolute, "sigma_given": is_given}
    names = (name for name in ("root", "fsolve", "leastsq", "least_squares") if _above(frame, name))
    return {"function": next(names, default)}


def _above(frame: FrameType | None, name: str) -> FrameType | None:
    """Return the frame of a function of scipy.optimize, if it is not far up the stack."""
    for _ in range(_NEAR):
        if frame is None or not str(frame.f_globals.get("__name__", "")).startswith("scipy."):
            return None
        if frame.f_code.co_name == name:
            return frame
        frame = frame.f_back
    return None


STAND_INS = (
    StandIn(("_lsq.least_squares",), "check_tolerance", lambda function: Before(function, _begins)),
    StandIn(("_lsq.least_squares",), "trf", _method),
    StandIn(("_lsq.least_squares",), "dogbox", _method),
    StandIn(("_lsq.least_squares", "_minpack_py"), "_minpack", _Minpack),
)
