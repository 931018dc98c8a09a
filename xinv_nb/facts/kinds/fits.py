"""What several fits of one objective have in common and what sets them apart; and evaluations that are no fit's.

Method: fits are told apart by the calls of optimizers, by points that are an earlier start again, and by jumps that no
step explains (see `measures.fits`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.fit import Fit, iterates_of_fit
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.ends_of_fits import ends_of
from xinv_nb.facts.measures.names import named_optimizer, values_of
from xinv_nb.facts.measures.objectives import by_themselves
from xinv_nb.facts.measures.stretch import Stretch
from xinv_nb.facts.story import Parts
from xinv_nb.language.slots import (
    Clause,
    Count,
    Iteration,
    Listed,
    LossValue,
    Named,
    Said,
    Slot,
    Value,
    Word,
    loss_pair,
)
from xinv_nb.recorded.run import RecordedRun

UNNAMED = "objective"
"""What an objective is called that has no name in the program."""
_MOST_TOLD = 6
"""Fits of which each end is told; of more, the lowest and the highest."""
_AS_LOW = 1e-3
"""Share of the spread of all ends, and of the lowest, within which another fit reached the lowest loss as well."""
_SAME_PLACE, _OTHER_PLACE = 1e-3, 0.1
"""Share of the way from the starts within which two fits ended at one point, and from which on at two."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield how many fits there were, what differed, how each ended, where, and of which is told; then the looks.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for rate in (0.1, 0.4):
    ...         x = 4.0
    ...         for _ in range(8):
    ...             run.add(x**2, x, 2 * x)
    ...             x -= rate * 2 * x
    >>> for fact in run.facts:
    ...     if fact.kind == "fits":
    ...         print(fact.text)
    2 fits were made from the same start, with step sizes of 0.1 and 0.4; they ended at losses of 0.704 and 2.62×10⁻⁹.
    The lowest loss of all, 2.62×10⁻⁹, is that of number 2; what follows tells of it: iterations 8 to 15.
    Number 2 was lowest with x at 5.12×10⁻⁵.
    """
    parts = evidence.parts
    if parts is None:
        return
    start, stop = parts.story
    if any(not start <= fit.start < stop for fit in parts.fits):
        yield from _several(evidence, parts)
    yield from _inner(evidence)
    yield from _of_objectives(evidence, parts)
    yield from _looks(parts)
    if handed := [row for row in evidence.run.history.handed if start <= row < stop]:
        slots: dict[str, Slot] = {"times": Count(len(handed))} if len(handed) > 1 else {}
        yield KIND.fact("handed over" if slots else "handed over, once", (start, stop - 1), 0.9, slots)
    for first, last in evidence.run.chosen_spans:
        within = sum(first < part.stop and part.start <= last for part in parts.stretches)
        if within > 1:
            slots = {"first": Iteration(first), "last": Iteration(last), "count": Count(within)}
            yield KIND.fact("crossing", (first, last), 0.5, slots)


def _several(evidence: Evidence, parts: Parts) -> Iterator[Fact]:
    run, fits = evidence.run, parts.fits
    whole = (0, evidence.last)
    ends = np.array([_end(run, fit) for fit in fits])
    form, slots = _what_differed(run, parts)
    slots |= {"count": Count(len(fits))}
    finite = ends[np.isfinite(ends)]
    if len(fits) <= _MOST_TOLD and len(finite) == len(ends):
        slots["ends"] = Listed(tuple(LossValue(float(end)) for end in ends))
    elif len(finite):
        slots |= dict(zip(("least", "most"), loss_pair(float(finite.min()), float(finite.max())), strict=True))
        slots |= {"broken": Count(len(ends) - len(finite))} if len(finite) < len(ends) else {}
    told = "" if len(finite) == len(ends) and len(fits) <= _MOST_TOLD else ", many" if len(finite) else ", broken"
    shown = fits[parts.shown]
    start, stop = parts.story
    if run.status == "running":  # the last of them has not ended
        slots = {"best": Count(parts.shown + 1), "first": Iteration(start), "last": Iteration(stop - 1)}
        yield KIND.fact("another", (start, stop - 1), 1.0, slots)
        return
    yield KIND.fact(f"{form}{told}", whole, 1.0, slots, data={"ends": ends.tolist()})
    slots = {"best": Count(parts.shown + 1), "first": Iteration(start), "last": Iteration(stop - 1)}
    lowest = float(run.loss[shown.best])
    values = [float(run.loss[fit.best]) for fit in fits]
    is_best = parts.are_comparable and np.isfinite(lowest) and not any(value < lowest for value in values)
    as_low = [k for k, value in enumerate(values) if is_best and _is_as_low(value, lowest, values)]
    known = ends_of(run, fits, parts.stretches)
    by_precision = [k for k, end in enumerate(known) if is_best and end.is_as_low_as(known[parts.shown])]
    is_by_precision = not set(by_precision) <= set(as_low)
    as_low = sorted({*as_low, *by_precision})
    several = len(as_low) > 1
    if is_best:
        slots |= {"lowest": LossValue(lowest)} | ({"times": Count(len(as_low))} if several else {})
        slots |= _place(run, [fits[k] for k in as_low]) if several else {}
    form = ("reached by several" if several else "the lowest") if is_best else "another"
    form += ", by precision" if several and is_by_precision else ""
    yield KIND.fact(form, (start, stop - 1), 1.0, slots)
    yield from _point(run, parts)


def _point(run: RecordedRun, parts: Parts) -> Iterator[Fact]:
    """Yield where the loss of the fit that is told of was lowest, and from which start, where the fits have several."""
    entries, (start, stop) = run.entries(), parts.story
    if run.history.kept is not None or not entries or any(entry.statistic for entry in entries):
        return
    shown = parts.fits[parts.shown]
    columns = {entry: run.column(entry) for entry in entries}
    slots: dict[str, Slot] = {"best": Count(parts.shown + 1)}
    slots["point"] = values_of([(entry, float(column[shown.best])) for entry, column in columns.items()])
    if any((column[fit.start] != column[shown.start]).any() for fit in parts.fits for column in columns.values()):
        slots["from"] = values_of([(entry, float(column[shown.start])) for entry, column in columns.items()])
    form = "point" if parts.are_comparable else "point, of its own"  # else it would seem the lowest of all
    yield KIND.fact(form, (start, stop - 1), 0.9, slots)


def _end(run: RecordedRun, fit: Fit) -> float:
    """Return the last loss of a fit that was accepted."""
    accepted = iterates_of_fit(run, fit)
    return float(run.loss[accepted[-1] if len(accepted) else fit.stop - 1])


def _is_as_low(value: float, lowest: float, values: Sequence[float]) -> bool:
    finite = [v for v in values if np.isfinite(v)]
    return value - lowest <= _AS_LOW * min(max(finite) - lowest, abs(lowest)) or value == lowest


def _what_differed(run: RecordedRun, parts: Parts) -> tuple[str, dict[str, Slot]]:
    """Return what sets the fits apart: data, starts, step sizes or optimizers, as far as one of them alone does."""
    fits = parts.fits
    if not parts.are_comparable:
        return "of different data", {}
    history = run.history
    starts = {history.values.array[history.row_of(fit.start)].tobytes() for fit in fits}
    optimizers = [fit.optimizer for fit in fits]
    sizes = [fit.options.get("step_size") for fit in fits]
    same_start = len(starts) == 1
    if len(set(optimizers)) > 1 and all(optimizers):
        names = Listed(tuple(Said(name) for name in dict.fromkeys(optimizers)))
        return "by different optimizers" if same_start else "by different optimizers, from several starts", {
            "optimizers": names
        }
    slots: dict[str, Slot] = {"optimizer": Said(optimizers[0])} if optimizers[0] and len(set(optimizers)) == 1 else {}
    if same_start and len(set(sizes)) == len(sizes) <= _MOST_TOLD and None not in sizes:
        return "with different step sizes", slots | {"sizes": Listed(tuple(Value(float(s)) for s in sizes if s))}
    if len(starts) == len(fits):
        return "from different starts", slots
    return "from the same start" if same_start else "from several starts", slots


def _place(run: RecordedRun, fits: Sequence[Fit]) -> dict[str, Slot]:
    """Return whether fits that ended as low ended at one point; nothing where neither is clear."""
    history = run.history
    ends = np.array([history.values.array[history.row_of(fit.best)] for fit in fits])
    starts = np.array([history.values.array[history.row_of(fit.start)] for fit in fits])
    scale = max(float(np.abs(ends - starts).max()), float(np.abs(ends).max()))
    apart = float(np.abs(ends - ends[0]).max())
    if not np.isfinite(apart) or not scale > 0:
        return {}
    if apart <= _SAME_PLACE * scale:
        return {"place": Word("the same point")}
    return {"place": Word("different points")} if apart >= _OTHER_PLACE * scale else {}


def _inner(evidence: Evidence) -> Iterator[Fact]:
    """Yield what was minimized inside of the objective that is shown."""
    run = evidence.run
    for history in run.histories if not run.history.nested else ():
        if history.nested:
            slots: dict[str, Slot] = {"times": Count(history.nested), "count": Count(len(history))}
            is_named = history.objective not in (run.history.objective, UNNAMED)
            slots |= {"inner": Said(history.objective), "outer": Said(run.history.objective)} if is_named else {}
            form = ("between" if history.is_between else "inner") + ("" if is_named else ", unnamed")
            yield KIND.fact(form, (0, evidence.last), 1.0, slots)


def _of_objectives(evidence: Evidence, parts: Parts) -> Iterator[Fact]:
    """Yield that solvers minimized several objectives, each by itself, and which of them is told of."""
    found = by_themselves(parts.run)
    if len(found) < 2 or parts.run.status == "running" or not any(each.history is parts.run.history for each in found):
        return
    ends = [float(each.loss[each.iterates[-1]]) for each in found]
    slots: dict[str, Slot] = {"count": Count(len(found)), "shown": Said(found[0].history.objective or UNNAMED)}
    form = "objectives, many"
    if len(found) <= _MOST_TOLD and np.isfinite(ends).all():
        form, named = "objectives", [each.history.objective or UNNAMED for each in found]
        slots["objectives"] = Listed(
            tuple(
                Clause("objective at", {"objective": Said(name), "loss": LossValue(end)})
                for name, end in zip(named, ends, strict=True)
            )
        )
    yield KIND.fact(form, (0, evidence.last), 1.0, slots, data={"ends": ends})


def _looks(parts: Parts) -> Iterator[Fact]:
    for part in (each for whole in parts.stretches for each in (whole, *whole.looks)):
        if part.look in ("grid", "line", "scan", "check", "again", "search", "scatter"):
            salience = 1.0 if parts.is_plot else 0.6
            yield KIND.fact(_form(part), (part.start, part.stop - 1), salience, _of(part))
        elif part.look == "solve":
            lowest = float(np.fmin.reduce(parts.run.loss[part.start : part.stop]))
            is_lower = lowest < min(parts.run.loss[fit.best] for fit in parts.fits)
            slots = {**_of(part), "lowest": Value(lowest)}
            yield KIND.fact("look, solve", (part.start, part.stop - 1), 1.0 if is_lower else 0.6, slots)
        if part.within:
            solvers = {call.optimizer for call in part.within}
            form = "interrupted" if len(solvers) == 1 else "interrupted by several"
            slots = {"search": named_optimizer(part.within[0].optimizer)} if len(solvers) == 1 else {}
            form += ", once" if len(part.within) == 1 else ""
            slots |= {"times": Count(len(part.within))} if len(part.within) > 1 else {}
            yield KIND.fact(form, (part.start, part.stop - 1), 0.9, slots)


def _form(part: Stretch) -> str:
    return f"look, {part.look}" + (", one" if part.stop - part.start == 1 else "")


def _of(part: Stretch) -> dict[str, Slot]:
    slots: dict[str, Slot] = {"first": Iteration(part.start)}
    if part.stop - part.start > 1:
        slots |= {"last": Iteration(part.stop - 1), "count": Count(part.stop - part.start)}
    if part.call is not None:
        slots["search"] = named_optimizer(part.call.optimizer)
    return slots


KIND = Kind(
    name="fits",
    question=Question.COMPARISON,
    rank=5,
    slots={
        "count": Count,
        "optimizer": Said,
        "optimizers": Listed,
        "sizes": Listed,
        "ends": Listed,
        "least": Value,
        "most": Value,
        "broken": Count,
        "best": Count,
        "lowest": Value,
        "times": Count,
        "place": Word,
        "first": Iteration,
        "last": Iteration,
        "point": Listed,
        "from": Listed,
        "search": Named,
        "objectives": Listed,
        "shown": Said,
        "inner": Said,
        "outer": Said,
    },
    compute=compute,
    method="calls of optimizers; points that are an earlier start again; jumps out of scale with the steps before",
    asked_with=r"\b(?:fits|starts|restarts?|starting (?:points?|values?)|several"
    r"|which (?:fit|start|run|step(?: ?size)?|(?:learning )?rate|method|optimi[sz]er|solver"
    r"|one (?:is|was|did|works?|worked|won|gave|ended|reached))\b"
    r"|(?:best|lowest|winning) (?:one|fit|start|run|result|solution|values?|parameters?|point|answer))\b",
    of_fits=True,
)
