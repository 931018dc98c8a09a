"""How the run ended: what stopped it, how far the gradient had fallen, and how near it came to a known truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xinv_nb.quantities import number, pair, quantity, share
from xinv_nb.run import Fact, Phase, Run


def ending(run: Run, phases: Sequence[Phase]) -> Iterator[Fact]:
    """Yield why the run ended, what its last gradient says, and parameters against their known true values."""
    if run.evaluations == 0:
        return
    last = run.evaluations - 1
    if run.status == "interrupted":
        text = f"The run was stopped by hand after {_iterations(run.evaluations)}."
        yield Fact("", "ending", text, {"iterations": run.evaluations}, (last, last))
    elif run.status == "failed":
        text = f"The run broke off after {_iterations(run.evaluations)}: {run.ending}."
        yield Fact("", "ending", text, {"iterations": run.evaluations}, (last, last))
    yield from _last_gradient(run, phases)
    yield from _against_truth(run)


def _iterations(count: int) -> str:
    return f"{count} iteration{'' if count == 1 else 's'}"


def _last_gradient(run: Run, phases: Sequence[Phase]) -> Iterator[Fact]:
    norms = np.linalg.norm(run.history.gradients.array, axis=1)
    if len(norms) < 2 or not np.isfinite(norms[[0, -1]]).all() or norms[0] == 0 or run.status == "running":
        return
    ratio = float(norms[-1] / norms[0])
    first, second = pair(float(norms[0]), float(norms[-1]))
    text = f"The size of the gradient went from {first} to {second}"
    if ratio < 0.01:
        text += f", {share(ratio)} of what it was: the slope is almost level where the run ended."
    elif ratio < 1:
        text += f", {share(ratio)} of what it was: the loss could still fall from where the run ended."
    else:
        text += ": the slope is no flatter where the run ended than where it began."
    values = {"first": float(norms[0]), "last": float(norms[-1]), "ratio": ratio}
    settled = bool(phases) and phases[-1].kind == "converged"
    yield Fact("", "gradient", text, values | {"settled": settled}, (0, run.evaluations - 1))


def _against_truth(run: Run) -> Iterator[Fact]:
    last = run.evaluations - 1
    for entry in run.entries():
        truth = entry.parameter.truth
        if truth is None or entry.statistic:
            continue
        end = float(run.column(entry)[-1])
        text = f"{entry.label} ended at {quantity(end, entry.parameter.unit)}; the true value is {number(truth)}."
        yield Fact("", "truth", text, {"parameter": entry.name, "end": end, "truth": truth}, (last, last))
