"""The recording of one watched quantity, as it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Watch:
    """The recording of one watched quantity: one row for each time the simulator came by.

    `evaluation` says in which evaluation each row was recorded; `values` and `cotangents` (the derivative of the loss
    with respect to the quantity) have one entry a row, `at` is where in the simulation.
    """

    name: str
    unit: str
    evaluation: NDArray[np.intp]
    values: NDArray[Any]
    cotangents: NDArray[Any]
    at: tuple[Any, ...]
