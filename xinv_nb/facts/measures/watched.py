"""Which watched quantities can be followed as a curve, and how much of their range they go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.recorded.watch import Watch


class Curve(NamedTuple):
    """A quantity that is one real number at a time."""

    watch: Watch
    evaluations: NDArray[np.intp]
    """The evaluations that it was watched in, in order, each once."""
    values: Floats
    cotangents: Floats


def curves(watches: Mapping[str, Watch]) -> list[Curve]:
    """Return the quantities that are one real number each time: in every evaluation, or in some of them.

    Of two numbers after the last evaluation the later one stands: a quantity watched in a loop and once more behind it.
    """
    found = []
    for watch in watches.values():
        if watch.values.dtype.kind not in "fiub" or watch.values.ndim != 1 or not len(watch.values):
            continue
        kept = np.ones(len(watch.values), dtype=bool)
        if len(kept) > 1:
            kept[-2] = watch.evaluation[-2] != watch.evaluation[-1]
        evaluations = watch.evaluation[kept]
        if (np.diff(evaluations) > 0).all():
            cotangents = np.real(watch.cotangents[kept]).astype(float)
            found.append(Curve(watch, evaluations, watch.values[kept].astype(float), cotangents))
    return found


def followed(found: list[Curve], evaluations: int) -> list[tuple[Watch, Floats]]:
    """Return the quantities that were watched in every evaluation, with their numbers."""
    return [(c.watch, c.values) for c in found if len(c.values) == len(c.watch.values) == evaluations]


def share_of_range(values: Floats, a: int, b: int) -> float:
    """Return the change from evaluation a to b as a share of the range over the run."""
    known = values[np.isfinite(values)]
    whole = float(np.ptp(known)) if len(known) else 0.0
    return abs(float(values[b] - values[a])) / whole if whole else 0.0


def is_loss(values: Floats, loss: Floats) -> bool:
    """Whether a quantity is the loss itself."""
    return bool(np.allclose(values, loss, rtol=1e-9, atol=0.0, equal_nan=True))
