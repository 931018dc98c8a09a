"""The loss or its gradient stopped being a finite number: from there on no step means anything."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.sizes import end_of
from xinv_nb.language.slots import Count, Iteration, Said, Slot, Value
from xinv_nb.recorded.events import Event
from xinv_nb.recorded.run import RecordedRun


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield where numbers stopped being finite, where the run did not come out of that again.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for x in (4.0, 1.0, -2.0):
    ...         run.add(x**0.5 if x > 0 else float("nan"), x, gradients=1.0)
    >>> run.diagnosis[0].text
    'From iteration 2 on the loss is no finite number, and no step after that means anything.'
    """
    run = evidence.run
    first, of_gradient = _first(run)
    if first is None:
        return
    event = next((e for e in run.events_as_recorded() if e.kind == "not finite" and e.evaluation >= first), None)
    slots: dict[str, Slot] = {"first": Iteration(first)} | (_place(event) if event is not None else {})
    form = "gradient" if of_gradient else "loss"
    if of_gradient:
        slots["loss"] = Value(float(run.loss[first]))
    if "operation" in slots:
        form += ", at a line" if "line" in slots else ", by an operation"
    cites = () if event is None else (event.id,)
    yield KIND.finding(form, (first, evidence.last), slots, cites=cites, data={"of_gradient": of_gradient})


def _first(run: RecordedRun) -> tuple[int | None, bool]:
    """Return the evaluation from which on nothing is finite any more, and whether only the gradient is not."""
    last = end_of(run)
    if run.evaluations == 0 or last < 0:
        return None, False
    finite = np.isfinite(run.loss)
    if not finite[-1]:
        return int(np.flatnonzero(finite)[-1]) + 1 if finite.any() else 0, False
    if not run.has_gradients:
        return None, False
    rows = run.kept
    sound = np.isfinite(run.history.gradients.array).all(axis=1)
    unknown = run.history.without_gradient
    if unknown is not None:  # what nobody asked for is not broken
        sound |= np.isin(rows, unknown.array)
    if sound[-1]:
        return None, False
    return int(rows[np.flatnonzero(sound)[-1] + 1] if sound.any() else rows[0]), True


def _place(event: Event) -> dict[str, Slot]:
    """Return the operation that gave the first number that is not finite, and its line, as far as they are known."""
    values = event.values
    if not values.get("operation"):
        return {}
    found: dict[str, Slot] = {"operation": Said(str(values["operation"]))}
    line = values.get("line", values.get("likely_line"))
    if line is not None:
        found |= {"line": Count(int(line)), "file": Said("the cell" if values["file"] == "cell" else values["file"])}
    return found


KIND = FindingKind(
    name="not-finite",
    severity="warning",
    rank=1,
    slots={
        "first": Iteration,
        "loss": Value,
        "operation": Said,
        "line": Count,
        "file": Said,
    },
    compute=compute,
    means="The loss or its gradient stopped being a finite number, and stayed so: no later step means anything.",
    seen_by="losses and gradients; the operation and its line from NumPy's warning or from the tape",
    example="a square root of a negative number, also in the branch that `np.where` does not take",
    asked_with=r"\bnans?\b|not a number|\b(?:in|not |non.)finite\b|\binfinit|\boverflow|\bbroke|\bbreak",
    silences=("advice", "minimum", "gradient", "asked", "convergence", "steps", "identifiability"),
)
