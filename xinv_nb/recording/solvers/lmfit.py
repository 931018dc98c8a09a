"""lmfit hands its parameters to scipy as a row of numbers, bounded ones in a scale of its own: what it calls them.

After each call of its function the parameters hold what the user's model was computed with.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def parameters_of(function: Any) -> LmfitParameters | None:
    """Return the parameters of a fit by lmfit whose function is `function`; None where it is another's."""
    fit = getattr(function, "__self__", None)
    if not type(fit).__module__.startswith("lmfit."):
        return None
    result = getattr(fit, "result", None)
    names = tuple(map(str, getattr(result, "var_names", ())))
    return LmfitParameters(fit, names) if names and callable(getattr(fit, "userfcn", None)) else None


class LmfitParameters:
    """The parameters of one fit by lmfit."""

    def __init__(self, fit: Any, names: tuple[str, ...]) -> None:
        self.names = names
        self._fit = fit

    @property
    def function(self) -> Any:
        """The user's function: the model's, where it is a model that is fitted."""
        function = self._fit.userfcn
        model = getattr(function, "__self__", None)
        return getattr(model, "func", function) if type(model).__module__.startswith("lmfit.") else function

    def read(self, x: Floats) -> tuple[Floats, Floats | None]:
        """Return their values, and how much each moves with the number that scipy sees; None where they are these."""
        found = [self._fit.result.params[name] for name in self.names]
        point = np.array([float(each.value) for each in found])
        if point.shape != x.shape or np.array_equal(point, x):
            return (point if point.shape == x.shape else x), None
        moves = [
            1.0 if value == number else each.scale_gradient(number)
            for each, value, number in zip(found, point.tolist(), x.tolist(), strict=True)
        ]
        return point, np.array(moves)
