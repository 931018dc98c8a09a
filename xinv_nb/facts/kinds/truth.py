"""How near parameters came to their known true values."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.names import named
from xinv_nb.facts.measures.precision import same
from xinv_nb.facts.measures.sizes import end_of
from xinv_nb.language.slots import Named, Slot, Value, pair

_DIGITS = 6
_FOUND, _MISSED = 0.02, 0.1
"""Share of the true value, or of the way to it, by which a parameter may be off that was found; by which it is far off.
"""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield where each parameter of which the truth is known ended, beside it."""
    run = evidence.run
    if evidence.last < 0 or run.status == "running":
        return
    last = end_of(run)
    for entry in run.entries():
        truth, unit = entry.parameter.truth, entry.parameter.unit
        if truth is None or entry.statistic or not np.isfinite(ended := float(run.column(entry)[last])):
            continue
        end, true = pair(ended, float(truth), unit, both=True)
        form = "off"
        if same(ended, float(truth)):
            form, end = "exact", Value(ended, unit)
        elif end.looks_like(true):
            form, end = "to six digits", Value(ended, unit, digits=_DIGITS)
        slots: dict[str, Slot] = {"parameter": named(entry), "end": end, "truth": true}
        data = {"how": _how(float(run.column(entry)[0]), ended, float(truth))}
        yield KIND.fact(form, (last, last), 0.75, slots, data=data)


def _how(start: float, end: float, truth: float) -> str:
    """Return whether a parameter was `found`, as near as a reader asks, or `missed` by far; `near` in between.

    What lay there from the start was not found.
    """
    off, way = abs(end - truth), abs(start - truth)
    if way > 0 and (off <= _FOUND * abs(truth) or off <= _FOUND * way) and off < way:
        return "found"
    return "missed" if off > _MISSED * (abs(truth) or way) else "near"


KIND = Kind(
    name="truth",
    asked_with=r"\b(?:true|truth|correct|accurate|actual) (?:value|answer|parameter|result)|\bhow accurate",
    question=Question.ENDING,
    rank=73,
    slots={"parameter": Named, "end": Value, "truth": Value},
    compute=compute,
    method="the last accepted value beside the truth that the problem tells",
)
