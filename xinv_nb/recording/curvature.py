"""Takes second derivatives of the user's own objective at one point; nothing of these evaluations is recorded.

Method: products of the Hessian with vectors, which a backend takes, one for each parameter where they are few, else as
many as Lanczos' method asks for. Where a part of the objective has no second derivative, differences
of its gradient stand in.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.errors import XinvError
from xinv_nb.recorded.curvature import Curvature
from xinv_nb.recorded.history import History
from xinv_nb.recording.backends.registry import differentiating
from xinv_nb.recording.context import unrecorded

Floats = NDArray[np.float64]
Product = Callable[[Floats], Floats]

FULL = 50
"""Parameters up to which the whole Hessian is computed."""
_LARGEST, _SMALLEST = 6, 3
"""Eigenvalues asked for at either end where it is not."""
_STEP = 1e-5
"""Step of the differences, in sizes of the parameters."""
_AGREE = 0.01
"""Share by which second derivatives and differences may differ."""


def curvature_of(objective: Callable[..., Any], history: History, evaluation: int, scale: Floats) -> Curvature:
    """Return the curvature of `objective` at the point of an evaluation, with each parameter measured by its `scale`.

    Raises `XinvError` where the objective does not take these parameters or does not return one number.
    """
    x = _point(history, evaluation)
    with unrecorded(), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        flat = _flat(objective, history, x)
        value = _value(flat, x)
        gradient, product, method = _second_derivatives(flat, x, scale)
        if len(x) <= FULL:
            matrix = np.array([product(direction) for direction in np.eye(len(x))])
            _check(matrix)
            values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
        else:
            values, vectors = _lanczos(product, len(x))
    return Curvature(evaluation, value, scale, gradient * scale, values, vectors, method)


def _point(history: History, evaluation: int) -> Floats:
    sampled = [leaf.name for leaf in history.leaves if leaf.kept is not None]
    if sampled:
        raise XinvError(
            f"Of {sampled[0]} only a sample of its entries was kept, so the end point is not known; "
            "identify a model with fewer parameters."
        )
    if history.dtype.kind == "c":
        raise XinvError("The parameters are complex; pass the real and imaginary parts as parameters of their own.")
    return np.array(history.values.array[history.row_of(evaluation)])


def _flat(objective: Callable[..., Any], history: History, x: Floats) -> Callable[[Any], Any]:
    """Return the objective as a function of all parameters in one row."""

    def rebuilt(x: Any) -> Any:
        leaves = history.leaves
        return history.rebuild([x[a.start : a.stop].reshape(a.shape) if a.shape else x[a.start] for a in leaves])

    several = isinstance(history.outline, tuple) and _required(objective) == len(rebuilt(x)) > 1
    return (lambda x: objective(*rebuilt(x))) if several else (lambda x: objective(rebuilt(x)))


def _required(function: Callable[..., Any]) -> int:
    """Return how many arguments a function must be given."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 1
    places = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in places and p.default is p.empty for p in parameters)


def _value(flat: Callable[[Any], Any], x: Floats) -> float:
    try:
        value = flat(x)
    except Exception as error:
        raise XinvError(
            f"The objective could not be evaluated at the end of the run ({type(error).__name__}: {error}). Pass a "
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


def _second_derivatives(flat: Callable[[Any], Any], x: Floats, scale: Floats) -> tuple[Floats, Product, str]:
    """Return the gradient, the product of the scaled Hessian with a vector, and by which method."""
    backend = differentiating()
    derivatives = backend.derivatives(flat)
    try:
        gradient = np.asarray(derivatives.gradient(x), dtype=float)
    except Exception as error:
        raise XinvError(
            f"{backend.library} cannot differentiate the objective ({type(error).__name__}: {error}). Pass the "
            "function whose gradient was recorded."
        ) from error
    slope = derivatives.gradient

    def difference(direction: Floats) -> Floats:
        step = _STEP * scale * direction
        return np.asarray(scale * (slope(x + step) - slope(x - step)) / (2 * _STEP), dtype=float)

    with suppress(Exception):  # whatever a part of the objective without second derivatives raises
        exact = derivatives.second_at(x)

        def product(direction: Floats) -> Floats:
            return np.asarray(scale * exact(scale * direction), dtype=float)

        if _agree(product, difference, len(x)):
            return gradient, product, "second derivatives"
    return gradient, difference, "differences of gradients"


def _agree(exact: Product, difference: Product, count: int) -> bool:
    """Whether second derivatives fit the gradient: those of a part that the backend cannot see into are lost unsaid."""
    direction = np.cos(np.arange(count))
    one, two = exact(direction), difference(direction)
    off = float(np.linalg.norm(one - two))
    return not np.isfinite(two).all() or off <= _AGREE * float(np.linalg.norm(one) + np.linalg.norm(two)) + 1e-300


def _lanczos(product: Product, count: int) -> tuple[Floats, Floats]:
    """Return the largest and smallest eigenvalues, in ascending order, with their vectors."""
    try:
        from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh
    except ImportError as error:
        raise XinvError(f"For more than {FULL} parameters this needs SciPy: pip install scipy.") from error

    def checked(direction: Floats) -> Floats:
        found = product(direction.reshape(-1))
        _check(found)
        return found

    operator = LinearOperator((count, count), matvec=checked, dtype=float)
    start = np.ones(count)  # not by chance: the same answer each time
    parts = []
    for which, number in (("SA", _SMALLEST), ("LA", _LARGEST)):
        try:
            parts.append(eigsh(operator, k=number, which=which, v0=start, maxiter=20 * count, tol=1e-6))
        except ArpackNoConvergence as error:  # those at this end that were found
            parts.append((error.eigenvalues, error.eigenvectors))
    values, vectors = (np.concatenate([part[k] for part in parts], axis=k) for k in (0, 1))
    order = np.argsort(values)
    return values[order], vectors[:, order]


def _check(numbers: Floats) -> None:
    if not np.isfinite(numbers).all():
        raise XinvError("At the end of the run the second derivatives of the objective are not finite numbers.")
