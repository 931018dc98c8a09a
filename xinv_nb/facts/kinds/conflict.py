"""When two terms of the loss pulled the parameters in opposite directions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.names import watched
from xinv_nb.facts.measures.opposition import METHOD, Pair, longest
from xinv_nb.language.slots import Count, Iteration, Listed, Slot, Value

_OPPOSED = -0.3
"""Cosine below which two pulls are against each other."""
_FEWEST = 2
_SHORTEST = 20
"""One in so many of the evaluations looked at is the least that makes a conflict."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield the longest stretch in which two terms pulled against each other, of those that did most."""
    for pair in evidence.opposed_pairs:
        opposed = pair.cosines < _OPPOSED
        start, stop = longest(opposed)  # of a sample of the iterations: it may have begun earlier and ended later
        if stop - start >= max(_FEWEST, len(pair.rows) // _SHORTEST):
            yield _conflict(evidence, pair, start, stop)


def _conflict(evidence: Evidence, pair: Pair, start: int, stop: int) -> Fact:
    a, b = int(pair.rows[start]), int(pair.rows[stop - 1])
    form = "between"
    if stop - start == len(pair.rows):
        form = "at all"
    elif stop == len(pair.rows):
        form = "from some iteration on"
    elif start == 0:
        form = "until some iteration"
    slots: dict[str, Slot] = {"terms": Listed(tuple(watched(evidence.watches[name]) for name in pair.names))}
    slots |= {"first": Iteration(a), "last": Iteration(b), "looked_at": Count(stop - start)}
    slots["cosine"] = Value(float(np.mean(pair.cosines[start:stop])))
    span = a, evidence.last if stop == len(pair.rows) else b
    cites = _seen(evidence, pair, span)
    return KIND.fact(form, span, 0.7, slots, cites=cites, data={"from": a, "to": b})


def _seen(evidence: Evidence, pair: Pair, span: tuple[int, int]) -> tuple[str, ...]:
    """Return the events that tell of a parameter that the two terms pull to opposite sides."""
    found = []
    for event in evidence.run.events_as_recorded():
        if event.kind == "terms":
            sides = [side for name in pair.names for side in ("less", "more") if name in event.values[side]]
            if span[0] <= event.evaluation <= span[1] and sorted(sides) == ["less", "more"]:
                found.append(event.id)
    return tuple(found)


KIND = Kind(
    name="conflict",
    question=Question.GRADIENT,
    rank=43,
    slots={"terms": Listed, "first": Iteration, "last": Iteration, "looked_at": Count, "cosine": Value},
    compute=compute,
    method=METHOD,
)
