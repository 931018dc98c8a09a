"""The user's own objective as a function of one row of numbers, evaluated again on request; nothing of it is recorded.

Evaluations are counted: whoever asks for them tells how many there were.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.errors import XinvError, shown, told
from xinv_nb.recorded.history import History
from xinv_nb.recording.backends.protocol import Derivatives
from xinv_nb.recording.backends.registry import differentiating

Floats = NDArray[np.float64]

_SAME = 1e-6
"""Share by which a loss may differ from the recorded one: simulators calculate in single precision, too."""
_ROUNDING = 1e-12
"""The same as a share of the largest loss of the run."""
_MOST_NAMED = 8
_STEP = 1e-5
"""Step of differences of losses, in sizes of the parameters."""


def point_of(history: History, evaluation: int) -> Floats:
    """Return the parameters of an evaluation in one row; raises `XinvError` where they are not known as such."""
    sampled = [leaf.name for leaf in history.leaves if leaf.kept is not None]
    if sampled:
        raise XinvError(
            f"Of {sampled[0]} only a sample of its entries was kept, so the end point is not known; "
            "look at a model with fewer parameters."
        )
    if history.dtype.kind == "c":
        raise XinvError("The parameters are complex; pass the real and imaginary parts as parameters of their own.")
    return np.array(history.values.array[history.row_of(evaluation)])


def flat(objective: Callable[..., Any], history: History) -> Callable[[Any], Any]:
    """Return the objective as a function of all parameters in one row."""

    def rebuilt(x: Any) -> Any:
        leaves = history.leaves
        return history.rebuild([x[a.start : a.stop].reshape(a.shape) if a.shape else x[a.start] for a in leaves])

    several = isinstance(history.outline, tuple) and required(objective) == len(history.outline) > 1
    return (lambda x: objective(*rebuilt(x))) if several else (lambda x: objective(rebuilt(x)))


def required(function: Callable[..., Any]) -> int:
    """Return how many arguments a function must be given.

    >>> required(lambda x, i=0: x), most_taken(lambda x, i=0: x)
    (1, 2)
    """
    return sum(parameter.default is parameter.empty for parameter in _by_place(function))


def most_taken(function: Callable[..., Any]) -> int:
    """Return how many arguments a function takes by their places."""
    return len(_by_place(function))


def _by_place(function: Callable[..., Any]) -> list[inspect.Parameter]:
    places = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        return [p for p in inspect.signature(function).parameters.values() if p.kind in places]
    except (TypeError, ValueError):
        return [inspect.Parameter("x", inspect.Parameter.POSITIONAL_ONLY)]


def flattened(structure: Any, history: History) -> Floats:
    """Return values in the structure that the objective takes, or all in one row, as one row.

    Raises `XinvError` where they have another structure.

    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     run.add(1.0, {"a": 1.0, "b": [2.0, 3.0]})
    >>> flattened({"b": [5.0, 6.0], "a": 4.0}, run.history).tolist()
    [4.0, 5.0, 6.0]
    """
    try:
        arrays = [np.asarray(value, dtype=float) for value in _in_order(structure, history.outline)]
        is_row = len(arrays) == 1 and arrays[0].shape == (history.width,)
        if is_row or [array.shape for array in arrays] == [leaf.shape for leaf in history.leaves]:
            return np.asarray(np.concatenate([np.ravel(array) for array in arrays]))
    except (KeyError, IndexError, TypeError, ValueError):
        pass
    shapes = [f"{leaf.name}{list(leaf.shape) or ''}" for leaf in history.leaves]
    told = ", ".join(shapes[:_MOST_NAMED] + ["…"] * (len(shapes) > _MOST_NAMED))
    raise XinvError(
        f"The values must have the structure of the parameters ({told}), or name some of them; "
        f"{shown(structure, 80)} has another."
    )


def _in_order(structure: Any, outline: Any) -> list[Any]:
    """Return the arrays and numbers of a structure in the order of the leaves."""
    if isinstance(outline, Mapping):
        if not isinstance(structure, Mapping):
            return [structure]
        if set(structure) != set(outline):
            raise KeyError
        return [each for key, item in outline.items() for each in _in_order(structure[key], item)]
    if isinstance(outline, (list, tuple)):
        if not isinstance(structure, (list, tuple)):
            return [structure]
        if len(structure) != len(outline):
            raise IndexError
        return [each for part, item in zip(structure, outline, strict=True) for each in _in_order(part, item)]
    return [structure]


def first_value(flat: Callable[[Any], Any], x: Floats) -> float:
    """Return the objective at the end of the run; raises `XinvError` where it gives no finite number there."""
    try:
        value = flat(x)
    except Exception as error:
        raise XinvError(
            f"The objective could not be evaluated at the end of the run ({told(error)}). Pass a "
            "function that takes the recorded parameters and nothing else, such as lambda x: loss(x, 0)."
        ) from error
    array = np.asarray(value)
    if array.size != 1 or array.dtype.kind not in "fiub":
        raise XinvError(
            f"The objective must return one real number; it returned {_described(array)}. Pass the function whose "
            "gradient was recorded."
        )
    if not np.isfinite(array).all():
        raise XinvError("At the end of the run the objective is not a finite number, so it has no curvature there.")
    return float(array.reshape(()))


def _described(array: NDArray[Any]) -> str:
    return f"an array of shape {array.shape}" if array.size != 1 else f"a value of type {array.dtype}"


def check_value(value: float, history: History, evaluation: int) -> None:
    """Raise `XinvError` where the objective does not return what was recorded at an evaluation."""
    recorded = float(history.loss.array[evaluation])
    losses = np.abs(history.loss.array)
    largest = float(np.max(losses[np.isfinite(losses)], initial=0.0))
    if not np.isclose(value, recorded, rtol=_SAME, atol=_ROUNDING * largest):
        raise XinvError(
            f"The objective is {value:.6g} at iteration {evaluation}, where the recorded loss is {recorded:.6g}: it is "
            "another function than the one that was minimized, or gives another value each time. Pass the function "
            "whose gradient was recorded, with the data of that iteration."
        )


class Reevaluated:
    """An objective that is evaluated again, and how often that was done.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     run.add(9.0, 3.0, 6.0)
    >>> square = Reevaluated(lambda x: x**2, run.history, np.ones(1))
    >>> square.value(np.array([3.0])), square.slope(np.array([3.0])).round(6).tolist(), square.evaluations
    (9.0, [6.0], 2)
    """

    def __init__(self, objective: Callable[..., Any], history: History, scale: Floats) -> None:
        self.function, self._scale = flat(objective, history), scale
        self.evaluations = 0
        self._inner: float | None = None
        self._derivatives = self._differentiated()

    def _differentiated(self) -> Derivatives | None:
        try:
            backend = differentiating()
        except XinvError:
            return None

        def told(x: Any) -> Any:
            value = self.function(x)
            self._inner = float(np.asarray(backend.plain_value(value)).reshape(()))
            return value

        return backend.derivatives(told)

    def value(self, x: Floats) -> float:
        """Return the objective at a point; infinity where it has no finite value."""
        self.evaluations += 1
        try:
            value = float(np.asarray(self.function(x)).reshape(()))
        except Exception:  # noqa: BLE001 - whatever the user's function raises far from where it was meant for
            return np.inf
        return value if np.isfinite(value) else np.inf

    def slope(self, x: Floats) -> Floats:
        """Return the gradient at a point, by the framework or else by differences; see `value_and_slope`."""
        return self.value_and_slope(x)[1]

    def value_and_slope(self, x: Floats) -> tuple[float, Floats]:
        """Return the objective and its gradient: zeros where it has none, so that a search stops there."""
        if self._derivatives is not None:
            self._inner = None
            try:
                slope = np.asarray(self._derivatives.gradient(x), dtype=float)
            except Exception:  # noqa: BLE001 - a function that cannot be differentiated, or not there
                if self._inner is None:  # it failed before it had a value
                    self._derivatives = None if np.isfinite(self.value(x)) else self._derivatives
                else:
                    self._derivatives = None
            else:
                self.evaluations += 1
                return self._or_none(self._inner, slope)
        if self._derivatives is not None:
            return np.inf, np.zeros_like(x)
        return self._by_differences(x)

    def _by_differences(self, x: Floats) -> tuple[float, Floats]:
        steps = _STEP * self._scale
        slope = np.empty(len(x))
        for column, step in enumerate(steps.tolist()):
            ahead, behind = x.copy(), x.copy()
            ahead[column] += step
            behind[column] -= step
            slope[column] = (self.value(ahead) - self.value(behind)) / (ahead[column] - behind[column])
        return self._or_none(self.value(x), slope)

    def _or_none(self, value: float | None, slope: Floats) -> tuple[float, Floats]:
        if value is None or not np.isfinite(value) or not np.isfinite(slope).all():
            return np.inf, np.zeros(len(self._scale))
        return value, slope
