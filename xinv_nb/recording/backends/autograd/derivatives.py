"""Derivatives of a function on request, by reverse mode, and by reverse mode over reverse mode (Pearlmutter 1994)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd
import numpy as np
from numpy.typing import NDArray

from xinv_nb.recording.backends.autograd.boxes import plain_value

Floats = NDArray[np.float64]


def optimizers() -> dict[str, Callable[..., Any]]:
    """Return the optimizers that come with autograd, by the names that a recording has for them.

    >>> sorted(optimizers())
    ['Adam', 'Gradient descent with momentum', 'RMSProp']
    """
    from autograd.misc.optimizers import adam, rmsprop, sgd

    return {"Adam": adam, "Gradient descent with momentum": sgd, "RMSProp": rmsprop}


class AutogradDerivatives:
    """The derivatives of one function from a row of numbers to a number, or to an array of one."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        def only(x: Any) -> Any:
            value = function(x)  # a number stays the end of its tape, where its terms are looked for
            return autograd.numpy.reshape(value, ()) if np.ndim(plain_value(value)) else value

        self._only = only
        self._gradient = autograd.grad(self._only)

    def gradient(self, x: Floats) -> Any:
        """Return the gradient at `x`."""
        return self._gradient(x)

    def second_at(self, x: Floats) -> Callable[[Floats], Any]:
        """Return what multiplies a vector by the Hessian at `x`."""
        product, _ = autograd.differential_operators.make_hvp(self._only)(x)
        return product  # type: ignore[no-any-return]
