"""What became of the loss: over the whole run, over each phase, its largest steps, best against last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.fact import Fact, Phase
from xinv_nb.facts.measures.optimizers import optimizer_events, optimizer_starts
from xinv_nb.facts.measures.phases import last_of
from xinv_nb.facts.measures.ringing import peaks
from xinv_nb.facts.measures.scale import hardly_changes, quarters, visible_swing
from xinv_nb.language.quantities import number, pair, share
from xinv_nb.recorded.run import RecordedRun

_LARGE = 0.2
"""Share of the whole change from which on a single step is told."""
_FEWEST = 6
"""Iterates from which on one step can stand out."""
_ALMOST = 1 - 1e-9
"""A loss that is not 0 has not fallen by all of it, even if the difference is rounded to that."""
_NOTED = 1e-3
"""Share of the run's height by which the last loss has to lie above the best one."""

_FEWEST_PEAKS = 3
_FAST = 2.5
"""Iterations from peak to peak up to which a loss goes up and down from one to the next."""

Rows = NDArray[np.intp]


def course(run: RecordedRun, phases: Sequence[Phase]) -> Iterator[Fact]:
    """Yield facts of the loss: first to last, each phase, its largest steps, and the best where it is not the last.

    The losses of accepted iterates count, not those of trials; medians stand for the single values of a noisy loss
    (Cleveland 1979: a robust smoother before anything is read off noisy data).

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> with xi.record() as run:
    ...     for x in (4.0, 2.0, 1.0):
    ...         slope = grad(lambda x: x**2)(x)
    >>> next(course(run, run.phases)).text
    'The loss fell from 16 to 1 over 3 iterations, 94 % lower than at the start.'
    """
    loss = run.loss
    if len(loss) == 0:
        return
    last = len(loss) - 1
    finite = np.flatnonzero(np.isfinite(loss) & run.accepted)
    if last == 0 and len(finite):
        text = f"The loss was {number(float(loss[0]))} at the only iteration."
        values = {"start": float(loss[0]), "end": float(loss[0]), "iterations": 1}
        yield Fact("", "course", text, values, (0, 0), salience=1.0)
        return
    if len(finite) == 0:
        when = "at the only iteration" if last == 0 else "at every iteration"
        text = f"The loss was {phases[0].label} {when}."
        yield Fact("", "course", text, {"iterations": len(loss)}, (0, last), salience=1.0)
        return
    by_phase = len(phases) > 1 or _tells_more(phases[0])
    yield _whole(run, finite, phases, 0.3 if len(phases) == 1 and by_phase else 1.0)
    if not np.isfinite(loss[: int(finite[-1])]).all() or (
        np.isfinite(loss).sum() < len(loss) and not run.accepted.all()
    ):
        yield _gaps(run, phases)
    noisy = any(is_noisy(phase) for phase in phases)
    if fact := _best(run, finite, noisy=noisy):
        yield fact
    height = float(np.ptp(loss[finite] / 2)) * 2
    if by_phase:
        for phase in phases:
            yield _phase_fact(run, phase, height, _peaks(loss, finite))
    if not noisy and len(finite) >= _FEWEST and phases[-1].label != "constant":
        yield from _largest_steps(run, finite, height)


def is_noisy(phase: Phase) -> bool:
    """Whether single losses of the phase are draws from a noise, of which only medians tell something."""
    return phase.label.startswith("noisy")


def _tells_more(phase: Phase) -> bool:
    return phase.kind == "oscillation" or is_noisy(phase)


