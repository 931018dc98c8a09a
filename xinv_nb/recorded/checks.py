"""What further evaluations of an objective showed, asked for on request, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Checks:
    """What `run.diagnose` found when it evaluated the objective again.

    Points stand in rows, in the columns of the history.
    """

    evaluation: int
    """The evaluation from whose point it looked: the best that was accepted."""
    evaluations: int
    """How many further evaluations it made."""
    loss: float
    """The loss at that point, evaluated again."""
    again: float
    """The same once more."""
    gradient: str
    """What the gradient is beside the values: `right`, `wrong`, `kinked`, or `unknown`."""
    checked_at: int
    """The evaluation at whose point the gradient was compared that is told of."""
    column: int
    """The parameter along which it was compared; −1 where along several."""
    promised: float
    """The slope along a direction by the gradient there, of the steps in sizes of the parameters."""
    measured: float
    """The same by the values."""
    level: float
    """The lowest loss that a local search from the end comes to."""
    starts: Floats
    """Starts of other searches, and below where each came to."""
    points: Floats
    losses: Floats
    ridges: Floats
    """The highest loss on the straight way from the end to each of these points."""
