"""What was kept out of the fit got worse while the loss went on falling."""

from __future__ import annotations

from collections.abc import Iterator

from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.language.slots import Count, Iteration, Named, Value


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield where a watched loss that was kept out of the fit was lowest, where it clearly rose from there.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for k in range(40):
    ...         run.add(1 / (1 + k), k / 10, -0.1, validation_loss=1 + (k / 10 - 1) ** 2)
    >>> run.diagnosis[0].kind, run.diagnosis[0].values["at"]
    ('overfit', 10)
    """
    for fact in evidence.of("held out"):
        if fact.form.startswith("rose, held out"):
            form = "noisy" if fact.form.endswith("noisy") else "rose"
            slots = dict(fact.slots) | {"row": Count(int(fact.values["at"]))}
            yield KIND.finding(form, fact.span, slots, cites=(fact.id,))
            return


KIND = FindingKind(
    name="overfit",
    severity="caution",
    rank=40,
    slots={
        "quantity": Named,
        "low": Value,
        "at": Iteration,
        "row": Count,
        "rise": Value,
        "end": Value,
        "before": Value,
        "after": Value,
    },
    compute=compute,
    means="A loss of data that were kept out of the fit rises while the loss itself falls.",
    seen_by="a watched quantity with validation, held out, test or the like in its name (Prechelt 1998)",
    example="a network that is trained for too long",
    asked_with=r"\b(?:over.?fit|held.?out|validation|generali[sz])",
    silences=("advice: more iterations",),
)
