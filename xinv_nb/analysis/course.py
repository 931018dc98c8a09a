"""What became of the loss: over the whole run, over each phase, best against last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xinv_nb.analysis.phases import hardly_changes, last_of, quarters
from xinv_nb.quantities import number, pair, share
from xinv_nb.run import Fact, Phase, Run


def course(run: Run, phases: Sequence[Phase]) -> Iterator[Fact]:
    """Yield facts of the loss: first to last, each phase, and the best where it is not the last."""
    loss = run.loss
    if len(loss) == 0:
        return
    last = len(loss) - 1
    finite = np.flatnonzero(np.isfinite(loss))
    if last == 0 and len(finite):
        text = f"The loss was {number(float(loss[0]))} at the only iteration."
        yield Fact("", "course", text, {"start": float(loss[0]), "end": float(loss[0]), "iterations": 1}, (0, 0))
        return
    if len(finite) == 0:
        when = "at the only iteration" if last == 0 else "at every iteration"
        yield Fact("", "course", f"The loss was {phases[0].label} {when}.", {"iterations": len(loss)}, (0, last))
        return
    yield _whole(run, int(finite[0]), int(finite[-1]), phases[-1].label)
    if len(finite) < int(finite[-1]) + 1:
        yield _gaps(run, int(finite[-1]))
    if fact := _best(run, finite):
        yield fact
    height = float(np.ptp(loss[finite] / 2)) * 2
    if len(phases) > 1 or phases[0].kind == "oscillation" or phases[0].label.startswith("noisy"):
        for phase in phases:
            yield _phase_fact(run, phase, height)


def _whole(run: Run, first: int, final: int, how_it_broke: str) -> Fact:
    """Tell of the first and the last loss that are numbers."""
    loss, last = run.loss, run.evaluations - 1
    start, end = float(loss[first]), float(loss[final])
    part = loss[first : final + 1]
    part = part[np.isfinite(part)]
    values = {"start": start, "end": end, "iterations": len(loss), "change": end - start, "from": first, "to": final}
    over = f"over {len(loss)} iterations" if final == last else f"in the first {_iterations(final + 1)}"
    if first > 0:
        over = f"between iterations {first} and {final}"
    one, two = pair(start, end)
    low, high = pair(float(part.min()), float(part.max()))
    if len(part) == 1:
        text = f"The loss was {one} at iteration {first}"
    elif low == high:
        text = f"The loss {'stayed' if part.min() == part.max() else 'hardly changed: it stayed'} at {one} {over}"
    elif one == two:
        text = f"The loss changed {over} and ended where it began, at {one}"
    else:
        text = f"The loss {'fell' if end < start else 'rose'} from {one} to {two} {over}"
        if start > 0 and 0 <= end < start and first == 0:
            text += f", {share((start - end) / start)} lower than at the start"
    if final < last:
        text += f"; from iteration {final + 1} on it was {how_it_broke}"
    return Fact("", "course", text + ".", values, (0, last))


def _gaps(run: Run, final: int) -> Fact:
    """Tell of losses before `final` that were no numbers: points that the optimizer tried and left again."""
    bad = np.flatnonzero(~np.isfinite(run.loss[:final]))
    first = int(bad[0])
    when = f"At iteration {first}"
    if len(bad) > 1:
        when = f"At {len(bad)} iterations, the first of them iteration {first},"
    values = {"count": len(bad), "first": first, "last": int(bad[-1])}
    return Fact("", "gap", f"{when} the loss was not a finite number.", values, (first, int(bad[-1])))


def _iterations(count: int) -> str:
    return "iteration" if count == 1 else f"{count} iterations"


def _best(run: Run, finite: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Fact | None:
    """Tell of the lowest loss, if the run did not end with it."""
    loss, last = run.loss, run.evaluations - 1
    best, final = int(finite[np.argmin(loss[finite])]), int(finite[-1])
    lowest, end = float(loss[best]), float(loss[final])
    low, high = pair(lowest, end)
    if low == high or not end / 2 - lowest / 2 > 1e-3 * float(np.ptp(loss[finite] / 2)):
        return None
    values = {"best": lowest, "iteration": best, "end": end}
    if best == int(finite[0]):
        text = f"The loss was never lower than at {'the start' if best == 0 else f'iteration {best}'}."
    elif final < last or run.status == "running":
        text = f"The lowest loss, {low}, was at iteration {best}."
    else:
        text = f"The lowest loss, {low}, was at iteration {best}; the run ended at {high}."
    return Fact("", "best", text, values, (best, last))


def _phase_fact(run: Run, phase: Phase, height: float) -> Fact:
    a, b = phase.start, last_of(phase, run.loss)
    values = {"kind": phase.kind, "label": phase.label, "from": a, "to": b}
    if not np.isfinite(run.loss[a : b + 1]).any():
        text = f"From iteration {a} on the loss was {phase.label}."
        if b == a:
            text = f"At iteration {a}, the last one, the loss was {phase.label}."
        return Fact("", "phase", text, values, (a, b))
    part = run.loss[a : b + 1]
    part = part[np.isfinite(part)]
    start, end = float(part[0]), float(part[-1])
    values |= {"start": start, "end": end}
    first, second = pair(start, end)
    span = f"between iterations {a} and {b}"
    if phase.kind == "oscillation":
        low, high = pair(float(part.min()), float(part.max()))
        values |= {"low": float(part.min()), "high": float(part.max())}
        text = f"The loss went up and down by turns {span}, never below {low} and never above {high}."
    elif phase.label.startswith("noisy"):
        early, late = quarters(part)
        values |= {"early": early, "late": late}
        low, high = pair(early, late)
        text = f"The loss went up and down {span}: its median was {low} in the first quarter of that stretch "
        text += f"and {high} in the last."
    elif a == b:
        text = f"The loss was {first} at iteration {a}."
    elif part.min() == part.max():
        text = f"The loss stayed at {first} {span}."
    elif hardly_changes(part, height):
        how = f"it stayed near {second}" if first == second else f"from {first} to {second}"
        text = f"The loss hardly changed {span}: {how}."
    elif first == second:
        text = f"The loss changed {span} and ended where it began, at {second}."
    else:
        text = f"The loss {'rose' if end > start else 'fell'} from {first} to {second} {span}."
    return Fact("", "phase", text, values, (a, b))
