"""Where each of several fits ended, at how many points they did, and why one ended higher than the best.

Method: the points with the lowest losses, measured by the longest way from a start; the solvers' own words of their
ends, and the decrease over the last tenth of each fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.blocks import blocks_of
from xinv_nb.facts.measures.ends_of_fits import End, distances, ends_of, places
from xinv_nb.facts.measures.names import values_of
from xinv_nb.facts.story import Parts
from xinv_nb.language.slots import Clause, Count, Listed, Slot, Value, pair
from xinv_nb.recorded.endings import why_of
from xinv_nb.recorded.run import RecordedRun

MOST = 6
"""Fits of which each is told by itself."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield at how many points the fits ended, which of the lowest took the fewest evaluations, then each by itself.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for rate in (0.1, 0.4):
    ...         x = 4.0
    ...         for _ in range(8):
    ...             run.add(x**2, x, 2 * x)
    ...             x -= rate * 2 * x
    >>> for fact in [fact for fact in run.facts if fact.kind == "ends"][1:]:
    ...     print(fact.text)
    Number 1 ended at a loss of 0.704 with x at 0.839, after 8 iterations.
    Number 2 ended at a loss of 2.62×10⁻⁹ with x at 5.12×10⁻⁵, after 8 iterations.
    Number 1 ended higher than number 2, at 0.704 against 2.62×10⁻⁹: its loss was still falling when it ended.
    """
    run, parts = evidence.run, evidence.parts
    if parts is None or len(parts.fits) < 2 or run.status == "running" or blocks_of(run):
        return
    ends = ends_of(run, parts.fits, parts.stretches)
    start, stop = parts.story
    if any(not start <= fit.start < stop for fit in parts.fits):  # else one went on from where the other ended
        yield from _places(run, parts, ends)
        yield from _fewest(parts, ends)
    if len(ends) <= MOST:
        yield from (of_one(run, end) for end in ends)
        yield from (fact for end in ends if (fact := why_higher(run, parts, end.number)) is not None)


def of_one(run: RecordedRun, end: End) -> Fact:
    """Return where one fit ended."""
    span = (end.fit.start, end.fit.stop - 1)
    slots: dict[str, Slot] = {"number": Count(end.number), "loss": Value(end.loss)}
    slots["evaluations"] = Count(end.fit.stop - end.fit.start - sum(stop - first for first, stop in end.fit.looks))
    entries = run.entries()
    if run.history.kept is None and entries and not any(entry.statistic for entry in entries):
        slots["point"] = values_of([(entry, float(run.column(entry)[end.row])) for entry in entries])
    why = None if end.call is None else why_of({"optimizer": end.call.optimizer, **end.call.ending})
    slots |= {} if why is None else {"why": why}
    return KIND.fact("of one", span, 0.1, slots, data={"number": end.number})


def why_higher(run: RecordedRun, parts: Parts, number: int) -> Fact | None:
    """Return why a fit ended higher than the lowest, as far as the recording shows; None where it does not."""
    ends = ends_of(run, parts.fits, parts.stretches)
    end = ends[number - 1]
    finite = [each for each in ends if np.isfinite(each.lowest)]
    if not parts.are_comparable or not finite:
        return None
    best = min(finite, key=lambda each: each.lowest)
    if not end.loss > best.lowest or end is best or end.is_noisy or best.is_noisy:
        return None
    form = _why(run, end, best)
    if form is None:
        return None
    loss, lowest = pair(end.loss, best.lowest)
    slots: dict[str, Slot] = {"number": Count(number), "loss": loss}
    slots |= {"best": Count(best.number), "lowest": lowest}
    if form == "why, precision" and loss.looks_like(lowest):
        form, slots["loss"] = "as low", Value(end.loss)
    if form == "why, rose":
        slots["own"] = Value(end.lowest)
    span = (end.fit.start, end.fit.stop - 1)
    return KIND.fact(form, span, 0.1, slots, data={"number": number})


def _why(run: RecordedRun, end: End, best: End) -> str | None:
    if not np.isfinite(end.loss):
        return "why, broken"
    if end.is_as_low_as(best):
        return "why, precision"
    apart = distances(run, [end, best])
    groups = None if apart is None else places(apart)
    is_elsewhere = groups is not None and len(groups) == 2
    if end.has_converged:
        return "why, another point" if is_elsewhere else None
    if end.is_out:
        return "why, out"
    if end.is_level and is_elsewhere:
        return "why, level at another point"
    if end.has_risen:
        return "why, rose"
    return "why, falling" if end.is_falling else None


def _places(run: RecordedRun, parts: Parts, ends: Sequence[End]) -> Iterator[Fact]:
    """Yield at how many points the fits ended, where that is clear."""
    apart = distances(run, ends)
    groups = None if apart is None else places(apart)
    if groups is None or not parts.are_comparable or not all(np.isfinite(end.lowest) for end in ends):
        return
    span = (0, run.evaluations - 1)
    rested = sum(end.has_converged for end in ends)
    slots: dict[str, Slot] = {"count": Count(len(ends))}
    form = "one point" if len(groups) == 1 else "points"
    if len(groups) > 1:
        slots["places"] = Count(len(groups))
        if len(groups) <= MOST:
            slots["losses"] = Listed(tuple(_of_place([ends[k] for k in group]) for group in groups))
    if rested == len(ends):
        form += ", all converged"
    elif all(end.is_level for end in ends):
        form += ", all level"
    elif rested:
        form += ", some converged"
        slots["rested"] = Count(rested)
    yield KIND.fact(form, span, 0.3, slots, data={"groups": groups})


def _of_place(ends: Sequence[End]) -> Slot:
    loss = Value(min(end.lowest for end in ends))
    return Clause("by several fits", {"value": loss, "count": Count(len(ends))}) if len(ends) > 1 else loss


def _fewest(parts: Parts, ends: Sequence[End]) -> Iterator[Fact]:
    """Yield which of the fits that ended as low as the lowest took the fewest evaluations, if there are several."""
    finite = [end for end in ends if np.isfinite(end.lowest)]
    if not parts.are_comparable or not finite:
        return
    best = min(finite, key=lambda end: end.lowest)
    as_low = [end for end in finite if end is best or end.is_as_low_as(best)]
    counts = sorted(end.fit.stop - end.fit.start for end in as_low)
    if len(as_low) > 1 and counts[0] < counts[1]:
        first = min(as_low, key=lambda end: end.fit.stop - end.fit.start)
        slots: dict[str, Slot] = {"number": Count(first.number), "evaluations": Count(counts[0])}
        slots["count"] = Count(len(as_low))
        yield KIND.fact("fewest", (first.fit.start, first.fit.stop - 1), 0.2, slots)


KIND = Kind(
    name="ends",
    question=Question.COMPARISON,
    rank=6,
    slots={
        "number": Count,
        "loss": Value,
        "point": Listed,
        "evaluations": Count,
        "why": Clause,
        "best": Count,
        "lowest": Value,
        "own": Value,
        "count": Count,
        "places": Count,
        "losses": Listed,
        "rested": Count,
    },
    compute=compute,
    method="points with the lowest losses by the longest way from a start; the solvers' own words of their ends",
    of_fits=True,
)
