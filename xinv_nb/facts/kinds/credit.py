"""Which parameter earned the fall of the loss over the run (see `measures.allocation`)."""

from __future__ import annotations

from collections.abc import Iterator

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.allocation import SLOTS, allocation, is_complete


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield how the fall of the loss splits between parameters, if the recorded path accounts for most of it."""
    span = evidence.whole
    if is_complete(evidence) and (found := allocation(evidence, span)):
        form, slots, data = found
        yield KIND.fact(form, span, 0.75, slots, data=data)


KIND = Kind(
    name="credit",
    question=Question.CREDIT,
    rank=40,
    slots=SLOTS,
    compute=compute,
    method="loss change allocation (Lan et al. 2019)",
)