def _whole(run: RecordedRun, finite: Rows, phases: Sequence[Phase], salience: float) -> Fact:
    """Tell of the first and the last loss that are numbers."""
    loss, last = run.loss, run.evaluations - 1
    first, final = int(finite[0]), int(finite[-1])
    early, late = _smoothing(phases[0], len(finite)), _smoothing(phases[-1], len(finite))
    start, end = float(np.median(loss[finite[:early]])), float(np.median(loss[finite[-late:]]))
    values = {"start": start, "end": end, "iterations": len(loss), "change": end - start, "from": first, "to": final}
    broken = bool((~np.isfinite(loss[final:]) & run.accepted[final:]).any())
    over = f"in the first {_iterations(final + 1)}" if broken else f"over {len(loss)} iterations"
    if first > 0:
        over = f"between iterations {first} and {final}"
    one, two = pair(start, end)
    part = loss[finite]
    low, high = pair(float(part.min()), float(part.max()))
    if len(part) == 1:
        text = f"The loss was {one} at iteration {first}"
    elif low == high:
        text = f"The loss {'stayed' if part.min() == part.max() else 'hardly changed: it stayed'} at {one} {over}"
    elif len(phases) == 1 and phases[0].label == "noisy plateau":
        values["median"] = float(np.median(part))
        text = f"The loss stayed about {number(values['median'])} (its median) {over}, up and down by its noise"
    elif one == two:
        text = f"The loss changed {over} and ended where it began, at {one}"
    else:
        text = f"The loss {'fell' if end < start else 'rose'} from {one} to {two} {over}"
        if early > 1 or late > 1:
            values |= {"early": early, "late": late}
            text = f"The loss {'fell' if end < start else 'rose'} from {_median(one, early, 'first')} to "
            text += f"{_median(two, late, 'last')} of {_iterations(len(loss))}"
        if start > 0 and 0 <= end < start and first == 0:
            text += f", {share(min((start - end) / start, 1.0 if end == 0 else _ALMOST))} lower than at the start"
    if broken:
        text += f"; from iteration {final + 1} on it was {phases[-1].label}"
    return Fact("", "course", text + ".", values, (0, last), salience=salience)


def course_of(run: RecordedRun, phase: Phase) -> Fact:
    """Return the fact of the loss in one stretch, also one that is no phase of the run's."""
    loss = run.loss
    finite = np.flatnonzero(np.isfinite(loss) & run.accepted)
    height = float(np.ptp(loss[finite] / 2)) * 2 if len(finite) else 0.0
    return _phase_fact(run, phase, height, _peaks(loss, finite) if len(finite) else finite)


