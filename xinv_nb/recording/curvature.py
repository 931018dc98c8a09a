"""Takes second derivatives of the user's own objective at one point; nothing of these evaluations is recorded.

Method: products of the Hessian with vectors, which a backend takes, one for each parameter where they are few, else as
many as Lanczos' method asks for. Where a part of the objective has no second derivative, differences
of its gradient stand in.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.errors import XinvError, told
from xinv_nb.recorded.curvature import Curvature
from xinv_nb.recorded.history import History
from xinv_nb.recording.backends.registry import differentiating
from xinv_nb.recording.context import unrecorded
from xinv_nb.recording.reevaluating import check_value, first_value, flat, point_of

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
_LONGER = 30.0
"""A step of the differences that is so much longer has to give about the same."""
_NOISE = 0.1
"""Share by which it may differ."""
_ASYMMETRIC = 0.01
"""Share by which a matrix of second derivatives may differ from its transpose."""
_ROUNDING = 8 * float(np.finfo(np.float64).eps)
_LENGTHS = (0.1, 0.03, 0.01, 3e-3, 1e-3, 3e-4)
"""Steps over which second differences of the loss are taken, in sizes of the parameters."""
_SETTLED, _WRONG = 0.02, 0.1
"""Shares by which second differences over two steps agree, and from which they do not agree with the derivatives."""


def curvature_of(objective: Callable[..., Any], history: History, evaluation: int, scale: Floats) -> Curvature:
    """Return the curvature of `objective` at the point of an evaluation, with each parameter measured by its `scale`.

    Raises `XinvError` where the objective does not take these parameters, does not return one number or not the
    recorded one, and where its second derivatives are not to be trusted: asymmetric, noise, lost in rounding, or not
    those of its values.
    """
    x = point_of(history, evaluation)
    with unrecorded(), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        function = flat(objective, history)
        value = first_value(function, x)
        check_value(value, history, evaluation)
        gradient, product, method = _second_derivatives(function, x, scale)
        _check_products(product, len(x))
        if len(x) <= FULL:
            matrix = np.array([product(direction) for direction in np.eye(len(x))])
            _check(matrix)
            values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
        else:
            values, vectors = _lanczos(product, len(x))
        _check_size(values, gradient * scale, value)
        _check_against_values(function, product, x, scale)
    return Curvature(evaluation, value, scale, gradient * scale, values, vectors, method)


def _second_derivatives(flat: Callable[[Any], Any], x: Floats, scale: Floats) -> tuple[Floats, Product, str]:
    """Return the gradient, the product of the scaled Hessian with a vector, and by which method."""
    backend = differentiating()
    derivatives = backend.derivatives(flat)
    try:
        gradient = np.asarray(derivatives.gradient(x), dtype=float)
    except Exception as error:
        raise XinvError(
            f"{backend.library} cannot differentiate the objective ({told(error)}). Pass the "
            "function whose gradient was recorded."
        ) from error
    slope = derivatives.gradient

    def difference(direction: Floats, length: float = _STEP) -> Floats:
        step = length * scale * direction
        return np.asarray(scale * (slope(x + step) - slope(x - step)) / (2 * length), dtype=float)

    with suppress(Exception):  # whatever a part of the objective without second derivatives raises
        exact = derivatives.second_at(x)

        def product(direction: Floats) -> Floats:
            return np.asarray(scale * exact(scale * direction), dtype=float)

        if _agree(product, difference, len(x)):
            return gradient, product, "second derivatives"
    if not _agree(lambda direction: difference(direction, _LONGER * _STEP), difference, len(x), _NOISE):
        raise _not_trusted("over longer and over shorter steps its gradient changes at different rates")
    return gradient, difference, "differences of gradients"


def _agree(exact: Product, difference: Product, count: int, share: float = _AGREE) -> bool:
    """Whether second derivatives fit the gradient: those of a part that the backend cannot see into are lost unsaid."""
    direction = np.cos(np.arange(count))
    one, two = exact(direction), difference(direction)
    off = float(np.linalg.norm(one - two))
    return not np.isfinite(two).all() or off <= share * float(np.linalg.norm(one) + np.linalg.norm(two)) + 1e-300


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


def _not_trusted(why: str) -> XinvError:
    return XinvError(
        f"The second derivatives of the objective are not to be trusted: {why}. run.diagnose(objective) checks its "
        "gradient; an objective that is noisy or has jumps has no second derivatives to look at."
    )


def _check_products(product: Product, count: int) -> None:
    """Refuse second derivatives that change from one time to the next, or that are not symmetric."""
    one, other = np.cos(np.arange(count)), np.sin(1.0 + 2.0 * np.arange(count))
    of_one, of_other, again = product(one), product(other), product(one)
    if not (np.isfinite(of_one).all() and np.isfinite(of_other).all()):
        return  # told as such later
    if np.abs(of_one - again).max() > _ASYMMETRIC * np.abs(of_one).max():
        raise _not_trusted("at one point they are different each time")
    off = abs(float(other @ of_one) - float(one @ of_other))
    size = np.linalg.norm(of_one) * np.linalg.norm(other) + np.linalg.norm(of_other) * np.linalg.norm(one)
    if off > _ASYMMETRIC * float(size):
        raise _not_trusted("their matrix is not symmetric, as that of a loss is")


def _check_size(values: Floats, slope: Floats, value: float) -> None:
    """Refuse second derivatives that are rounding: no parameter moves the loss by more."""
    size = float(np.abs(values).max() + np.abs(slope).max())
    if 0 < size <= max(_ROUNDING * abs(value), float(np.finfo(np.float64).tiny)):
        raise XinvError(
            f"At the end of the run the loss is {value:.6g}, and a move of any parameter by its own size changes it by "
            f"less than rounding does ({size:.3g}): its second derivatives say nothing. Start where the loss responds."
        )


def _check_against_values(function: Callable[[Any], Any], product: Product, x: Floats, scale: Floats) -> None:
    """Refuse second derivatives that are not those of the values of the objective, as with a wrong gradient."""
    direction = np.cos(np.arange(len(x))) / np.sqrt(len(x))
    bend = float(direction @ product(direction))

    def value(length: float) -> float:
        return float(np.asarray(function(x + length * scale * direction)).reshape(()))

    found: list[float] = []
    try:
        middle = value(0.0)
        for length in _LENGTHS:
            ahead, behind = value(length), value(-length)
            second = (ahead + behind - 2 * middle) / length**2
            rounding = _ROUNDING * (abs(ahead) + abs(behind) + 2 * abs(middle)) / length**2
            if not rounding <= _SETTLED * abs(second):
                break
            found.append(second)
    except Exception:  # noqa: BLE001 - beside the end the objective may not be defined
        return
    settled = [b for a, b in itertools.pairwise(found) if abs(a - b) <= _SETTLED * abs(b)]
    if settled and min(abs(each - bend) for each in settled) > _WRONG * max(abs(settled[-1]), abs(bend)):
        raise _not_trusted(
            f"along one direction they are {bend:.3g}, while the loss itself curves by {settled[-1]:.3g}; its gradient "
            "is wrong, or the loss has kinks"
        )
