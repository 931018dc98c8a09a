"""Single steps of the loss, where one can stand out."""

from __future__ import annotations

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.losses import Floats, Rows, finite_iterates
from xinv_nb.facts.measures.optimizers import optimizer_starts

LARGE = 0.2
"""Share of the whole change from which on a single step is told."""
_FEWEST = 6
"""Iterates from which on one step can stand out."""


def single_steps(evidence: Evidence) -> tuple[Rows, Floats, Floats, float] | None:
    """Return iterates, their losses, the steps between them, and the whole fall; None where no step can stand out."""
    run = evidence.run
    finite = finite_iterates(run)
    if evidence.is_noisy or len(finite) < _FEWEST or evidence.phases[-1].label == "constant":
        return None
    loss = run.loss[finite]
    steps = np.diff(loss / 2) * 2
    steps[np.isin(finite[1:], optimizer_starts(run))] = 0.0  # no step: another optimizer starts somewhere else
    total = float(loss[0] / 2 - loss[-1] / 2) * 2
    return (finite, loss, steps, total) if total > 0 else None
