"""Which parameter earned the fall of the loss.

Method: loss change allocation (Lan et al., NeurIPS 2019): the change of the loss along the recorded path is the path
integral of the gradient, split by parameter; the trapezoidal rule on the recorded points, with its remainder checked.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from xinv_nb.quantities import number, share
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
    earned = [_along_path(run.column(e), run.column(e, "gradients")) for e in entries]
    remainder = abs(sum(earned) - total) / abs(total)
    if not remainder < _LARGEST_REMAINDER:
        return
    order = sorted(range(len(entries)), key=lambda i: earned[i])
    first, second = (entries[i].label for i in order[:2])
    one, two = (earned[i] for i in order[:2])
    if one / total > 1:
        text = (
            f"Along the path, moving {first} alone lowered the loss by {number(-one)}, more than it fell in all "
            f"({number(-total)}): other moves raised it"
        )
    else:
        text = f"Along the path, moving {first} accounts for {share(one / total)} of the fall of the loss"
        if two < 0:
            text += f" and moving {second} for {share(two / total)}"
    parts = {entry.name: part for entry, part in zip(entries, earned, strict=True)}
    values = {"total": total, "parts": parts, "remainder": remainder}
    yield Fact("", "credit", text + ".", values, (0, run.evaluations - 1))


def _along_path(values: NDArray[np.float64], slopes: NDArray[np.float64]) -> float:
    """Return the change of the loss that the moves of one parameter account for, to first order."""
    return float(np.sum(np.diff(values) * (slopes[1:] + slopes[:-1]) / 2))
