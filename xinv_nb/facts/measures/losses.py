"""What kinds of facts about the loss share: its finite values, its height, its peaks, medians at its ends."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.fact import Phase
from xinv_nb.facts.measures.ringing import peaks
from xinv_nb.facts.measures.scale import visible_swing
from xinv_nb.recorded.run import RecordedRun

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


def finite_iterates(run: RecordedRun) -> Rows:
    """Return the accepted evaluations at which the loss is a finite number."""
    return np.flatnonzero(np.isfinite(run.loss) & run.accepted)


def height(loss: Floats) -> float:
    """Return highest less lowest loss, also where the difference overflows."""
    return float(np.ptp(loss / 2)) * 2 if len(loss) else 0.0


def peaks_of(loss: Floats, finite: Rows) -> Rows:
    """Return where the loss had peaks that a reader sees."""
    if not len(finite):
        return finite
    logarithmic, threshold = visible_swing(loss[finite])
    return finite[peaks(np.log10(loss[finite]) if logarithmic else loss[finite], threshold)]


def smoothing(phase: Phase, count: int) -> int:
    """Return how many losses at an end of the run are told by their median: one, unless they are noisy."""
    return max(min(count // 20, (phase.stop - phase.start) // 4), 1) if phase.noisy else 1
