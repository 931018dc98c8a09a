"""That the start broke a constraint: a lower loss there is of a point that is not allowed.

Method: the values of the constraints that the solver asked for at its start, beside how much they change over the run
(feasibility; Nocedal & Wright 2006, chapter 12).
"""

from __future__ import annotations

from collections.abc import Iterator

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.constraints import constraints_of
from xinv_nb.facts.measures.ends import last_call
from xinv_nb.facts.measures.losses import finite_iterates
from xinv_nb.language.slots import LossValue, Said, Slot, Value


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield which constraint the start broke most, and whether the loss was lower there than at the end."""
    run, call = evidence.run, last_call(evidence.run)
    rows = finite_iterates(run)
    if call is None or call.start != 0 or len(rows) < 2 or rows[0] != 0 or run.status == "running":
        return
    broken = [each for each in constraints_of(run, evidence.iterates) if each.broken_at_start_by]
    if not broken:
        return
    worst = max(broken, key=lambda each: each.broken_at_start_by / each.size)
    start, end = float(run.loss[0]), float(run.loss[rows[-1]])
    slots: dict[str, Slot] = {"constraint": Said(worst.label.text), "by": Value(worst.broken_at_start_by)}
    is_lower = start < end
    if is_lower:
        slots["start"] = LossValue(start)
    yield KIND.fact("lower" if is_lower else "broken", (0, 0), 0.85 if is_lower else 0.3, slots)


KIND = Kind(
    name="infeasible start",
    question=Question.LOSS,
    rank=13,
    slots={"constraint": Said, "by": Value, "start": Value},
    compute=compute,
    method="the constraints at the start, as the solver asked for them (Nocedal & Wright 2006, chapter 12)",
    asked_with=r"\bstart\w*\b.*\b(?:constraint|(?:in)?feasib|allow|broke)|\bloss\b.*\b(?:ris|rose|up\b|increas)",
)