def _smoothing(phase: Phase, count: int) -> int:
    """Return how many losses at an end of the run are told by their median: one, unless they are noisy."""
    return max(min(count // 20, (phase.stop - phase.start) // 4), 1) if is_noisy(phase) else 1


def _median(value: str, of: int, which: str) -> str:
    return f"{value} (the median of the {which} {of})" if of > 1 else value


def _gaps(run: RecordedRun, phases: Sequence[Phase]) -> Fact:
    """Tell of losses that were no numbers and were left again: points that the optimizer tried."""
    stop = phases[-1].start if phases[-1].kind == "divergence" and len(phases) > 1 else run.evaluations
    bad = np.flatnonzero(~np.isfinite(run.loss[:stop]))
    first = int(bad[0])
    when = f"At iteration {first}"
    if len(bad) > 1:
        when = f"At {len(bad)} iterations, the first of them iteration {first},"
    values = {"count": len(bad), "first": first, "last": int(bad[-1])}
    text = f"{when} the loss was not a finite number."
    return Fact("", "gap", text, values, (first, int(bad[-1])), salience=0.75)


def _iterations(count: int) -> str:
    return "iteration" if count == 1 else f"{count} iterations"


def _best(run: RecordedRun, finite: Rows, *, noisy: bool) -> Fact | None:
    """Tell of the lowest loss, if the run did not end with it; the best of noisy losses is a lucky draw."""
    loss, last = run.loss, run.evaluations - 1
    best, final = int(finite[np.argmin(loss[finite])]), int(finite[-1])
    lowest, end = float(loss[best]), float(loss[final])
    low, high = pair(lowest, end)
    if low == high or not end / 2 - lowest / 2 > _NOTED * float(np.ptp(loss[finite] / 2)):
        return None
    values = {"best": lowest, "iteration": best, "end": end}
    broken = not np.isfinite(loss[final:]).all()
    if best == int(finite[0]):
        text = f"The loss was never lower than at {'the start' if best == 0 else f'iteration {best}'}."
    elif broken or run.status == "running":
        text = f"The lowest loss, {low}, was at iteration {best}."
    else:
        text = f"The lowest loss, {low}, was at iteration {best}; the run ended at {high}."
    much = end / 2 - lowest / 2 > 0.05 * float(np.ptp(loss[finite] / 2))
    return Fact("", "best", text, values, (best, last), salience=0.15 if noisy else 0.7 if much else 0.4)


def _largest_steps(run: RecordedRun, finite: Rows, height: float) -> Iterator[Fact]:
    """Tell of the step that lowered the loss most, and of the one that raised it most, if they stand out."""
    loss = run.loss[finite]
    steps = np.diff(loss / 2) * 2
    steps[np.isin(finite[1:], optimizer_starts(run))] = 0.0  # no step: another optimizer starts somewhere else
    total = float(loss[0] / 2 - loss[-1] / 2) * 2
    k = int(np.argmin(steps))
    before, at = int(finite[k]), int(finite[k + 1])
    if total > 0 and -steps[k] > _LARGE * total:
        one, two = pair(float(loss[k]), float(loss[k + 1]))
        part = float(-steps[k]) / total
        text = f"The largest single drop of the loss was from {one} to {two}, at iteration {at}"
        text += f": {share(part)} of the whole fall." if part <= 1 else "."
        values = {"start": float(loss[k]), "end": float(loss[k + 1]), "at": at, "share": part}
        yield Fact("", "largest drop", text, values, (before, at), salience=0.35)
    k = int(np.argmax(steps))
    before, at = int(finite[k]), int(finite[k + 1])
    if total > 0 and steps[k] > _LARGE / 4 * height:
        one, two = pair(float(loss[k]), float(loss[k + 1]))
        text = f"The largest single rise of the loss was from {one} to {two}, at iteration {at}."
        values = {"start": float(loss[k]), "end": float(loss[k + 1]), "at": at}
        yield Fact("", "largest rise", text, values, (before, at), salience=0.45)


# ---------------------------------------------------------------------- phases


def _phase_fact(run: RecordedRun, phase: Phase, height: float, peaks_at: Rows) -> Fact:
    a, b = phase.start, last_of(phase, run.loss)
    values = {"kind": phase.kind, "label": phase.label, "from": a, "to": b}
    if not (np.isfinite(run.loss[a : b + 1]) & run.accepted[a : b + 1]).any():
        text = f"From iteration {a} on the loss was {phase.label}."
        if b == a:
            text = f"At iteration {a}, the last one, the loss was {phase.label}."
        return Fact("", "phase", text, values, (a, b), salience=0.95)
    rows = a + np.flatnonzero(np.isfinite(run.loss[a : b + 1]) & run.accepted[a : b + 1])
    part = run.loss[rows]
    start, end = float(part[0]), float(part[-1])
    values |= {"start": start, "end": end}
    first, second = pair(start, end)
    span = f"between iterations {a} and {b}"
    if phase.kind == "oscillation":
        text, found = _swinging(run.loss, rows, span, peaks_at)
        values |= found
    elif is_noisy(phase):
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
    if name := _newcomer(run, a):
        values["optimizer"] = name
        text = f"{name} took over: {text[0].lower()}{text[1:]}"
    return Fact("", "phase", text, values, (a, b), salience=0.8)


def _newcomer(run: RecordedRun, start: int) -> str:
    """Return the optimizer that starts at a later evaluation, if its name is not that of the one before."""
    if start not in optimizer_starts(run):
        return ""
    starts = [event for event in optimizer_events(run) if "loss" in event.values]
    names = [str(event.values["optimizer"]) for event in starts if event.evaluation <= start]
    return names[-1] if len(names) > 1 and names[-1] != names[-2] else ""


def _peaks(loss: NDArray[np.float64], finite: Rows) -> Rows:
    """Return where the loss had peaks that a reader sees."""
    logarithmic, threshold = visible_swing(loss[finite])
    return finite[peaks(np.log10(loss[finite]) if logarithmic else loss[finite], threshold)]


def _swinging(loss: NDArray[np.float64], rows: Rows, span: str, peaks_at: Rows) -> tuple[str, dict[str, float]]:
    """Tell of a loss that rises and falls by turns: how often, and whether its peaks sink."""
    found = peaks_at[(peaks_at >= rows[0]) & (peaks_at <= rows[-1])]
    low, high = float(loss[rows].min()), float(loss[rows].max())
    values = {"low": low, "high": high}
    if len(found) >= _FEWEST_PEAKS and found[-1] - found[0] > _FAST * (len(found) - 1):
        period = float(found[-1] - found[0]) / (len(found) - 1)
        first, last = float(loss[found[0]]), float(loss[found[-1]])
        one, two = pair(first, last)
        values |= {"period": period, "peaks": len(found), "first_peak": first, "last_peak": last}
        text = f"The loss rose and fell by turns {span}, with a peak about every {number(period)} iterations"
        if one != two:
            text += f"; its peaks {'sank' if last < first else 'grew'} from {one} to {two}"
        return text + ".", values
    one, two = pair(low, high)
    return f"The loss went up and down by turns {span}, never below {one} and never above {two}.", values
