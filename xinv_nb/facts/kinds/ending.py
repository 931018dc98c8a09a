"""How the run ended: what stopped it, whether the end is a minimum, and how near it came to a known truth.

Method: first-order optimality, measured by the gradient's norm beside the largest of the run, and the decrease at the
end (Gill, Murray & Wright 1981, section 8.2.3; Dennis & Schnabel 1983, section 7.2).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.fact import Fact, Phase
from xinv_nb.facts.kinds.course import is_noisy
from xinv_nb.facts.kinds.movement import subject
from xinv_nb.facts.kinds.steps import norms
from xinv_nb.facts.measures.optimizers import last_stop
from xinv_nb.facts.measures.scale import quarters, visible_swing
from xinv_nb.language.quantities import number, pair, quantity, share, with_unit
from xinv_nb.recorded.run import RecordedRun

_LEVEL = 0.01
"""Share of the first gradient below which the last one is almost level."""
_FLAT = 1e-3
"""Share of the largest gradient of the run below which the end is level, as far as the recording shows."""
_LEVEL_FOR_SURE = 1e-6
"""The same where the loss still falls: only so that it comes nearer to its limit."""
_STEEP = 0.1
"""Share of the largest gradient from which on the end is no minimum."""
_UNCHANGED = 1e-3
"""Share of the loss, or of its range where it is looked at on a plain scale, below which it hardly changes any more."""
_LATE = 10
"""The last part of the run that is looked at: one in ten iterations."""


def ending(run: RecordedRun, phases: Sequence[Phase]) -> Iterator[Fact]:
    """Yield why the run ended, what its last gradient says, and parameters against their known true values.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> with xi.record() as run:
    ...     for x in (4.0, 2.0, 1.0):
    ...         slope = grad(lambda x: x**2)(x)
    >>> next(ending(run, run.phases)).text
    'The run ended after 3 iterations, while the loss was still falling, from 4 at iteration 1 to 1 at the end.'
    """
    if run.evaluations == 0:
        return
    last = run.evaluations - 1
    count = f"{run.evaluations} iteration{'' if run.evaluations == 1 else 's'}"
    values = {"iterations": run.evaluations}
    if run.status == "interrupted":
        yield Fact("", "ending", f"The run was stopped by hand after {count}.", values, (last, last), salience=1.0)
    elif run.status == "failed":
        text = f"The run broke off after {count}" + (f": {run.ending.rstrip('.')}." if run.ending else ".")
        yield Fact("", "ending", text, values, (last, last), salience=1.0)
    elif run.status == "finished":
        yield from _why(run, phases)
    if run.status != "running":
        yield from _last_gradient(run, phases)
        yield from _against_truth(run)


def gradient_sizes(run: RecordedRun) -> NDArray[np.float64]:
    """Return the Euclidean norm of the whole gradient at each evaluation, also of arrays of which a sample is kept."""
    sizes = norms(run, run.history.gradients.array)
    return sizes if len(run.kept) == run.evaluations else np.repeat(sizes, np.diff(run.kept, append=run.evaluations))


def end_of(run: RecordedRun) -> int:
    """Return the last evaluation that the optimizer accepted: what it tried after that, it left again."""
    return int(np.flatnonzero(run.accepted)[-1]) if run.accepted.any() else run.evaluations - 1


def _why(run: RecordedRun, phases: Sequence[Phase]) -> Iterator[Fact]:
    """Tell what stopped the run: in the words of its optimizer, or by what the loss was doing when it ended."""
    last, stop = run.evaluations - 1, last_stop(run)
    values: dict[str, object] = {"iterations": run.evaluations}
    if stop is not None and stop.values.get("message"):
        text = stop.text.replace(" stops after ", " stopped after ", 1).rstrip(".")
        values |= {"optimizer": stop.values["optimizer"], "message": stop.values["message"]}
        out_of = "as many" in stop.text
        doing, found = _doing(run, phases) if out_of else ("", {})
        yield Fact("", "ending", f"{text}{doing}.", values | found, (last, last), (stop.id,), salience=0.9)
        return
    if last == 0:
        return
    doing, found = _doing(run, phases)
    who = "The run ended"
    cites: tuple[str, ...] = ()
    if stop is not None:
        who, cites = f"{stop.values['optimizer']} stopped", (stop.id,)
    text = f"{who} after {run.evaluations} iterations{doing}."
    yield Fact("", "ending", text, values | found, (last, last), cites, salience=0.9)


def _doing(run: RecordedRun, phases: Sequence[Phase]) -> tuple[str, dict[str, object]]:
    """Say what the loss was doing when the run ended."""
    phase = phases[-1]
    values: dict[str, object] = {"doing": phase.kind}
    if not np.isfinite(run.loss[run.accepted][-1:]).all():
        values["doing"] = "broken"
        return f", with a loss that was {phase.label} since iteration {phase.start}", values
    if phase.kind == "oscillation":
        return ", while the loss was going up and down by turns", values
    if is_noisy(phase):
        noise = ", apart from its noise,"
        return {
            "plateau": ", when only noise still moved the loss",
            "rise": f", while the loss{noise} was rising",
        }.get(phase.kind, f", while the loss{noise} was still falling"), values
    if phase.kind in ("plateau", "converged"):
        return ", when the loss hardly changed any more", values
    rows = np.flatnonzero(run.accepted & np.isfinite(run.loss))
    rows = rows[rows >= phase.start]
    if len(rows) < 2:
        return "", values
    since = int(rows[-1 - max(len(rows) // _LATE, 1)])
    start, end = float(run.loss[since]), float(run.loss[rows[-1]])
    one, two = pair(start, end)
    whole = run.loss[run.accepted & np.isfinite(run.loss)]
    scale = abs(end) if visible_swing(whole)[0] else float(np.ptp(whole / 2)) * 2
    if one == two or abs(start - end) <= _UNCHANGED * scale:
        return ", when the loss hardly changed any more", values | {"doing": "plateau"}
    how = "still falling" if end < start else "rising"
    values |= {"doing": "descent" if end < start else "rise", "since": since, "from": start, "to": end}
    return f", while the loss was {how}, from {one} at iteration {since} to {two} at the end", values


def _last_gradient(run: RecordedRun, phases: Sequence[Phase]) -> Iterator[Fact]:
    sizes, last = gradient_sizes(run), end_of(run)
    known = run.has_gradients and np.isfinite(sizes[0])
    if last == 0 or not known or not np.isfinite(run.loss[[0, last]]).all():
        return
    if any(is_noisy(phase) for phase in phases):
        yield from _noisy_gradient(sizes, last)
        return
    start, end = float(sizes[0]), float(sizes[last])
    values = {"first": start, "last": end, "ratio": end / start if start else np.nan}
    subject = "At the end the slope (the size of the gradient)"
    first, second = pair(start, end)
    if not np.isfinite(end):
        text = f"{subject} was not a finite number."
    elif end == 0:
        text = f"{subject} was 0: level."
    elif start == 0:
        text = f"{subject} was {second}; at the start it was 0."
    elif first == second:
        text = f"{subject} was {second}, as steep as at the start."
    elif end > start:
        text = f"{subject} was {second}, steeper than the {first} at the start."
    else:
        text = f"{subject} was {second}, or {share(end / start)} of the {first} at the start"
        text += ": almost level in comparison." if end < _LEVEL * start else "."
    yield Fact("", "gradient", text, values, (0, last), salience=0.55)
    steepest = float(sizes[np.isfinite(sizes)].max())
    if np.isfinite(end) and steepest > 0:
        yield from _minimum(run, phases, end / steepest, last)


def _noisy_gradient(sizes: NDArray[np.float64], last: int) -> Iterator[Fact]:
    """Tell of the gradients of batches by their medians: a single one says nothing of the end."""
    early, late = quarters(sizes[: last + 1])
    one, two = pair(early, late)
    if not np.isfinite(early + late):
        return
    text = f"The size of the gradient had a median of {one} in the first quarter of the run and {two} in the last."
    if one == two:
        text = f"The size of the gradient had the same median, {one}, in the first and the last quarter of the run."
    yield Fact("", "gradient", text, {"early": early, "late": late}, (0, last), salience=0.3)


def _minimum(run: RecordedRun, phases: Sequence[Phase], steepness: float, last: int) -> Iterator[Fact]:
    """Judge whether the end is a minimum: a level point at which the loss falls no longer."""
    rows = np.flatnonzero(run.accepted & np.isfinite(run.loss))
    if len(rows) < 3 or rows[-1] != last:
        return
    loss = run.loss[rows]
    logarithmic, swing = visible_swing(loss)
    late = loss[-1 - max(len(loss) // _LATE, 1) :]
    fell = float(np.ptp(np.log10(late) if logarithmic else late))
    values = {"steepness": steepness, "late_fall": fell}
    lowest = bool(loss[-1] <= loss.min() + 1e-3 * np.ptp(loss / 2))
    if lowest and (steepness < _LEVEL_FOR_SURE or (steepness < _FLAT and fell < swing / 2)):
        text = "As far as the recording shows, the run ended at a minimum: it was level there, and nothing lower was "
        text += "found."
        yield Fact("", "minimum", text, values | {"minimum": True}, (0, last), salience=0.6)
    elif steepness > _STEEP and phases[-1].kind not in ("rise", "divergence") and not _is_bounded(run):
        text = "The end is no minimum yet, unless the loss has a kink there: the slope is still steep."
        yield Fact("", "minimum", text, values | {"minimum": False}, (0, last), salience=0.5)


def _is_bounded(run: RecordedRun) -> bool:
    """Whether a parameter may lie at a bound, where a minimum need not be level."""
    at_bound = any(event.kind == "bound" for event in run.events_as_recorded())
    return at_bound or any(entry.parameter.bounds for entry in run.entries())


def _against_truth(run: RecordedRun) -> Iterator[Fact]:
    last = end_of(run)
    for entry in run.entries():
        truth = entry.parameter.truth
        if truth is None or entry.statistic:
            continue
        end = float(run.column(entry)[last])
        if not np.isfinite(end):
            continue
        unit, name = entry.parameter.unit, subject(entry)
        first, second = pair(end, float(truth))
        if end == truth:
            text = f"{name} ended at {quantity(end, unit)}, its true value."
        elif first == second:
            text = f"{name} ended at {with_unit(number(end, 6), unit)}, its true value to six digits."
        else:
            text = f"{name} ended at {with_unit(first, unit)}; the true value is {with_unit(second, unit)}."
        yield Fact(
            "", "truth", text, {"parameter": entry.name, "end": end, "truth": truth}, (last, last), salience=0.75
        )
