"""How long the steps were, and how steep the objective, over the run.

Method: Euclidean norms of the steps between accepted iterates and of the gradients (Dennis & Schnabel 1983, section
7.2); medians of the first and the last quarter, as single steps vary a lot.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.fact import Fact
from xinv_nb.facts.measures.optimizers import optimizer_starts
from xinv_nb.facts.measures.scale import quarters
from xinv_nb.language.quantities import number, pair
from xinv_nb.recorded.run import RecordedRun

_FEWEST = 8
_MUCH = 10.0
"""Factor from which on steps are much longer or shorter."""
_STEEPER = 3.0
"""Factor by which the gradient has to exceed the first one for its peak to be told."""


def steps(run: RecordedRun) -> Iterator[Fact]:
    """Yield how the length of the steps changed, and where the gradient was largest if that was not at the start.

    Examples
    --------
    >>> list(steps(RecordedRun()))
    []
    """
    rows = run.iterates[np.isfinite(run.loss[run.iterates])]
    if len(rows) < _FEWEST or optimizer_starts(run):
        return
    span = (int(rows[0]), int(rows[-1]))
    early = late = 0.0
    if all(leaf.rms_column is None for leaf in run.history.leaves):  # else the steps were not kept
        early, late = quarters(norms(run, np.diff(run.history.rows(rows), axis=0)))
    if early > 0 and late > 0 and np.isfinite(early + late) and not 1 / _MUCH < late / early < _MUCH:
        one, two = pair(early, late)
        text = f"The steps became much {'longer' if late > early else 'shorter'}: the median length was {one} in the "
        text += f"first quarter of the run and {two} in the last."
        yield Fact("", "steps", text, {"early": early, "late": late}, span, salience=0.3)
    if not run.has_gradients:
        return
    sizes = norms(run, run.history.rows(rows, "gradients"))
    usable = np.where(np.isfinite(sizes), sizes, -np.inf)
    k = int(np.argmax(usable))
    if usable[k] > _STEEPER * sizes[0] > 0:
        text = f"The slope was steepest at iteration {int(rows[k])}: the size of the gradient was {number(sizes[k])} "
        text += f"there, {number(sizes[0])} at the start."
        values = {"at": int(rows[k]), "largest": float(sizes[k]), "first": float(sizes[0])}
        yield Fact("", "steepest", text, values, span, salience=0.3)


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
