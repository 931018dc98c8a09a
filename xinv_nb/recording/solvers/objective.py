"""Who is asked: the user's function, out of what scipy puts around it, and what its parameters are called."""

from __future__ import annotations

import inspect
from collections.abc import Hashable, Sequence
from typing import Any

from numpy.typing import NDArray

from xinv_nb.recording.evaluation import Layout
from xinv_nb.recording.solvers.lmfit import parameters_of
from xinv_nb.recording.wrappers import argument_names, function_name, identity

_INNER = ("fun", "fun_in", "f", "func", "function")
"""Where scipy's own wrappers hold the function that they wrap."""


def unwrapped(function: Any) -> Any:
    """Return the user's function, out of scipy's wrappers and ours."""
    for _ in range(8):
        owner = getattr(function, "__self__", None)
        wrapper = function if owner is None else owner  # a method of a wrapper, such as `MemoizeJac.derivative`
        if not type(wrapper).__module__.startswith(("scipy.", "xinv_nb.recording.solvers")):
            return function
        inner = [vars(wrapper)[name] for name in _INNER if callable(getattr(wrapper, "__dict__", {}).get(name))]
        if not inner:
            return function
        function = inner[0]
    return function


class Objective:
    """The user's function as the objective of a history.

    Examples
    --------
    >>> import numpy as np
    >>> def misfit(shift):
    ...     return shift @ shift
    >>> Objective(misfit).layout(np.zeros(2)).arguments
    ['shift']
    """

    def __init__(self, function: Any, *, first: int = 0, apart: bool = False, kind: str = "") -> None:
        """`first` is the position of the parameters among the arguments; `apart`, whether each is one of its own."""
        self.function = unwrapped(function)
        self.package = parameters_of(self.function)
        """The parameters of the package that calls scipy for the user, where it has names for them."""
        if self.package is not None:
            self.function = self.package.function
        self._first = first
        self._apart = apart
        own = identity(self.function)
        self.plain: Hashable = (kind, own) if kind else own
        """What tells it apart from others."""
        self._counted: dict[int, Hashable] = {}

    def with_residuals(self, count: int) -> Hashable:
        """Return what tells its fit to so many data apart from others."""
        if count not in self._counted:
            self._counted[count] = (self.plain, count)
        return self._counted[count]

    def layout(self, point: NDArray[Any]) -> Layout:
        """Return how it takes its parameters, and what they are called."""
        name = function_name(self.function)
        if self.package is not None:
            return _apart(name, point, self.package.names)
        if not self._apart:
            return Layout(name, point, argument_names(self.function, [self._first]))
        every = _variadic(self.function, self._first)
        if every:
            return Layout(name, point, [every])
        names = argument_names(self.function, range(self._first, self._first + point.size))
        return _apart(name, point, names)


def _apart(name: str, point: NDArray[Any], names: Sequence[str]) -> Layout:
    """Return that each number is a parameter of its own."""
    return Layout(name, tuple(point) if len(names) > 1 else point[0], names)


def _variadic(function: Any, first: int) -> str:
    """Return the name under which a model takes all its parameters, such as `p` of `def model(x, *p)`; else nothing."""
    try:
        parameters = list(inspect.signature(function).parameters.values())[first : first + 1]
    except (TypeError, ValueError):
        return ""
    return next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "")
