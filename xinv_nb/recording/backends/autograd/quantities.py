"""What each watched quantity depends on: its gradient by the parameters, read from the tape of autograd that is there.

The gradient of a quantity is the backward pass from its own node; no forward pass is done again, taps hear nothing of
it, and derivatives that are the user's own functions are never called a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xinv_nb.recording.backends.autograd import tape
from xinv_nb.recording.evaluation import QuantityGradients
from xinv_nb.recording.events import WatchedValue

_MOST = 12
"""Quantities whose gradients are read, at most."""


def gradients(kept: Sequence[tuple[Callable[[Any], None], Any]]) -> QuantityGradients:
    """Return the gradient of each quantity that is one real number, and which quantities it is computed from.

    `kept` holds what taps each watched value, a method of its row, with its node on the tape.
    """
    rows = [(getattr(receive, "__self__", None), node) for receive, node in kept]
    named = [(row, node) for row, node in rows if isinstance(row, WatchedValue)]
    count = {row.name: sum(other.name == row.name for other, _ in named) for row, _ in named}
    scalars = [(row.name, node) for row, node in named if count[row.name] == 1 and _is_real_number(row.value)][:_MOST]
    found: dict[str, Any] = {}
    inside: dict[str, tuple[str, ...]] = {}
    work = 0.0
    for name, node in scalars:
        gradient, visited, steps = tape.gradient_and_nodes(1.0, node)
        work += steps
        if gradient is not None:
            found[name] = gradient
            inside[name] = tuple(other for other, its in scalars if its is not node and id(its) in visited)
    return QuantityGradients(found, inside, work)


def _is_real_number(value: Any) -> bool:
    return np.ndim(value) == 0 and np.asarray(value).dtype.kind == "f"
