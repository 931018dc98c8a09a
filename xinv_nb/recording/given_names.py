"""What a package calls the parameters that it passes as one flat array: among its own variables, up the call stack.

`params[0]` says nothing to a reader who fits a model of a package that knows it as `lambda_`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import FrameType, ModuleType
from typing import Any

_ATTRIBUTES = ("_fitted_parameter_names", "parameter_names", "param_names", "_parameter_names", "_param_names")
"""How objects call the names of their parameters, in the order of their array."""
_MOST_FRAMES = 60


def names_given(count: int, holder: Any = None) -> tuple[str, ...]:
    """Return the names of that many parameters, where the objective's object has them, or a package that calls it.

    >>> class Decay:
    ...     param_names = ("amplitude", "rate")
    >>> names_given(2, Decay()), names_given(3, Decay())
    (('amplitude', 'rate'), ())
    """
    if found := _held_by(holder, count):
        return found
    for frame in _frames_of_packages():
        self = frame.f_locals.get("self")
        if found := _held_by(self, count) or _texts(_of_a_regression(frame, self), count):
            return found
    return ()


def _held_by(holder: Any, count: int) -> tuple[str, ...]:
    own = getattr(holder, "__dict__", None)
    if not isinstance(own, dict) or isinstance(holder, ModuleType):
        return ()
    of_class = vars(type(holder))
    return next((found for name in _ATTRIBUTES if (found := _texts(own.get(name, of_class.get(name)), count))), ())


def _of_a_regression(frame: FrameType, fitter: Any) -> list[str]:
    """Return parameter and covariate of each number that lifelines fits in a regression, in the order of its array."""
    if str(frame.f_globals.get("__name__", "")).partition(".")[0] != "lifelines":
        return []
    table, starts = frame.f_locals.get("Xs"), getattr(fitter, "_initial_point_dicts", None)
    columns = getattr(table, "columns", None)
    if columns is None or not starts or getattr(columns, "nlevels", 1) != 2:
        return []
    return [
        f"{parameter}.{covariate}" for parameter in sorted(starts[0]) for of, covariate in columns if of == parameter
    ]


def _texts(names: Any, count: int) -> tuple[str, ...]:
    """Return names if they are as many different texts."""
    if not isinstance(names, (list, tuple)) or len(names) != count:
        return ()
    good = all(isinstance(name, str) and name for name in names) and len(set(names)) == count
    return tuple(names) if good else ()


def _frames_of_packages() -> Iterator[FrameType]:
    """Yield the frames of installed packages: to look at the variables of the user's own would keep these alive."""
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001
    for _ in range(_MOST_FRAMES):
        if frame is None:
            return
        if "site-packages" in frame.f_code.co_filename or "dist-packages" in frame.f_code.co_filename:
            yield frame
        frame = frame.f_back
