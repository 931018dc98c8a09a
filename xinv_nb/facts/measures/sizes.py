"""The sizes of steps and gradients, and the evaluation at which the optimizer ended."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.measures.optimizers import optimizer_starts
from xinv_nb.recorded.run import RecordedRun

_FEWEST = 8
"""Iterates that it takes to compare early and late ones."""


def norms(run: RecordedRun, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Euclidean norm of each row of the history's columns, also of arrays of which a sample is kept."""
    squares = np.zeros(len(rows))
    for leaf in run.history.leaves:
        if leaf.rms_column is not None:
            squares += leaf.size * np.abs(rows[:, leaf.rms_column]) ** 2
        else:
            block = rows[:, leaf.start : leaf.stop]
            squares += np.einsum("ij,ij->i", block, block.conj()).real
    return np.sqrt(squares)


def steady_iterates(run: RecordedRun) -> NDArray[np.intp]:
    """Return the iterates of one optimizer whose steps can be compared; none where they are few or of several."""
    rows = run.iterates[np.isfinite(run.loss[run.iterates])]
    return rows if len(rows) >= _FEWEST and not optimizer_starts(run) else rows[:0]


def gradient_sizes(run: RecordedRun) -> NDArray[np.float64]:
    """Return the Euclidean norm of the whole gradient at each evaluation, also of arrays of which a sample is kept."""
    sizes = norms(run, run.history.gradients.array)
    return sizes if len(run.kept) == run.evaluations else np.repeat(sizes, np.diff(run.kept, append=run.evaluations))


def end_of(run: RecordedRun) -> int:
    """Return the last evaluation that the optimizer accepted: what it tried after that, it left again."""
    return int(np.flatnonzero(run.accepted)[-1]) if run.accepted.any() else run.evaluations - 1
