"""Whether a value goes to and fro from one step to the next."""

from __future__ import annotations

import numpy as np

from xinv_nb.facts.measures.iterates import Floats

_FEWEST = 5
_NEARLY_EVERY = 0.8


def goes_back(part: Floats) -> bool:
    """Whether nearly every step goes back on the one before.

    >>> goes_back(np.array([0.0, 1.0, 0.1, 0.9, 0.2, 0.8])), goes_back(np.arange(6.0))
    (True, False)
    """
    steps = np.diff(part)
    return len(steps) >= _FEWEST and float(np.mean(steps[1:] * steps[:-1] < 0)) > _NEARLY_EVERY
