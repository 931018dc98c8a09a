"""Points with a lower loss that the last line search of a run tried and did not accept.

Method: a search for a step that fulfils the strong Wolfe conditions (Nocedal & Wright 2006, section 3.1) may give up
on points that are lower by far.
"""

from __future__ import annotations

import numpy as np

from xinv_nb.facts.measures.ends import last_call
from xinv_nb.facts.measures.losses import finite_iterates
from xinv_nb.recorded.run import RecordedRun

_FEWEST = 3
"""Trials that have to be lower by half as much as the lowest: a single one may be noise."""


def lowest_turned_down(run: RecordedRun) -> int | None:
    """Return the evaluation with the lowest loss of such trials; None where no row of them is lower.

    >>> lowest_turned_down(RecordedRun()) is None
    True
    """
    call, rows = last_call(run), finite_iterates(run)
    if call is None or "tried_lower" not in call.ending or not len(rows):
        return None
    end, loss = int(rows[-1]), run.loss
    is_difference = np.zeros(run.evaluations, dtype=bool)
    for first, after in call.differences:
        is_difference[first:after] = True
    tried = np.arange(end + 1, run.evaluations)
    tried = tried[np.isfinite(loss[tried]) & ~is_difference[tried]]
    if not len(tried):
        return None
    lowest = int(tried[np.argmin(loss[tried])])
    half = (loss[end] + loss[lowest]) / 2
    return lowest if np.count_nonzero(loss[tried] < half) >= _FEWEST else None
