"""Which watched quantities can be followed as a curve, and how much of their range they go."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.recorded.watch import Watch


def followed(watches: Mapping[str, Watch], evaluations: int) -> list[tuple[Watch, Floats]]:
    """Return the quantities that are one real number in every evaluation, with these numbers."""
    return [(w, w.values.astype(float)) for w in watches.values() if _is_one_number(w, evaluations)]


def _is_one_number(watch: Watch, evaluations: int) -> bool:
    return (
        watch.values.dtype.kind in "fiub"
        and watch.values.ndim == 1
        and len(watch.evaluation) == evaluations
        and bool((watch.evaluation == np.arange(evaluations)).all())
    )


def share_of_range(values: Floats, a: int, b: int) -> float:
    """Return the change from evaluation a to b as a share of the range over the run."""
    known = values[np.isfinite(values)]
    whole = float(np.ptp(known)) if len(known) else 0.0
    return abs(float(values[b] - values[a])) / whole if whole else 0.0


def is_loss(values: Floats, loss: Floats) -> bool:
    """Whether a quantity is the loss itself."""
    return bool(np.allclose(values, loss, rtol=1e-9, atol=0.0, equal_nan=True))
