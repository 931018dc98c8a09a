"""Where the gradient explodes along the simulation; the counterpart of `vanishing`."""

from __future__ import annotations

from collections.abc import Iterator

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.kinds.vanishing import along_simulation
from xinv_nb.language.slots import Named, Said, Value


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield the quantities whose cotangent grows by orders of magnitude on its way back."""
    for watch in evidence.watches.values():
        if (fact := along_simulation(watch)) and fact.kind == "exploding":
            yield fact


KIND = Kind(
    name="exploding",
    question=Question.GRADIENT,
    rank=48,
    slots={"quantity": Named, "first": Value, "last": Value, "here": (Value, Said), "there": (Value, Said)},
    compute=compute,
    method="size of the cotangent from place to place (Bengio et al. 1994; Pascanu et al. 2013)",
)
