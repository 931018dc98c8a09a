"""Reads what further evaluations of an objective showed out of a file."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recorded.checks import Checks
from xinv_nb.recorded.file.layout import CHECKS
from xinv_nb.recorded.file.values import decoded, of_kind, position
from xinv_nb.recorded.history import History

_NUMBERS = ("loss", "again", "promised", "measured", "level")


def read_checks(saved: Any, columns: dict[str, NDArray[Any]], history: History) -> Checks | None:
    """Return the checks in a file, if there are any.

    >>> read_checks(None, {}, History("", []))
    """
    if saved is None:
        return None
    told = of_kind(dict, decoded(saved))
    starts, points, losses, ridges = (columns[f"checks_{name}"] for name in CHECKS)
    if {column.dtype for column in (starts, points, losses, ridges)} != {np.dtype(np.float64)}:
        raise TypeError("checks of other than numbers")
    if not -1 <= of_kind(int, told["column"]) < history.width:
        raise ValueError("a parameter that there is not")
    if not (starts.shape == points.shape == (len(losses), history.width) and losses.shape == ridges.shape):
        raise ValueError("checks of another shape")
    evaluation, checked = (position(told[name], len(history)) for name in ("evaluation", "checked_at"))
    loss, again, promised, measured, level = (of_kind(float, told[name]) for name in _NUMBERS)
    return Checks(
        evaluation,
        position(told["evaluations"]),
        loss,
        again,
        of_kind(str, told["gradient"]),
        checked,
        of_kind(int, told["column"]),
        promised,
        measured,
        level,
        starts,
        points,
        losses,
        ridges,
    )
