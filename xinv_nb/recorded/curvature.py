"""Second derivatives that were taken on request, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Curvature:
    """Second derivatives of the loss at one evaluation, with each parameter measured by a size of its own.

    `scale` holds these sizes, in the columns of the history; `slope` is the gradient, `values` are eigenvalues of the
    Hessian in ascending order and `vectors` the directions (one a column), all in these sizes: a step of 1 is as long
    as a parameter is large. `loss` is the value of the objective that was differentiated.
    """

    evaluation: int
    loss: float
    scale: NDArray[np.float64]
    slope: NDArray[np.float64]
    values: NDArray[np.float64]
    vectors: NDArray[np.float64]
    method: str

    @property
    def is_complete(self) -> bool:
        """Whether it covers all directions."""
        return len(self.values) == len(self.scale)
