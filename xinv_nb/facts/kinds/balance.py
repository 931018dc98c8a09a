"""Where two terms of the loss held each other in balance at the end.

Where two gradients are opposed and of equal size, no small step lowers both (Désidéri 2012).
"""

from __future__ import annotations

from collections.abc import Iterator

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.names import watched
from xinv_nb.language.slots import Named, Slot, Value

_BALANCED = -0.95
"""Cosine below which two pulls are opposed throughout."""
_EVEN = 0.7
"""Share of the stronger pull from which the weaker one holds it in balance."""
_LATE = 0.9
"""Share of the run after which its end is looked at."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield the terms that pulled in opposite directions with about equal strength at the end."""
    for pair in evidence.opposed_pairs:
        row, cosine, even = int(pair.rows[-1]), float(pair.cosines[-1]), float(pair.evenness[-1])
        if row >= _LATE * evidence.last and cosine < _BALANCED and even > _EVEN:
            term, other = (watched(evidence.watches[name]) for name in pair.names)
            slots: dict[str, Slot] = {"term": term, "other": other}
            slots["cosine"] = Value(cosine)
            yield KIND.fact("balanced", (row, row), 0.7, slots, data={"terms": pair.names, "even": even})


KIND = Kind(
    name="balance",
    question=Question.GRADIENT,
    rank=44,
    slots={"term": Named, "other": Named, "cosine": Value},
    compute=compute,
    method="cosine and sizes of the terms' gradients at the end (Désidéri 2012)",
)
