"""Which parameters lay at a bound or beyond it, and whether the gradient held them there.

Method: at the minimum of a bounded problem the gradient still points across an active bound (the Karush-Kuhn-Tucker
conditions; Byrd, Lu, Nocedal and Zhu 1995): the loss would fall further outside.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.iterates import Track
from xinv_nb.facts.measures.names import named
from xinv_nb.facts.measures.precision import tolerance
from xinv_nb.language.slots import Count, Iteration, Named, Slot, Value, Word
from xinv_nb.recorded.run import RecordedRun

_MOST = 6

Reported = dict[tuple[int, float], tuple[str, ...]]
"""From side and bound to the events that tell of it."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield for each bound that a parameter reached from when to when it lay there, and what the gradient asked."""
    if evidence.last < 1 or not len(evidence.iterates):
        return
    told = 0
    reported = _reported(evidence.run)
    for track in evidence.iterates.numbers:
        known: Reported = {
            (side, float(bound)): ()
            for side, bound in zip((-1, 1), track.entry.parameter.bounds or (), strict=False)
            if bound is not None
        }
        for (side, bound), cites in (known | reported.get(track.entry.column, {})).items():
            if told < _MOST and (fact := _at_bound(evidence, track, side, bound, cites)):
                told += 1
                yield fact


def _reported(run: RecordedRun) -> dict[int | None, Reported]:
    """Return the bounds that the optimizer was seen to reach, by the column of the parameter."""
    found: dict[int | None, Reported] = {}
    for event in run.events_as_recorded():
        if event.kind == "bound":
            key = -1 if event.values["side"] == "lower" else 1, float(event.values["bound"])
            of_column = found.setdefault(event.column, {})
            of_column[key] = (*of_column.get(key, ()), event.id)
    return found


def _at_bound(evidence: Evidence, track: Track, side: int, bound: float, cites: tuple[str, ...]) -> Fact | None:
    rows, unit = evidence.iterates.rows, track.entry.parameter.unit
    beyond = side * (track.values - bound)
    near = tolerance(bound, track.range if track.range > 0 else 1.0)
    there = np.flatnonzero(beyond >= -near)
    if not len(there) or not np.isfinite(track.values[there]).all():
        return None
    first, last = int(rows[there[0]]), int(rows[there[-1]])
    slots: dict[str, Slot] = {"parameter": named(track.entry), "bound": Value(bound, unit)}
    slots |= {"side": Word("lower" if side < 0 else "upper"), "first": Iteration(first), "last": Iteration(last)}
    slots["iterates"] = Count(len(there))
    if beyond.max() > near:
        first = int(rows[np.flatnonzero(beyond > near)[0]])
        slots |= {"first": Iteration(first), "farthest": Value(float(track.values[np.argmax(beyond)]), unit)}
        return KIND.fact("beyond", (first, evidence.last), 0.7, slots, cites=cites)
    through = len(there) == there[-1] - there[0] + 1
    if through and there[-1] == len(rows) - 1:
        known = there[np.isfinite(track.slopes[there])]  # some solvers ask for no slope at their last point
        pull = -side * float(track.slopes[known[-1]]) if len(known) else np.nan
        form = ("from an iteration" if first > 0 else "all along") + _held(pull)
        salience = 0.8 if pull > 0 else 0.6
        data = {"pull": pull} if np.isfinite(pull) else {}
        return KIND.fact(form, (first, evidence.last), salience, slots, cites=cites, data=data)
    form = "touched once" if first == last else "touched" if through else "touched at times"
    return KIND.fact(form, (first, last), 0.4, slots, cites=cites)


def _held(pull: float) -> str:
    """Return whether the gradient holds a parameter at a bound, as a part of a form."""
    return ", held" if pull > 0 else ", let go" if pull < 0 else ""


KIND = Kind(
    name="bound",
    asked_with=r"\b(?:bound|limit|constraint)s?\b",
    question=Question.MOVEMENT,
    rank=35,
    slots={
        "parameter": Named,
        "bound": Value,
        "side": Word,
        "first": Iteration,
        "last": Iteration,
        "iterates": Count,
        "farthest": Value,
    },
    compute=compute,
    method="the Karush-Kuhn-Tucker conditions at an active bound (Byrd, Lu, Nocedal & Zhu 1995)",
)
