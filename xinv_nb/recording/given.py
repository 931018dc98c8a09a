"""Reads what a program hands over by hand: numbers and arrays, in the structure that the first evaluation had.

What does not fit raises `XinvError`, with what was expected.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.errors import XinvError, told
from xinv_nb.recording.backends.boxes import plain_value
from xinv_nb.recording.structure import flatten, leaf_names, outline

Floats = NDArray[np.float64]
Shapes = Mapping[str, tuple[int, ...]]

ROOT = "x"
"""What parameters are called that are one array or number, without a name of their own."""


def array(value: Any, what: str, kinds: str = "iuf") -> Floats:
    """Return a number or an array of real numbers as an array; no copy where it is one already."""
    value = plain_value(value)
    if isinstance(value, np.ma.MaskedArray):
        raise XinvError(
            f"{what} is a masked array, and a mask cannot be recorded: hand over its numbers, such as "
            "x.filled(0.0) or x.compressed()."
        )
    if hasattr(value, "toarray"):
        raise XinvError(f"{what} is a sparse array: hand {what}.toarray() over.")
    try:
        found = np.asarray(value)
    except Exception as error:
        raise XinvError(f"{what} must be a number or an array of numbers ({told(error)}).") from error
    if found.dtype.kind == "O" and found.size and all(isinstance(item, Real) for item in found.flat):
        found = _as_floats(found, what)  # whole numbers of Python beyond 64 bits
    if found.dtype.kind == "c":
        raise XinvError(f"{what} is complex; run.add takes real numbers, so hand over real and imaginary parts.")
    if found.dtype.kind not in kinds:
        raise XinvError(f"{what} must be a number or an array of numbers; it is {_described(value, found)}.")
    numbers: Floats = np.asarray(found, dtype=np.float64)
    return numbers


def _as_floats(numbers: NDArray[Any], what: str) -> Floats:
    try:
        return numbers.astype(np.float64)
    except OverflowError:
        raise XinvError(f"{what} is beyond the largest floating-point number, 1.8e308.") from None


def number(value: Any, what: str) -> float:
    """Return one number."""
    found = array(value, what)
    if found.size != 1:
        raise XinvError(f"{what} must be one number; it has the shape {found.shape}.")
    return float(found.reshape(()))


def vector(value: Any, what: str) -> Floats:
    """Return a copy of a row of numbers."""
    found = array(value, what)
    if found.ndim != 1 or not found.size:
        raise XinvError(f"{what} must be a vector (a one-dimensional array); the shape is {found.shape}.")
    return np.array(found)


def parameters(value: Any, what: str = "parameters") -> Any:
    """Return a number or array, or a dict of them by name, which may be nested, with arrays at its leaves."""
    value = plain_value(value)
    if isinstance(value, (list, tuple)):
        has_dicts = any(isinstance(item, Mapping) for item in value)
        if has_dicts or len({item.shape for item in value if isinstance(item, np.ndarray)}) > 1:
            kind = "dicts" if has_dicts else "arrays of several shapes"
            raise XinvError(
                f"{what} is a list of {kind}: hand over a dict, with a name for each, such as "
                "{'weights': w, 'bias': b}."
            )
    if not isinstance(value, Mapping):
        return array(value, what)
    found = {}
    for name, item in value.items():
        if not isinstance(name, str) or not name:
            raise XinvError(f"The names of {what} must be text; {name!r} is none.")
        found[name] = parameters(item, name if what in ("parameters", "gradients") else f"{what}.{name}")
    return found


def shapes(structure: Any) -> dict[str, tuple[int, ...]]:
    """Return the shape of each array in a structure, by the name that it is shown by."""
    names = leaf_names(structure, ROOT)
    if len(set(names)) < len(names):
        raise XinvError(f"Two parameters have the same name: {', '.join(names)}.")
    return dict(zip(names, (leaf.shape for leaf in leaves(structure)), strict=True))


def leaves(structure: Any) -> list[Floats]:
    """Return the arrays of a structure."""
    return flatten(structure, outline(structure))


def same_shapes(found: Shapes, expected: Shapes, of: str, by: str) -> None:
    """Raise where arrays have other names or shapes than was expected; `by` says by what it was."""
    if found.keys() != expected.keys():
        raise XinvError(f"{of} must be {_listed(expected)} {by}; run.add was given {_listed(found)}.")
    for name, shape in found.items():
        if shape != expected[name]:
            raise XinvError(
                f"{of} must have the shapes they have {by}: {name} {_shape(expected[name])}; run.add was given "
                f"{_shape(shape)}."
            )


def gradient_of_squares(loss: float, residuals: Floats, jacobian: Floats, point: Any) -> Any | None:
    """Return the gradient of a loss that is ‖r‖² or half of it, in the structure of `point`; None where it is neither.

    `jacobian` is what `whole_jacobian` returned.
    """
    squares = float(residuals @ residuals)
    if np.isclose(loss, squares / 2, rtol=_SAME, atol=0.0):
        factor = 1.0
    elif np.isclose(loss, squares, rtol=_SAME, atol=0.0):
        factor = 2.0
    elif not np.isfinite(loss) and not np.isfinite(squares):
        factor = 1.0  # whichever it is, the gradient is not finite either
    else:
        return None
    shapes_of = list(shapes(point).values())
    parts = np.split(factor * (residuals @ jacobian), _ends(shapes_of))
    return _filled(point, iter([part.reshape(shape) for part, shape in zip(parts, shapes_of, strict=True)]))


_SAME = 1e-6
"""Share by which loss and squares may differ: simulators calculate in single precision, too."""


def whole_jacobian(jacobian: Any, count: int, point: Any) -> Floats:
    """Return a Jacobian as one array with a row for each residual and a column for each entry of the parameters.

    It may come as a dict of arrays by the parameters' names.
    """
    wanted = shapes(point)
    found = parameters(jacobian, "jacobian")
    if isinstance(found, Mapping):
        parts = {name: (count, *shape) for name, shape in wanted.items()}
        same_shapes(shapes(found), parts, "The parts of jacobian", "by the residuals and parameters")
        in_order = dict(zip(leaf_names(found, ROOT), leaves(found), strict=True))
        return np.hstack([in_order[name].reshape(count, -1) for name in wanted])
    width = sum(math.prod(shape) for shape in wanted.values())
    if found.shape[:1] != (count,) or found.size != count * width:
        raise XinvError(
            f"jacobian must have a row for each of the {count} residuals and a column for each of the {width} "
            f"parameters, the shape ({count}, {width}); it has the shape {found.shape}."
        )
    return np.asarray(found.reshape(count, width))


def _ends(of: Sequence[tuple[int, ...]]) -> NDArray[np.intp]:
    """Return where arrays of these shapes end in a row of all of them, but for the last."""
    return np.asarray(np.cumsum([math.prod(shape) for shape in of])[:-1], dtype=np.intp)


def _filled(structure: Any, arrays: Iterator[Floats]) -> Any:
    if isinstance(structure, Mapping):
        return {name: _filled(item, arrays) for name, item in structure.items()}
    return next(arrays)


def _described(value: Any, found: NDArray[Any]) -> str:
    if found.dtype.kind in "US":
        return f"the text {value!r}" if isinstance(value, str) else "text"
    if found.dtype.kind == "b":
        return "true or false"
    return f"of type {type(value).__name__}"


def _listed(names: Shapes) -> str:
    return ", ".join(names)


def _shape(shape: tuple[int, ...]) -> str:
    return f"of shape {shape}" if shape else "a single number"
