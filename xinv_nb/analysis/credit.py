"""Which parameter earned the fall of the loss.

Method: loss change allocation (Lan et al., NeurIPS 2019): the change of the loss along the recorded path is the path
integral of the gradient, split by parameter; the trapezoidal rule on the recorded points, with its remainder checked.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.quantities import share
from xinv_nb.run import Fact, Run

_LARGEST_REMAINDER = 0.1


def credit(run: Run) -> Iterator[Fact]:
    """Yield how the fall of the loss splits between parameters, if the recorded path accounts for most of it."""
    entries = [entry for entry in run.entries() if not entry.statistic]
    if run.evaluations < 3 or len(entries) < 2 or len(entries) != run.history.width:
        return
    total = float(run.loss[-1] - run.loss[0])
    if not np.isfinite(total) or total >= 0:
        return
    parts = {}
    for entry in entries:
        values, slopes = run.column(entry), run.column(entry, "gradients")
        parts[entry.label] = float(np.sum(np.diff(values) * (slopes[1:] + slopes[:-1]) / 2))
    remainder = abs(sum(parts.values()) - total) / abs(total)
    if not remainder < _LARGEST_REMAINDER:
        return
    first, second = sorted(parts, key=lambda label: parts[label])[:2]
    if parts[first] >= 0:
        return
    text = (
        f"Along the path, moving {first} accounts for {share(min(parts[first] / total, 1.0))} of the fall of the loss"
    )
    if parts[second] < 0:
        text += f" and moving {second} for {share(parts[second] / total)}"
    values_of = {"total": total, "parts": parts, "remainder": remainder}
    yield Fact("", "credit", text + ".", values_of, (0, run.evaluations - 1))
