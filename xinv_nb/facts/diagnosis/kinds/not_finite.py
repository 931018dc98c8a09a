"""The loss or its gradient stopped being a finite number: from there on no step means anything."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.names import listed, named
from xinv_nb.facts.measures.tape import at_line
from xinv_nb.language.slots import Count, Iteration, Listed, LossValue, Named, Said, Slot, Value, pair
from xinv_nb.recorded.endings import NO_LOWER_LOSS
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
    'At iteration 2 the loss is no finite number, when x had gone from 1 to −2, and no step after that means anything.'
    """
    run = evidence.run
    first, form = _first(run)
    if first is None:
        yield from _parameters(run)
        return
    of_gradient = form == "gradient"
    event = next((e for e in run.events_as_recorded() if e.kind == "not finite" and e.evaluation >= first), None)
    slots: dict[str, Slot] = {"first": Iteration(first)} | (_place(event) if event is not None else {})
    if of_gradient:
        slots["loss"] = LossValue(float(run.loss[first]))
    elif form == "loss" and not np.isfinite(run.loss[:first][run.accepted[:first]]).any():
        form = "start"
    elif form == "loss":
        slots |= _left(evidence, first)
    if of_gradient and event is not None and event.values.get("fed_by"):
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
    if run.has_gradients:
        iterates = run.iterates
        known = iterates if run.history.without_gradient is None else np.setdiff1d(iterates, _unknown(run))
        sound = np.isfinite(run.history.rows(known, "gradients")).all(axis=1)
        broken = known[np.flatnonzero(sound)[-1] + 1 :] if sound.any() else known
        if len(broken):
            return int(broken[0]), "gradient" if np.isfinite(run.loss[broken[0]]) else "loss"
    if not finite[-1]:
        return int(rows[np.flatnonzero(finite)[-1] + 1]) if finite.any() else int(rows[0]), "loss"
    after, calls = int(rows[-1]) + 1, run.history.calls
    gave_up = bool(calls) and calls[-1].ending.get("reason") in NO_LOWER_LOSS
    if gave_up and after < run.evaluations and not np.isfinite(run.loss[after:]).any():
        return after, "search"
    return None, ""


def _parameters(run: RecordedRun) -> Iterator[Finding]:
    """Yield the parameters that are no finite numbers up to the end, though the loss is one: 1 / x at infinity, say."""
    rows = run.iterates
    if not len(rows) or not run.history.width:
        return
    gone = ~np.isfinite(run.history.rows(rows[-1:])[0])
    who = [named(entry) for entry in run.entries() if entry.column is not None and gone[entry.column]]
    if not who:
        return
    sound = np.isfinite(run.history.rows(rows)[:, gone]).all(axis=1)
    since = int(rows[np.flatnonzero(sound)[-1] + 1]) if sound.any() else int(rows[0])
    events = [event for event in run.events_as_recorded() if event.kind == "not finite" and event.evaluation < since]
    slots: dict[str, Slot] = {"first": Iteration(since), "who": listed(who)}
    form = "parameter" if len(who) == 1 else "parameters"
    if events and "operation" in (place := _place(events[-1])):
        slots |= place
        form += ", by an operation"
    cites = (events[-1].id,) if events else ()
    yield KIND.finding(form, (since, run.evaluations - 1), slots, cites=cites, data={"of_gradient": False})


def _unknown(run: RecordedRun) -> NDArray[np.intp]:
    assert run.history.without_gradient is not None
    return run.history.without_gradient.array


def _left(evidence: Evidence, first: int) -> dict[str, Slot]:
    """Return how the only parameter went where the loss broke, if there is one only."""
    tracks, at = evidence.iterates.tracks, int(np.searchsorted(evidence.iterates.rows, first))
    if len(tracks) != 1 or tracks[0].entry.statistic or not 0 < at < len(evidence.iterates):
        return {}
    before, after = tracks[0].values[at - 1 : at + 1].tolist()
    if not math.isfinite(before) or not math.isfinite(after):
        return {}
    one, other = pair(before, after, tracks[0].entry.parameter.unit)
    return {"parameter": named(tracks[0].entry), "before": one, "after": other}


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
        "loss": Value,
        "operation": Said,
        "fed": Said,
        "who": Listed,
        "parameter": Named,
        "before": Value,
        "after": Value,
        "line": Count,
        "file": Said,
    },
    compute=compute,
    means="The loss or its gradient stopped being a finite number, and stayed so: no later step means anything.",
    seen_by="losses and gradients; the operation and its line from NumPy's warning or from the tape",
    example="a square root of a negative number, also in the branch that `np.where` does not take",
    asked_with=r"\bnans?\b|not a number|\b(?:in|not |non.)finite\b|\binfinit|\boverflow|\bbroke|\bbreak",
    silences=("advice", "minimum", "gradient", "asked", "convergence", "steps", "identifiability"),
    of_samples=True,
)
