"""The start lies where the loss hardly responds: much of the run went by before anything happened."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.sizes import gradient_sizes, steady_iterates
from xinv_nb.language.slots import Count, Iteration, Share, Slot, Value

_FEWEST = 20
"""Iterates of a plateau that is worth a word."""
_LONG = 0.3
"""Share of the run that the plateau takes at least."""
_FLAT = 0.01
"""Share of the whole fall by which the loss falls on it at most."""
_STEEPER = 100.0
"""How many times as steep it becomes after it."""


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield a start on a plateau, where the loss fell nearly all of its way after it, and much more steeply.

    Examples
    --------
    >>> import numpy as np
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> import autograd.numpy as anp
    >>> with xi.record() as run:
    ...     x = 5.2
    ...     for _ in range(200):
    ...         x = x - 2.0 * grad(lambda x: 1.0 - anp.exp(-x * x / 4))(x)
    >>> run.diagnosis[0].kind
    'poor-start'
    """
    run = evidence.run
    rows = steady_iterates(run)
    if run.status == "running" or not run.has_gradients or len(rows) < _FEWEST or evidence.is_noisy:
        return
    loss = run.loss[rows]
    fall = float(loss[0] - loss.min())
    if not fall > 0:
        return
    off = np.flatnonzero(np.abs(loss - loss[0]) > _FLAT * fall)
    plateau = int(off[0]) if len(off) else 0
    if plateau < max(_FEWEST, _LONG * len(rows)) or loss[-1] > loss[0] - fall / 2:
        return
    sizes = gradient_sizes(run)[rows]
    steepest, flat = float(sizes[plateau:].max()), float(np.median(sizes[: plateau // 2]))
    if not steepest >= _STEEPER * flat:
        return
    slots: dict[str, Slot] = {"last": Iteration(int(rows[plateau - 1])), "share": Share(plateau / len(rows))}
    slots |= {"fell": Share(float(loss[0] - loss[plateau - 1]) / fall), "factor": Value(steepest / max(flat, 1e-300))}
    slots["count"] = Count(plateau)
    yield KIND.finding("plateau", (int(rows[0]), int(rows[plateau - 1])), slots)


KIND = FindingKind(
    name="poor-start",
    severity="caution",
    rank=45,
    slots={"last": Iteration, "share": Share, "fell": Share, "factor": Value, "count": Count},
    compute=compute,
    means="The start lies where the loss hardly responds: much of the run went by before it fell.",
    seen_by="the loss at the start and its gradient beside the largest of the run",
    example="a peak that starts far from the data",
    asked_with=r"\b(?:poor|bad|good|better) start|\bstart(?:ed|ing)? (?:point|value)",
)
