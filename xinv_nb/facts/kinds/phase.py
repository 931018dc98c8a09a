"""What became of the loss in each phase."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact, Phase
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.kinds.course import tells_more
from xinv_nb.facts.measures.losses import Floats, Rows, finite_iterates, height, peaks_of
from xinv_nb.facts.measures.names import named_optimizer
from xinv_nb.facts.measures.optimizers import optimizer_starts, starting_events
from xinv_nb.facts.measures.phases import last_of
from xinv_nb.facts.measures.scale import hardly_changes, quarters
from xinv_nb.facts.measures.ups_and_downs import comes_down
from xinv_nb.language.slots import Clause, Iteration, Named, Said, Slot, Value, Way, Word, loss_pair
from xinv_nb.recorded.run import RecordedRun

_FEWEST_PEAKS = 3
_FAST = 2.5
"""Iterations from peak to peak up to which a loss goes up and down from one to the next."""

Told = tuple[str, dict[str, Slot], dict[str, object]]
"""A form, its slots, and what else is known."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield the fact of each phase, where there are several or the only one tells more than first and last loss."""
    run, phases = evidence.run, evidence.phases
    finite = finite_iterates(run)
    if evidence.last < 1 or not len(finite) or (len(phases) == 1 and not tells_more(evidence)):
        return
    peaks = peaks_of(run.loss, finite)
    for phase in phases:
        yield _fact(run, phase, height(run.loss[finite]), peaks)


def story_of(run: RecordedRun, phase: Phase) -> Fact:
    """Return the fact of the loss in one stretch, also one that is no phase of the run's."""
    finite = finite_iterates(run)
    return _fact(run, phase, height(run.loss[finite]), peaks_of(run.loss, finite))


def _fact(run: RecordedRun, phase: Phase, height: float, peaks: Rows) -> Fact:
    a, b = phase.start, last_of(phase, run.loss)
    data: dict[str, object] = {"kind": phase.kind, "label": phase.label, "noisy": phase.noisy, "from": a, "to": b}
    rows = a + np.flatnonzero(np.isfinite(run.loss[a : b + 1]) & run.accepted[a : b + 1])
    if not len(rows):
        slots: dict[str, Slot] = {"first": Iteration(a), "label": Word(phase.label)}
        return KIND.fact("broken, last" if a == b else "broken", (a, b), 0.95, slots, data=data)
    form, slots, found = _story(run.loss, rows, (a, b), phase, height, peaks)
    data |= {"start": float(run.loss[rows[0]]), "end": float(run.loss[rows[-1]])} | found
    if newcomer := _newcomer(run, a):
        data |= {slot: value.plain for slot, value in slots.items() if slot not in data}
        before, name = newcomer
        slots = {"optimizer": Said(name), "before": named_optimizer(before), "story": Clause(form, slots, "phase")}
        form = "took over"
    return KIND.fact(form, (a, b), 0.8, slots, data=data)


def _story(loss: Floats, rows: Rows, span: tuple[int, int], phase: Phase, height: float, peaks: Rows) -> Told:
    a, b = span
    part = loss[rows]
    start, end = loss_pair(float(part[0]), float(part[-1]))
    slots: dict[str, Slot] = {"first": Iteration(a), "last": Iteration(b)}
    if phase.kind == "oscillation":
        return _swinging(loss, rows, slots, peaks)
    if phase.noisy:
        early, late = loss_pair(*quarters(part))
        return "noisy", slots | {"early": early, "late": late}, {}
    slots |= {"start": start, "end": end, "went": Way(end.number - start.number)}
    alone = {"start": replace(start, leads=False)}
    if a == b:
        return "once", slots | alone, {}
    if part.min() == part.max():
        return "stayed", slots | alone, {}
    if hardly_changes(part, height):
        return "hardly changed, stayed near" if start.looks_like(end) else "hardly changed", slots, {}
    return "returned" if start.looks_like(end) else "changed", slots, {}


def _newcomer(run: RecordedRun, start: int) -> tuple[str, str] | None:
    """Return an optimizer and the one that starts after it, at a later evaluation, if that has another name."""
    if start not in optimizer_starts(run):
        return None
    names = [str(event.values["optimizer"]) for event in starting_events(run) if event.evaluation <= start]
    return (names[-2], names[-1]) if len(names) > 1 and names[-1] != names[-2] else None


def _swinging(loss: Floats, rows: Rows, slots: dict[str, Slot], peaks: Rows) -> Told:
    """Tell of a loss that rises and falls by turns: how often, and whether its peaks sink."""
    found = peaks[(peaks >= rows[0]) & (peaks <= rows[-1])]
    low, high = loss_pair(float(loss[rows].min()), float(loss[rows].max()))
    if falls := comes_down(loss[rows]):
        slots |= dict(zip(("start", "end"), loss_pair(float(loss[rows[0]]), float(loss[rows[-1]])), strict=True))
    if len(found) < _FEWEST_PEAKS or not found[-1] - found[0] > _FAST * (len(found) - 1):
        return ("swung down", slots, {}) if falls else ("swung", slots | {"low": low, "high": high}, {})
    data: dict[str, object] = {"low": low.number, "high": high.number, "peaks": len(found)}
    first, last = loss_pair(float(loss[found[0]]), float(loss[found[-1]]))
    slots |= {"period": Value(float(found[-1] - found[0]) / (len(found) - 1)), "first_peak": first, "last_peak": last}
    form = "swung down with a period" if falls else "swung with a period"
    if first.looks_like(last):
        return form, slots, data
    slots["grew"] = Word("sank" if last.number < first.number else "grew")
    return f"{form}, peaks changed", slots, data


KIND = Kind(
    name="phase",
    question=Question.LOSS,
    rank=13,
    slots={
        "first": Iteration,
        "last": Iteration,
        "start": Value,
        "end": Value,
        "went": Way,
        "label": Word,
        "early": Value,
        "late": Value,
        "low": Value,
        "high": Value,
        "period": Value,
        "first_peak": Value,
        "last_peak": Value,
        "grew": Word,
        "optimizer": Said,
        "before": Named,
        "story": Clause,
    },
    compute=compute,
    method="segmented least squares (Bellman 1961; Bai & Perron 1998), turning points, robust statistics (Huber 1981)",
)
