"""Whether a noisy loss clearly goes somewhere: the means of the halves of a stretch beside their standard errors."""

from __future__ import annotations

import numpy as np

from xinv_nb.facts.measures.iterates import Floats

CLEAR = 2.0
"""Standard errors by which the halves differ of a loss that clearly goes somewhere."""
_FEWEST = 4
"""Losses of which a mean is taken."""


def drift(loss: Floats) -> float:
    """Return by how many standard errors the second half of a noisy loss lies above the first; 0 of a few losses.

    >>> drift(np.array([5.0, 7.0, 5.0, 7.0, 1.0, 3.0, 1.0, 3.0])) < -CLEAR
    True
    """
    halves = loss[: len(loss) // 2], loss[len(loss) // 2 :]
    if len(halves[0]) < _FEWEST:
        return 0.0
    error = float(np.sqrt(sum(half.var(ddof=1) / len(half) for half in halves)))
    change = float(halves[1].mean() - halves[0].mean())
    return change / error if error > 0 else 0.0
