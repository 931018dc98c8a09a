"""Which parameters swing to and fro with a period, and whether the swings grow or die (see `measures.turning`)."""

from __future__ import annotations

from collections.abc import Iterator

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.names import named
from xinv_nb.facts.measures.turning import swinging
from xinv_nb.language.slots import Iteration, Named, Slot, Value

_MOST = 4
_STEADY = 0.01
"""Share by which each swing may differ from the one before and still be as long."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield the regular swings of parameters, with period and damping."""
    for place, (track, swing) in enumerate(swinging(evidence)[:_MOST]):
        first, last = (int(evidence.iterates.rows[at]) for at in (swing.start, swing.stop))
        unit = track.entry.parameter.unit
        slots: dict[str, Slot] = {"parameter": named(track.entry), "from": Iteration(first), "to": Iteration(last)}
        slots |= {"period": Value(swing.period), "ratio": Value(swing.ratio)}
        slots |= {"first": Value(swing.first, unit), "last": Value(swing.last, unit)}
        form = "as long each time" if abs(swing.ratio - 1) < _STEADY else "less" if swing.ratio < 1 else "more"
        yield KIND.fact(form, (first, last), 0.7 if place == 0 else 0.45, slots)


KIND = Kind(
    name="swing",
    question=Question.MOVEMENT,
    rank=32,
    slots={
        "parameter": Named,
        "from": Iteration,
        "to": Iteration,
        "period": Value,
        "ratio": Value,
        "first": Value,
        "last": Value,
    },
    compute=compute,
    method="regular distances of turning points (Downing & Socie 1982); damping as of the heavy ball (Polyak 1964)",
)
