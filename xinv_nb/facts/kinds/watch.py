"""How a watched quantity changed, over the run and in each of its phases, and what the gradient asked of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact, Phase
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.names import watched
from xinv_nb.facts.measures.phases import last_of
from xinv_nb.facts.measures.precision import is_constant, returned
from xinv_nb.facts.measures.watched import is_loss, share_of_range
from xinv_nb.language.slots import Asked, Named, Slot, Value, Way, Word, pair
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.recorded.watch import Watch

_TOLD = 0.05
"""Share of its range over the whole run from which a change in one stretch is told."""
MOST = 6
"""Quantities told of in the order of the run's programme."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield the change of each watched quantity over the run, then what changed in each phase.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> with xi.record() as run:
    ...     slopes = [grad(lambda x: (xi.watch(x, "depth", "m") - 1) ** 2)(x) for x in (4.0, 3.5, 3.0)]
    >>> next(fact for fact in run.facts if fact.kind == "watch").text
    'Depth fell from 4 to 3 m; all along, a lower depth would lower the loss.'
    """
    run = evidence.run
    for place, (watch, values) in enumerate(evidence.followed):
        if fact := _changed(run, watch, values, 0, evidence.last, 0.8 if place < MOST else 0.4):
            yield fact
    for phase in evidence.phases if len(evidence.phases) > 1 else ():
        yield from changes_in(evidence, phase)


def changes_in(evidence: Evidence, phase: Phase) -> Iterator[Fact]:
    """Yield the change of each watched quantity in one stretch of the run."""
    a, b = phase.start, last_of(phase, evidence.run.loss)
    for watch, values in evidence.followed:
        if share_of_range(values, a, b) > _TOLD and (fact := _changed(evidence.run, watch, values, a, b, 0.5)):
            yield fact


def _changed(run: RecordedRun, watch: Watch, values: Floats, a: int, b: int, salience: float) -> Fact | None:
    start, end = float(values[a]), float(values[b])
    if not np.isfinite(end - start):
        return None
    cotangents = np.real(watch.cotangents[a : max(b, a + 1)])
    first, second = pair(start, end, watch.unit)
    slots: dict[str, Slot] = {"quantity": watched(watch), "start": first, "end": second}
    slots |= {"went": Way(end - start), "up": Word("up" if end > start else "down")}
    form = "changed"
    if a == b:
        form = "was"
    elif is_constant(values[a : b + 1]):
        form = "stayed"
    elif first.looks_like(second) or returned(values[a : b + 1]):
        form = "returned"
    # A term of the loss has a constant weight: that less of it would lower the loss goes without saying.
    is_term = bool((cotangents > 0).all() and np.allclose(cotangents, cotangents[0]))
    one_way = bool((cotangents > 0).all() or (cotangents < 0).all())
    if one_way and not is_term:
        form += ", asked"
        slots["asked"] = Asked(watch.name, float(cotangents[0]))
    loss = is_loss(values, run.loss)
    data: dict[str, float] = {"from": a, "to": b, "is_term": is_term, "is_loss": loss}
    if np.isfinite(cotangents[0]):  # of what was handed over by hand it is not known
        data["cotangent"] = float(cotangents[0])
    return KIND.fact(form, (a, b), 0.2 if loss else salience, slots, data=data)


KIND = Kind(
    name="watch",
    question=Question.SIMULATION,
    rank=20,
    slots={"quantity": Named, "start": Value, "end": Value, "went": Way, "up": Word, "asked": Asked},
    compute=compute,
    method="values at the ends of the run and of each phase, with what the gradient asked of it where that began",
    of_samples=True,
)
