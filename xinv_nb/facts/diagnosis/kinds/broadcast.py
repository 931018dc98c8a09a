"""A column minus a row: every prediction was compared with every datum, since arrays of two shapes were combined."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.tape import place_of, story_of, tape_events
from xinv_nb.language.slots import Count, Said, Slot, Value

_RESTS = 0.05
"""Share of the variance of the data by which the lowest loss may lie above it, where it rests there."""


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield where two rows of numbers were combined each with each, and only the sum of all was used.

    Examples
    --------
    >>> import autograd.numpy as np
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> inputs, data = np.arange(5.0)[:, None], 2 * np.arange(5.0)
    >>> def loss(w):
    ...     return np.mean((np.dot(inputs, w) - data) ** 2)
    >>> with xi.record() as run:
    ...     slope = grad(loss)(np.zeros((1, 1)))
    >>> run.diagnosis[0].values["result"]
    '(5, 5)'
    """
    run, (start, stop) = evidence.run, story_of(evidence)
    for event in tape_events(evidence, "broadcast")[:1]:
        values = event.values
        slots: dict[str, Slot] = {
            name: Said(str(tuple(int(side) for side in values[name]))) for name in ("one", "other", "result")
        }
        slots |= {"operation": Said(str(values["operation"])), **place_of(event)}
        form = "combined"
        if "mean" in values:
            form = "compared"
            slots["mean"] = Value(float(values["mean"]))
            lowest = float(np.nanmin(run.loss[start:stop])) if np.isfinite(run.loss[start:stop]).any() else np.nan
            variance = float(values["variance"])
            if values.get("reduction") == "mean" and lowest >= (1 - 1e-9) * variance:
                form = "compared, in the mean"
                slots["variance"] = Value(variance)
                slots["rests" if lowest <= (1 + _RESTS) * variance else "lowest"] = Value(lowest)
        yield KIND.finding(form, (start, stop - 1), slots, cites=(event.id,))


KIND = FindingKind(
    name="broadcast",
    severity="warning",
    rank=5,
    slots={
        "one": Said,
        "other": Said,
        "result": Said,
        "operation": Said,
        "line": Count,
        "file": Said,
        "mean": Value,
        "variance": Value,
        "lowest": Value,
        "rests": Value,
    },
    compute=compute,
    means="Arrays of two shapes were combined each entry with each, and then only summed up.",
    seen_by="shapes on the tape of the first evaluation, and what is done with the result (NumPy's broadcasting)",
    example="predictions of shape (80, 1) minus data of shape (80,)",
    asked_with=r"\b(?:broadcast|shapes?)\b",
    silences=("advice", "minimum", "identifiability", "idle"),
    of_fits=True,
    of_samples=True,
)
