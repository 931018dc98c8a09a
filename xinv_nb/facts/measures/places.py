"""A quantity that is watched at several places of one simulation: the size of its cotangent from place to place."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.language.slots import Said, Slot, Value
from xinv_nb.recorded.watch import Watch

_FEWEST_PLACES = 3
_LOOKED_AT = 50
"""Evaluations looked at."""


def place(at: Any) -> Slot:
    """Return a place of the simulation as a slot: a number, or the user's own words."""
    return Value(float(at)) if isinstance(at, (int, float, np.number)) else Said(str(at))


def places_of(watch: Watch) -> NDArray[np.intp] | None:
    """Return the rows of a watch, one line for each evaluation looked at; None where their number varies."""
    if len(watch.evaluation) < _FEWEST_PLACES:
        return None
    starts = np.flatnonzero(np.diff(watch.evaluation, prepend=-1))
    counts = np.diff(starts, append=len(watch.evaluation))
    if counts[0] < _FEWEST_PLACES or (counts != counts[0]).any():
        return None
    chosen = starts[np.unique(np.linspace(0, len(starts) - 1, _LOOKED_AT).astype(int))]
    return np.asarray(chosen[:, None] + np.arange(counts[0]))


def sizes_at(watch: Watch, places: NDArray[np.intp]) -> Floats | None:
    """Return the size of the cotangent at each place, a line for each evaluation; None where there is none."""
    cotangents = watch.cotangents[places]
    if cotangents.dtype == object:
        return np.array([[float(np.linalg.norm(np.ravel(c))) for c in line] for line in cotangents])
    if cotangents.dtype.kind not in "fc":
        return None
    squares = np.abs(cotangents.reshape(*places.shape, -1)) ** 2
    return np.asarray(np.sqrt(np.sum(squares, axis=2)), dtype=np.float64)
