"""What is wrong with the run, and what to do about it: the findings of `run.diagnosis`, told among the facts."""

from __future__ import annotations

from collections.abc import Iterator

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.language.slots import Clause, Said

_NEXT = 0.01
"""By how much less what to do is missed than what is wrong, and the next finding than that."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield what each finding says, and what to do about it.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     run.add(float("nan"), 1.0, gradients=1.0)
    >>> [fact.form for fact in run.facts if fact.kind == "finding"], run.facts[0].text == run.diagnosis[0].text
    (['what', 'what to do'], True)
    """
    for place, finding in enumerate(evidence.findings):
        salience = (1.0 if finding.severity == "warning" else 0.85) - 2 * _NEXT * place
        data = {"finding": finding.kind, "severity": finding.severity, "id": finding.id}
        said = Clause(finding.form, finding.slots, finding.part)
        yield KIND.fact("what", finding.span, salience, {"said": said}, cites=finding.cites, data=data)
        advised = Clause(finding.advice_form, finding.slots, finding.part)
        yield KIND.fact("what to do", finding.span, salience - _NEXT, {"said": advised}, cites=finding.cites, data=data)


KIND = Kind(
    name="finding",
    question=Question.DIAGNOSIS,
    rank=2,
    slots={"said": Clause, "muted": Said},
    compute=compute,
    method="see docs/diagnosis.md",
    of_fits=True,
)
