"""What autograd differentiates is not what the solver minimizes: only a part of it, or another function."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.diagnosis.naming import called
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.inside import Inside, inside
from xinv_nb.language.slots import Listed, Named, Said, Slot, Value, Way, pair


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield what is only a part of what a solver minimizes, or only what its slopes are of, with what became of both.

    Examples
    --------
    >>> import numpy
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> from scipy.optimize import minimize
    >>> def penalty(x):
    ...     return x[0] ** 4
    >>> def total(x):
    ...     return float((x[0] - 4.0) ** 2 + 0.1 * x[0] ** 4)
    >>> with xi.record() as run:
    ...     result = minimize(total, [1.0], jac=lambda x: 2 * (x - 4.0) + 0.1 * grad(penalty)(x), method="BFGS")
    >>> run.diagnosis[0].text.split(": ")[0]
    'BFGS minimizes total; penalty, which autograd differentiates inside of it, is only a part of that'
    """
    for found in inside(evidence.run):
        if found.relation == "slope":
            yield KIND.finding("slope", (int(found.evaluations[0]), int(found.evaluations[-1])), _slots([found]))
    parts = [found for found in inside(evidence.run) if found.relation == "part"]
    for whole in dict.fromkeys(found.whole for found in parts):
        of_it = [found for found in parts if found.whole is whole]
        span = int(of_it[0].evaluations[0]), int(of_it[0].evaluations[-1])
        yield KIND.finding("part" if len(of_it) == 1 else "parts", span, _slots(of_it))


def _slots(parts: Sequence[Inside]) -> dict[str, Slot]:
    first = parts[0]
    (start, part_start), (end, part_end) = first.losses[[0, -1]].tolist()
    slots: dict[str, Slot] = {"optimizer": Said(first.whole.calls[-1].optimizer)}
    slots["total"] = called(first.whole.objective, "its own function")
    slots["start"], slots["end"] = pair(start, end)
    slots["went"] = Way(end - start)
    if len(parts) > 1:
        return slots | {"parts": Listed(tuple(called(found.part.objective) for found in parts))}
    slots["part_start"], slots["part_end"] = pair(part_start, part_end)
    return slots | {"part": called(first.part.objective), "part_went": Way(part_end - part_start)}


KIND = FindingKind(
    name="not-the-minimized-function",
    severity="caution",
    rank=4,
    slots={
        "optimizer": Said,
        "total": Named,
        "part": Named,
        "parts": Listed,
        "start": Value,
        "end": Value,
        "went": Way,
        "part_start": Value,
        "part_end": Value,
        "part_went": Way,
    },
    compute=compute,
    means="What autograd differentiates is only a part of what the solver minimizes, or another function.",
    seen_by="both values and gradients at the points of the solver, where the one is computed inside of the other",
    example="a regularizer by autograd, a misfit with an adjoint of its own",
    of_fits=True,
    asked_with=r"\b(?:which|other|wrong) (?:function|objective)|\bminimi[sz]ed function",
)
