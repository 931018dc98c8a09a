"""The loss is a small difference of large numbers: its last changes are their rounding."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.rounding import are_float32, quantum
from xinv_nb.language.slots import Iteration, Slot, Value

_LARGE = 1e6
"""How many times as large as the last losses the numbers are of which they are a difference."""
_FINE = 2.0**-17
"""Quantum up to which a loss of which no gradient is known is no mean of what is counted."""
_FEW = 8.0
"""Quanta within which losses are the same but for rounding."""
_FEWEST = 16
_FEWEST_POINTS = 4
_FEWEST_LOSSES = 3
"""Different points, and losses, that have to be the same but for rounding."""


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield of which size the numbers are, where the losses are multiples of what these are rounded to.

    Examples
    --------
    >>> import numpy as np
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     x = 1.0
    ...     for _ in range(60):
    ...         run.add((1e9 + x**2 / 3) - 1e9, x, 2 * x / 3)
    ...         x *= 0.7
    >>> run.diagnosis[0].kind
    'cancellation'
    """
    run = evidence.run
    if run.history.kept is not None or not run.history.is_real or run.evaluations < _FEWEST:
        return
    loss = run.loss
    finest = quantum(loss)
    if not finest or not np.isfinite(loss[-1]):
        return
    with np.errstate(invalid="ignore"):
        near = np.flatnonzero(np.abs(loss - loss[-1]) <= _FEW * finest)
    large, typical = finest * 2.0**52, float(np.median(np.abs(loss[near])))
    points = np.unique(run.history.values.array[near], axis=0)
    if len(points) < _FEWEST_POINTS or len(np.unique(loss[near])) < _FEWEST_LOSSES or large < _LARGE * typical:
        return
    slopes = run.history.gradients.array[near]
    slopes = slopes[np.isfinite(slopes)]
    if not slopes.any() and finest > _FINE:
        return  # what counts something is a multiple of one, too
    if are_float32(loss) and (not slopes.size or are_float32(run.history.gradients.array.ravel())):
        return  # numbers of 32 bits are another matter
    slots: dict[str, Slot] = {"first": Iteration(int(near[0])), "last": Value(float(loss[-1]))}
    slots |= {"large": Value(large, digits=1), "quantum": Value(finest, digits=2)}
    yield KIND.finding("rounding", (int(near[0]), evidence.last), slots)


KIND = FindingKind(
    name="cancellation",
    severity="caution",
    rank=8,
    slots={"first": Iteration, "last": Value, "large": Value, "quantum": Value},
    compute=compute,
    means="The loss is a small difference of large numbers, so that its last changes are rounding.",
    seen_by="losses that are all multiples of one quantum, far coarser than their own last digit (Higham 2002, 1.7)",
    example="a variance as `mean(x**2) - mean(x)**2` of numbers near 10⁶",
    asked_with=r"\b(?:cancel|precision|rounding)",
    of_samples=True,
)
