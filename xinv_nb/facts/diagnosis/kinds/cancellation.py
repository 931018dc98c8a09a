"""The loss is a small difference of large numbers: its last changes are their rounding."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.diagnosis.finding import Finding, Severity
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.losses import Rows
from xinv_nb.facts.measures.rounding import are_float32
from xinv_nb.facts.measures.scatter import is_rounding, spoils
from xinv_nb.facts.measures.sizes import end_of
from xinv_nb.language.slots import Iteration, Named, Slot, Value
from xinv_nb.recorded.endings import NO_LOWER_LOSS
from xinv_nb.recorded.run import RecordedRun

_DIGITS, _DIGITS_OF_32_BITS = 2.0**52, 2.0**23
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
    run, finest = evidence.run, evidence.grain
    if not finest or not np.isfinite(run.loss[-1]) or _is_single(run):
        return  # numbers of 32 bits are another matter
    scatter, large = evidence.scatter, finest * _DIGITS
    if scatter is not None and is_rounding(run, scatter) and large >= _LARGE * _typical(run.loss):
        first, form = scatter.first, "scatter"
        severity: Severity | None = "warning" if spoils(run, scatter) else None
    else:
        near = _at_the_end(run, finest)
        if near is None or large < _LARGE * _typical(run.loss[near]):
            return
        first, form, severity = int(near[0]), "rounding", None
    slots: dict[str, Slot] = {"first": Iteration(first), "last": Value(float(run.loss[-1]))}
    slots |= {"large": Value(large, digits=1), "quantum": Value(finest, digits=2)}
    if not run.has_gradients:
        slots["single"] = Value(finest * _DIGITS_OF_32_BITS, digits=1)
    if form == "scatter":
        slots["optimizer"] = Named(run.history.calls[-1].optimizer, is_of_domain=False)
    yield KIND.finding(form, (first, evidence.last), slots, severity=severity)


def _typical(loss: Floats) -> float:
    return float(np.median(np.abs(loss[np.isfinite(loss)])))


def _is_single(run: RecordedRun) -> bool:
    """Whether the numbers are of 32 bits: the small ones have as many digits as the large."""
    slopes, sizes = run.history.gradients.array.ravel(), np.unique(np.abs(run.loss))
    return are_float32(slopes) or (are_float32(run.loss) and are_float32(sizes[: (len(sizes) + 1) // 2]))


def _at_the_end(run: RecordedRun, finest: float) -> Rows | None:
    """Return the evaluations whose losses are the last one but for rounding, where the run stood still among them."""
    loss, calls = run.loss, run.history.calls
    if run.evaluations < _FEWEST or (finest > _FINE and not run.has_gradients):
        return None
    end = end_of(run)
    with np.errstate(invalid="ignore"):
        near = np.flatnonzero(np.abs(loss - loss[end]) <= _FEW * finest)
    points = np.unique(run.history.values.array[near], axis=0)
    gave_up = bool(calls) and calls[-1].ending.get("reason") in NO_LOWER_LOSS and near[-1] == run.evaluations - 1
    fewest = 1 if gave_up else _FEWEST_LOSSES
    return near if len(points) >= _FEWEST_POINTS and len(np.unique(loss[near])) >= fewest else None


KIND = FindingKind(
    name="cancellation",
    severity="caution",
    rank=8,
    slots={"first": Iteration, "last": Value, "large": Value, "quantum": Value, "single": Value, "optimizer": Named},
    compute=compute,
    means="The loss is a small difference of large numbers, so that its last changes are rounding.",
    seen_by="losses that are all multiples of one quantum, far coarser than their own last digit (Higham 2002, 1.7)",
    example="a variance as `mean(x**2) - mean(x)**2` of numbers near 10⁶",
    asked_with=r"\b(?:cancel|precision|rounding)",
    silences=("advice", "ending: stopped, only noise"),
    of_samples=True,
)
