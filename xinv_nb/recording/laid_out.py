"""Points and gradients laid out in the columns of a history, and which columns a look at a tape leads to."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recorded.history import History
from xinv_nb.recording.evaluation import Evaluation
from xinv_nb.recording.structure import flatten

_RESTED = 3
"""Evaluations in a row with a derivative of 0 after which it is worth to look where the gradient ends."""


def has_rested(history: History) -> bool:
    """Whether a derivative was 0 in each of the latest evaluations."""
    rows = history.gradients.array[-_RESTED:]
    return len(rows) == _RESTED and bool((rows == 0).all(axis=0).any())


def reached(
    history: History, reach: Any, evaluation: Evaluation, slope: NDArray[Any] | None
) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Return the columns of the parameters that a remark is about, and how strongly each was led there."""
    if reach is None or slope is None:
        return (), ()
    if evaluation.others is not None:  # the reach of one argument among several
        columns = np.flatnonzero(slope == 0) if np.all(np.asarray(reach) != 0) else np.zeros(0, int)
        return tuple(columns.tolist()), (0.0,) * len(columns)
    strengths = np.abs(laid_out(history, reach))
    columns = np.flatnonzero(strengths != 0)
    return tuple(columns.tolist()), tuple(strengths[columns].tolist())


def laid_out(history: History, value: Any) -> NDArray[Any]:
    """Lay a point or a gradient out in the columns of `history`; `flatten_func` passes one flat array."""
    if isinstance(value, np.ndarray) and value.size == history.width and value.dtype == history.dtype:
        return value.reshape(-1)  # one array, or what `flatten_func` passes, kept whole: laid out already
    flat = isinstance(value, np.ndarray) and history.outline is not None
    return history.flat(flatten(value, None if flat else history.outline))
