"""What came out: the parameters of the domain where the run ended."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.names import named, values_of
from xinv_nb.facts.measures.sizes import end_of
from xinv_nb.language.slots import Listed, Named, Slot, Value

_MOST = 4
"""Parameters of which each end is told."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield where the parameters ended, if they are few, and each is called by a name of the domain.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> spring = xi.Problem("spring", parameters={"k": xi.Parameter("stiffness", "N/m")})
    >>> with xi.record(problem=spring) as run:
    ...     for k in (4.0, 2.0):
    ...         run.add((k - 1) ** 2, {"k": k})
    >>> next(fact for fact in run.facts if fact.kind == "result").text
    'Stiffness ended at 2 N/m.'
    """
    run = evidence.run
    if evidence.last < 1 or run.status == "running" or run.history.kept is not None:
        return
    entries, last = run.entries(), end_of(run)
    if not 0 < len(entries) <= _MOST or any(e.statistic or e.part or not e.parameter.name for e in entries):
        return
    if any(e.parameter.truth is not None or e.parameter.directions is not None for e in entries):
        return  # how near it came, or which way it went, tells more
    point = [(entry, float(run.column(entry)[last])) for entry in entries]
    if not np.isfinite([value for _, value in point]).all():
        return
    (first, value), *rest = point
    slots: dict[str, Slot] = {"parameter": named(first), "end": Value(value, first.parameter.unit)}
    if rest:
        slots["others"] = values_of(rest)
    data = {"ends": {entry.name: value for entry, value in point}}
    yield KIND.fact("ended", (last, last), 0.75, slots, data=data)


KIND = Kind(
    name="result",
    question=Question.MOVEMENT,
    rank=36,
    slots={"parameter": Named, "end": Value, "others": Listed},
    compute=compute,
    method="the last accepted values, where the problem names the parameters",
)
