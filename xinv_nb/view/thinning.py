"""Which evaluations of a long run travel to the browser: the extremes of what is drawn, and as many others as fit.

A browser that draws the lowest and the highest row of each pixel column shows a curve as it is, as long as it has those
rows. So each curve is cut into stretches, and the lowest and the highest evaluation of each go; the room that is left
is filled evenly. The rows between, of a part that the reader zooms into, the browser asks for.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]
Curve = NDArray[np.floating]


def telling_rows(count: int, most: int, first: Curve, others: Sequence[Curve] = ()) -> Rows:
    """Return at most `most` of `count` rows, in order; all of them where they fit, the first and the last always.

    The curves have `count` values each. The `first` of them has a third of the room for its extremes, or half where it
    is the only one; the others share the rest.

    >>> telling_rows(1000, 6, np.eye(1, 1000, k=333)[0]).tolist()
    [0, 249, 333, 499, 749, 999]
    """
    if count <= most:
        return np.arange(count)
    chosen = np.zeros(count, dtype=np.bool_)
    chosen[[0, -1]] = True
    room = most - 2
    share = room // 3 if others else room // 2
    _choose_extremes(chosen, first, share // 2)
    for curve in others:
        _choose_extremes(chosen, curve, (room - share) // (2 * len(others)))
    left = most - np.count_nonzero(chosen)
    chosen[np.linspace(0, count - 1, left + 2).astype(np.intp)] = True
    return np.flatnonzero(chosen)


def _choose_extremes(chosen: NDArray[np.bool_], curve: Curve, stretches: int) -> None:
    """Choose the rows where each of so many stretches is lowest, and highest; NaN counts as the highest."""
    if stretches < 1:
        return
    length = -(-len(curve) // stretches)
    begins = np.arange(0, len(curve), length)
    padded = np.full(len(begins) * length, curve[-1])
    padded[: len(curve)] = curve
    padded[np.isnan(padded)] = np.inf
    cut = padded.reshape(len(begins), length)
    chosen[begins + cut.argmin(axis=1)] = chosen[begins + cut.argmax(axis=1)] = True
