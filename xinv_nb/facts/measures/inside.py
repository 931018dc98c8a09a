"""What is computed inside of the function that a solver minimizes, and how the two go together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recorded.history import History
from xinv_nb.recorded.run import RecordedRun

_FEWEST = 3
_SAMPLE = 64
"""Points at which the two are compared."""
_MATCHED = 0.8
"""Share of these that the solver has to have visited."""
_SAME = 1e-9
"""Share of its range by which the one may miss a multiple of the other."""


Relation = Literal["negative", "part", "slope"]
"""What a part is to the whole: its negative; what its slopes are taken of, though its values are others'; else a
part of it."""


@dataclass(frozen=True)
class Inside:
    """Two objectives at the same points, of which one is computed inside of the other."""

    whole: History
    part: History
    relation: Relation
    evaluations: NDArray[np.intp]
    """Those of the whole at which both are known."""
    losses: NDArray[np.float64]
    """A row for each of these: the value of the whole and of the part."""


def inside(run: RecordedRun) -> Iterator[Inside]:
    """Yield what is computed inside of an objective that a solver minimizes, but for multiples of it."""
    for part in run.histories:
        for whole in run.histories if part.is_within else ():
            if whole is not part and whole.calls and whole.kept is None and part.kept is None:
                found = _compared(whole, part)
                if found is not None:
                    yield found


def _compared(whole: History, part: History) -> Inside | None:
    if whole.width != part.width or whole.dtype != part.dtype:
        return None
    chosen = np.unique(np.linspace(0, len(part) - 1, _SAMPLE).astype(int))
    known = {point.tobytes(): row for row, point in enumerate(whole.values.array)}
    rows = np.array([known.get(point.tobytes(), -1) for point in part.values.array[chosen]])
    both = rows >= 0
    if both.mean() < _MATCHED:
        return None
    pairs = np.column_stack([whole.loss.array[rows], part.loss.array[chosen]])[both]
    relation = _relation(pairs) if np.isfinite(pairs).all() else None
    if relation == "part" and _is_followed(whole, part, rows[both], chosen[both]):
        relation = "slope"
    return None if relation is None else Inside(whole, part, relation, rows[both], pairs)


def _is_followed(whole: History, part: History, rows: NDArray[np.intp], others: NDArray[np.intp]) -> bool:
    """Whether the gradient that the solver got is that of the part, or a multiple of it."""
    got, own = whole.gradients.array[rows], part.gradients.array[others]
    known = np.isfinite(got).all(axis=1) & np.isfinite(own).all(axis=1)
    got, own = got[known].ravel(), own[known].ravel()
    if not np.any(own):
        return False
    largest = int(np.argmax(np.abs(own)))
    return bool(np.abs(got - got[largest] / own[largest] * own).max() <= _SAME * np.abs(got).max())


def _relation(pairs: NDArray[np.float64]) -> Relation | None:
    """Return what the second is to the first; None where it is a multiple of it, where it stays, or of few points."""
    (one, other), scale = (pairs - pairs[0]).T, np.abs(pairs).max()
    if not np.any(other):
        return None
    if np.abs(pairs.sum(axis=1)).max() <= _SAME * scale:
        return "negative"
    if len(pairs) < _FEWEST:
        return None
    largest = int(np.argmax(np.abs(other)))
    factor = one[largest] / other[largest]
    if np.abs(one - factor * other).max() <= _SAME * max(scale, np.ptp(one)):
        return "negative" if factor < 0 else None
    return "part"
