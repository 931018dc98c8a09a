"""What became of the loss: over the whole run, over each phase, best against last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xinv_nb.quantities import number, pair, share
from xinv_nb.run import Fact, Phase, Run


def course(run: Run, phases: Sequence[Phase]) -> Iterator[Fact]:
    """Yield facts of the loss: first to last, each phase, and the best where it is not the last."""
    loss = run.loss
    if len(loss) == 0:
        return
    last = len(loss) - 1
    finite = np.flatnonzero(np.isfinite(loss))
    if len(finite) == 0:
        yield Fact("", "course", f"The loss was {number(float(loss[0]))} from the first iteration on.", {}, (0, last))
        return
    end = int(finite[-1])
    start_value, end_value = float(loss[finite[0]]), float(loss[end])
    values = {"start": start_value, "end": end_value, "iterations": len(loss)}
    if last == 0:
        yield Fact("", "course", f"The loss was {number(start_value)} at the only iteration.", values, (0, 0))
        return
    values["change"] = end_value - start_value
    yield Fact("", "course", _course_text(start_value, end_value, len(loss), whole=end == last), values, (0, last))
    best = int(finite[np.argmin(loss[finite])])
    if loss[best] < end_value and end_value - loss[best] > 1e-3 * abs(float(np.ptp(loss[finite]))):
        low, high = pair(float(loss[best]), end_value)
        text = f"The lowest loss, {low}, was at iteration {best}; the run ended at {high}."
        yield Fact("", "best", text, {"best": float(loss[best]), "iteration": best, "end": end_value}, (best, last))
    if len(phases) > 1:
        for phase in phases:
            yield _phase_fact(run, phase)


def _course_text(start: float, end: float, count: int, *, whole: bool) -> str:
    first, second = pair(start, end)
    until = f"over {count} iterations" if whole else "before it stopped being a number"
    if start == end:
        return f"The loss stayed at {first} {until}."
    verb = "fell" if end < start else "rose"
    text = f"The loss {verb} from {first} to {second} {until}"
    if start > 0 and 0 <= end < start:
        text += f", {share((start - end) / start)} lower than at the start"
    return text + "."


def _phase_fact(run: Run, phase: Phase) -> Fact:
    a, b = phase.start, min(phase.stop, run.evaluations - 1)
    start, end = float(run.loss[a]), float(run.loss[b])
    values = {"start": start, "end": end, "kind": phase.kind, "label": phase.label, "from": a, "to": b}
    if not np.isfinite(start) or not np.isfinite(end):
        text = f"From iteration {phase.start} on the loss was not a number."
        return Fact("", "phase", text, values, (phase.start, phase.stop - 1))
    first, second = pair(start, end)
    span = f"from iteration {a} to {b}"
    if phase.kind == "oscillation":
        part = run.loss[phase.start : phase.stop]
        low, high = pair(float(part.min()), float(part.max()))
        values |= {"low": float(part.min()), "high": float(part.max())}
        text = f"The loss went up and down between {low} and {high} {span}."
    elif abs(end - start) <= 0.05 * abs(start):
        text = f"The loss hardly changed {span}: {first} to {second}."
    elif end > start:
        text = f"The loss rose from {first} to {second} {span}."
    else:
        text = f"The loss fell from {first} to {second} {span}."
    return Fact("", "phase", text, values, (phase.start, phase.stop - 1))
