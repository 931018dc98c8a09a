"""Which parameter earned each of the main drops of the loss."""

from __future__ import annotations

from collections.abc import Iterator

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.allocation import METHOD, SLOTS, can_be_split, split
from xinv_nb.facts.measures.phases import last_of
from xinv_nb.language.slots import Iteration

_MAIN = 0.15
"""Share of the whole fall from which the fall in one phase is a main drop."""
_MOST = 3


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield how each main drop of the loss splits between parameters, if the recorded path accounts for most of it."""
    if not can_be_split(evidence):
        return
    for span in _main_drops(evidence):
        if found := split(evidence, span):
            form, slots = found.told()
            slots |= {"first": Iteration(span[0]), "last": Iteration(span[1])}
            yield KIND.fact(form, span, 0.5, slots, data=found.data())


def _main_drops(evidence: Evidence) -> list[tuple[int, int]]:
    """Return the phases in which the loss fell most, in the order of time."""
    loss, iterates, phases = evidence.run.loss, evidence.iterates, evidence.phases
    rows = iterates.rows
    fall = float(loss[rows[0]] - loss[rows[-1]])
    drops = []
    for phase in phases if len(phases) > 1 else ():
        if phase.noisy:
            continue  # a single loss at either end of it says little
        a, b = phase.start, last_of(phase, loss)
        down = float(loss[rows[iterates.at(a)]] - loss[rows[iterates.at(b)]])
        if down > _MAIN * fall > 0 and a < b:
            drops.append((down, (a, b)))
    return sorted(span for _, span in sorted(drops, reverse=True)[:_MOST])


KIND = Kind(
    name="drop",
    question=Question.CREDIT,
    rank=41,
    slots={"first": Iteration, "last": Iteration, **SLOTS},
    compute=compute,
    method=METHOD,
)
