"""The loss or its gradient stopped being a finite number: from there on no step means anything."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.diagnosis.asking import ROSE
from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.losses import Rows, finite_iterates
from xinv_nb.facts.measures.names import named
from xinv_nb.facts.measures.tape import at_line
from xinv_nb.language.slots import Count, Iteration, Listed, LossValue, Named, Said, Slot, Value, loss_pair, pair
from xinv_nb.recorded.endings import NO_LOWER_LOSS
from xinv_nb.recorded.events import Event
from xinv_nb.recorded.run import RecordedRun

_SOON = 3
"""Evaluations within which the operation is found that gave the first number that is not finite."""
_GREW = 10.0
"""How many times as high as it was the loss has to have become before it broke, for that to be the cause."""
_HUGE = 1e30
"""The same, where it is the size of the numbers that broke it."""
_MOSTLY = 0.9
"""Share of the steps that have to go down the slope, or up, for that to be told."""
_MOST_NAMES = 4


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield where numbers stopped being finite, where the run did not come out of that again.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for x in (4.0, 1.0, -2.0):
    ...         run.add(x**0.5 if x > 0 else float("nan"), x, gradients=1.0)
    >>> run.diagnosis[0].text
    'At iteration 2 the loss is no finite number, when x had gone from 1 to −2, and no step after that means anything.'
    """
    run = evidence.run
    first, form = _first(run)
    if first is None:
        yield from _of_parameters(evidence)
        return
    of_gradient = form == "gradient"
    event = next(
        (e for e in run.events_as_recorded() if e.kind == "not finite" and 0 <= e.evaluation - first <= _SOON), None
    )
    slots: dict[str, Slot] = {"first": Iteration(first)} | (_place(event) if event is not None else {})
    grown = _grown(run, first) if form != "search" and evidence.is_minimized else None
    if of_gradient:
        slots["loss"] = LossValue(float(run.loss[first]))
    if grown is not None:
        form, slots = f"{form}, {grown[0]}", slots | grown[1]
    elif form == "loss" and not np.isfinite(run.loss[:first][run.accepted[:first]]).any():
        form = "start"
    elif form == "loss":
        slots |= _left(evidence, first)
    if grown is not None:
        pass  # that is where it came from, whichever operation was the first to break
    elif of_gradient and event is not None and event.values.get("fed_by"):
        slots |= {"fed": Said(str(event.values["fed_by"]))}
        if "fed_line" in event.values:
            slots |= at_line(int(event.values["fed_line"]), str(event.values["fed_file"]))
        form += ", fed"
    elif "operation" in slots and form != "search":
        form += ", at a line" if "line" in slots else ", by an operation"
    cites = () if event is None else (event.id,)
    yield KIND.finding(form, (first, evidence.last), slots, cites=cites, data={"of_gradient": of_gradient})


def _first(run: RecordedRun) -> tuple[int | None, str]:
    """Return the iterate from which on nothing is finite any more, and of what: of the loss, or of its gradient alone.

    What was only tried does not count, unless a search gave up because of it; nor does a gradient that was never asked
    for.
    """
    rows = np.flatnonzero(run.accepted) if run.accepted.any() else np.arange(run.evaluations)
    finite = np.isfinite(run.loss[rows])
    if not len(rows):
        return None, ""
    broken: list[int] = []
    if run.has_gradients:
        iterates = run.iterates
        known = iterates if run.history.without_gradient is None else np.setdiff1d(iterates, _unknown(run))
        sound = np.isfinite(run.history.rows(known, "gradients")).all(axis=1)
        broken += known[np.flatnonzero(sound)[-1] + 1 :].tolist() if sound.any() else known.tolist()
    if not finite[-1]:
        broken.append(rows[np.flatnonzero(finite)[-1] + 1] if finite.any() else rows[0])
    if broken:
        first = int(min(broken))
        return first, "gradient" if np.isfinite(run.loss[first]) else "loss"
    after, calls = int(rows[-1]) + 1, run.history.calls
    gave_up = bool(calls) and calls[-1].ending.get("reason") in NO_LOWER_LOSS
    if gave_up and after < run.evaluations and not np.isfinite(run.loss[after:]).any():
        return after, "search"
    return None, ""


