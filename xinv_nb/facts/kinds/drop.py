"""Which parameter earned the fall of the loss in each of its main drops (see `measures.allocation`)."""

from __future__ import annotations

from collections.abc import Iterator

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.allocation import SLOTS, allocation, is_complete
from xinv_nb.facts.measures.phases import last_of
from xinv_nb.language.slots import Iteration

_MAIN = 0.15
"""Share of the whole fall from which the fall in one phase is a main drop."""
_MOST = 3


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield how the fall in each main drop splits between parameters."""
    if len(evidence.phases) < 2 or not is_complete(evidence):
        return
    loss, iterates = evidence.run.loss, evidence.iterates

    def fall(first: int, last: int) -> float:
        return float(loss[iterates.rows[iterates.at(first)]] - loss[iterates.rows[iterates.at(last)]])

    whole = float(loss[iterates.rows[0]] - loss[iterates.rows[-1]])
    # A single loss at either end of a noisy phase says little.
    spans = [(phase.start, last_of(phase, loss)) for phase in evidence.phases if not phase.noisy]
    drops = [(down, span) for span in spans if span[0] < span[1] and (down := fall(*span)) > _MAIN * whole > 0]
    for _, span in sorted(sorted(drops, reverse=True)[:_MOST], key=lambda drop: drop[1]):
        if found := allocation(evidence, span):
            form, slots, data = found
            slots |= {"first": Iteration(span[0]), "last": Iteration(span[1])}
            yield KIND.fact(form, span, 0.5, slots, data=data)


KIND = Kind(
    name="drop",
    question=Question.CREDIT,
    rank=41,
    slots={"first": Iteration, "last": Iteration, **SLOTS},
    compute=compute,
    method="loss change allocation (Lan et al. 2019) within a phase",
)
