"""Which parameter earned the fall of the loss over the run."""

from __future__ import annotations

from collections.abc import Iterator

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.allocation import METHOD, SLOTS, can_be_split, split


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield how the fall of the loss splits between parameters, if the recorded path accounts for most of it.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> with xi.record() as run:
    ...     slopes = [grad(lambda p: 3 * p[0] ** 2 + p[1] ** 2)([x, x]) for x in (2.0, 1.0, 0.0)]
    >>> next(fact for fact in run.facts if fact.kind == "credit").text
    'Along the path, moving p[0] accounts for 75 % of the fall of the loss and moving p[1] for 25 %.'
    """
    span = 0, evidence.last
    if can_be_split(evidence) and (found := split(evidence, span)):
        form, slots = found.told()
        yield KIND.fact(form, span, 0.75, slots, data=found.data())


KIND = Kind(
    name="credit",
    question=Question.CREDIT,
    rank=40,
    slots=SLOTS,
    compute=compute,
    method=METHOD,
)
