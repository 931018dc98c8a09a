"""The size of each parameter, in which directions of several are measured."""

from __future__ import annotations

import numpy as np

from xinv_nb.facts.measures.iterates import Floats, Iterates
from xinv_nb.recorded.run import RecordedRun


def sizes(run: RecordedRun, iterates: Iterates) -> Floats:
    """Return the size of each parameter: its value at the end or the range it moved through, whichever is larger."""
    values = np.abs(run.history.rows(iterates.rows[-1:])[0])
    found = np.maximum(values, np.ptp(np.real(run.history.rows(iterates.rows)), axis=0))
    return np.asarray(np.where((found > 0) & np.isfinite(found), found, 1.0), dtype=np.float64)