def _of_parameters(evidence: Evidence) -> Iterator[Finding]:
    """Yield which parameters stopped being finite numbers, where the loss is one all the same."""
    run, iterates = evidence.run, evidence.run.iterates
    broken = ~np.isfinite(run.history.rows(iterates[-1:])).all(axis=0)
    if not broken.any():
        return
    sound = np.isfinite(run.history.rows(iterates))
    first = int(iterates[np.flatnonzero(sound[:, broken].any(axis=1))[-1] + 1 if sound[:, broken].any() else 0])
    entries = [entry for entry in run.entries() if entry.column is not None and broken[entry.column]]
    if not 0 < len(entries) <= _MOST_NAMES:
        return
    events = [e for e in run.events_as_recorded() if e.kind == "not finite" and e.evaluation <= first]
    slots: dict[str, Slot] = {"first": Iteration(first), "who": Listed(tuple(named(entry) for entry in entries))}
    slots["loss"] = LossValue(float(run.loss[iterates[-1]]))
    slots |= _place(events[0]) if events else {}
    cites = (events[0].id,) if events else ()
    yield KIND.finding("parameter" if len(entries) == 1 else "parameters", (first, evidence.last), slots, cites=cites)


def _unknown(run: RecordedRun) -> NDArray[np.intp]:
    assert run.history.without_gradient is not None
    return run.history.without_gradient.array


def _grown(run: RecordedRun, first: int) -> tuple[str, dict[str, Slot]] | None:
    """Return how the loss had grown before it broke, with a form that says of what; None where it had not."""
    rows = finite_iterates(run)
    rows = rows[rows < first]
    if len(rows) < 2:
        return None
    loss = run.loss[rows]
    lowest, at_first = int(np.argmin(loss[::-1])), float(loss[0])
    rows, loss = rows[len(rows) - 1 - lowest :], loss[len(loss) - 1 - lowest :]
    is_huge = bool(loss[-1] > _HUGE * max(abs(loss[0]), 1.0))
    if (
        len(rows) < 2
        or not loss[-1] >= _GREW * abs(loss[0])
        or not loss[-1] > at_first
        or not (is_huge or (np.diff(loss) > 0).all())
    ):
        return None
    start, end = loss_pair(float(loss[0]), float(loss[-1]))
    slots: dict[str, Slot] = {
        "start": start,
        "end": end,
        "from": Iteration(int(rows[0])),
        "to": Iteration(int(rows[-1])),
    }
    down = _downhill(run, rows)
    if down is not None and down <= 1 - _MOSTLY:
        return "uphill", slots
    form = "too long" if down is not None and down >= _MOSTLY else "grown"
    return form if is_huge else f"{form}, undefined", slots


def _downhill(run: RecordedRun, rows: Rows) -> float | None:
    """Return the share of the steps that went down the slope where they began; None where that is not known."""
    if not run.has_gradients or not run.history.is_real or run.history.kept is not None:
        return None
    with np.errstate(all="ignore"):
        along = np.einsum("ij,ij->i", np.diff(run.history.rows(rows), axis=0), run.history.rows(rows[:-1], "gradients"))
    known = along[~np.isnan(along)]
    return float(np.mean(known < 0)) if len(known) else None


def _left(evidence: Evidence, first: int) -> dict[str, Slot]:
    """Return how the only parameter went where the loss broke, if there is one only."""
    run, entries, rows = evidence.run, evidence.run.entries(), evidence.run.iterates
    at = int(np.searchsorted(rows, first))
    if len(entries) != 1 or entries[0].column is None or not 0 < at < len(rows):
        return {}
    before, after = (float(value) for value in run.column(entries[0])[rows[at - 1 : at + 1]])
    if not math.isfinite(before) or not math.isfinite(after):
        return {}
    one, other = pair(before, after, entries[0].parameter.unit)
    return {"parameter": named(entries[0]), "before": one, "after": other}


def _place(event: Event) -> dict[str, Slot]:
    """Return the operation that gave the first number that is not finite, and its line, as far as they are known."""
    values = event.values
    if not values.get("operation"):
        return {}
    found: dict[str, Slot] = {"operation": Said(str(values["operation"]))}
    line = values.get("line", values.get("likely_line"))
    if line is not None:
        found |= at_line(int(line), str(values["file"]))
    return found


KIND = FindingKind(
    name="not-finite",
    severity="warning",
    rank=1,
    slots={
        "first": Iteration,
        "who": Listed,
        "loss": Value,
        "operation": Said,
        "fed": Said,
        "parameter": Named,
        "before": Value,
        "after": Value,
        "line": Count,
        "file": Said,
        "start": Value,
        "end": Value,
        "from": Iteration,
        "to": Iteration,
    },
    compute=compute,
    means="The loss, its gradient or a parameter stopped being a finite number, and stayed so: no later step means "
    "anything.",
    seen_by="losses, gradients and parameters; the operation and its line from NumPy's warning or from the tape; the "
    "loss before it",
    example="a square root of a negative number, also in the branch that `np.where` does not take",
    asked_with=ROSE + r"|\bnans?\b|not a number|\b(?:in|not |non.)finite\b|\binfinit|\boverflow|\bbroke|\bbreak",
    silences=("advice", "minimum", "gradient", "asked", "convergence", "steps", "identifiability"),
    of_samples=True,
)
