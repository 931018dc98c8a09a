"""How the run ended: what stopped it, how far the gradient had fallen, and how near it came to a known truth."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from xinv_nb.analysis.movement import subject
from xinv_nb.quantities import number, pair, quantity, share, with_unit
from xinv_nb.run import Fact, Run

_LEVEL = 0.01


def ending(run: Run) -> Iterator[Fact]:
    """Yield why the run ended, what its last gradient says, and parameters against their known true values."""
    if run.evaluations == 0:
        return
    last = run.evaluations - 1
    count = f"{run.evaluations} iteration{'' if run.evaluations == 1 else 's'}"
    if run.status == "interrupted":
        yield Fact("", "ending", f"The run was stopped by hand after {count}.", {"iterations": last + 1}, (last, last))
    elif run.status == "failed":
        text = f"The run broke off after {count}" + (f": {run.ending.rstrip('.')}." if run.ending else ".")
        yield Fact("", "ending", text, {"iterations": last + 1}, (last, last))
    if run.status != "running":
        yield from _last_gradient(run)
        yield from _against_truth(run)


def gradient_sizes(run: Run) -> NDArray[np.float64]:
    """Return the Euclidean norm of the whole gradient at each evaluation, also of arrays of which a sample is kept."""
    gradients = run.history.gradients.array
    squares = np.zeros(len(gradients))
    for leaf in run.history.leaves:
        if leaf.rms_column is not None:
            squares += leaf.size * np.abs(gradients[:, leaf.rms_column]) ** 2
        else:
            squares += np.sum(np.abs(gradients[:, leaf.start : leaf.stop]) ** 2, axis=1)
    return np.sqrt(squares)


def _last_gradient(run: Run) -> Iterator[Fact]:
    sizes, last = gradient_sizes(run), run.evaluations - 1
    if last == 0 or not np.isfinite(run.loss[[0, -1]]).all() or not np.isfinite(sizes[0]):
        return
    start, end = float(sizes[0]), float(sizes[-1])
    values = {"first": start, "last": end, "ratio": end / start if start else np.nan}
    subject = "At the end the slope (the size of the gradient)"
    first, second = pair(start, end)
    if not np.isfinite(end):
        text = f"{subject} was not a finite number."
    elif end == 0:
        text = f"{subject} was 0: level."
    elif start == 0:
        text = f"{subject} was {second}; at the start it was 0."
    elif first == second:
        text = f"{subject} was {second}, as steep as at the start."
    elif end > start:
        text = f"{subject} was {second}, steeper than the {first} at the start."
    else:
        text = f"{subject} was {second}, or {share(end / start)} of the {first} at the start"
        text += ": almost level in comparison." if end < _LEVEL * start else "."
    yield Fact("", "gradient", text, values, (0, last))


def _against_truth(run: Run) -> Iterator[Fact]:
    last = run.evaluations - 1
    for entry in run.entries():
        truth = entry.parameter.truth
        if truth is None or entry.statistic:
            continue
        end = float(run.column(entry)[-1])
        if not np.isfinite(end):
            continue
        unit, name = entry.parameter.unit, subject(entry)
        first, second = pair(end, float(truth))
        if end == truth:
            text = f"{name} ended at {quantity(end, unit)}, its true value."
        elif first == second:
            text = f"{name} ended at {with_unit(number(end, 6), unit)}, its true value to six digits."
        else:
            text = f"{name} ended at {with_unit(first, unit)}; the true value is {with_unit(second, unit)}."
        yield Fact("", "truth", text, {"parameter": entry.name, "end": end, "truth": truth}, (last, last))
