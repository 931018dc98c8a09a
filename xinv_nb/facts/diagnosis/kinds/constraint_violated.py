"""The point that the solver ended at breaks a constraint: it is no solution."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.constraints import Constraint, constraints_of
from xinv_nb.facts.measures.ends import last_call
from xinv_nb.facts.measures.names import listed
from xinv_nb.facts.measures.sizes import end_of
from xinv_nb.language.slots import Listed, Named, Said, Slot, Value

_OPPOSITE = 1e-9
"""Cosine, above −1, up to which the gradients of two constraints are opposite."""


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield the constraint that is broken most, and another one that it contradicts.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from scipy.optimize import minimize
    >>> rules = [{"type": "ineq", "fun": lambda p: p[0] - 2}, {"type": "ineq", "fun": lambda p: 0.5 - p[0]}]
    >>> with xi.record() as run:
    ...     found = minimize(lambda p: p @ p, [0.4, 0.9], method="SLSQP", constraints=rules, jac=lambda p: 2 * p)
    >>> run.diagnosis[0].kind
    'constraint-violated'
    """
    run = evidence.run
    call = last_call(run)
    if call is None or run.status == "running":
        return
    succeeded = bool(call.ending.get("success", True))
    constraints = constraints_of(run, evidence.iterates)
    broken = [each for each in constraints if each.is_broken(succeeded=succeeded)]
    if not broken:
        return
    worst = max(broken, key=lambda each: each.broken_by / each.size)
    slots: dict[str, Slot] = {
        "optimizer": Named(call.optimizer, call.optimizer, is_of_domain=False),
        "constraint": worst.label,
        "by": Value(worst.broken_by),
    }
    form = "succeeded" if succeeded else "failed"
    other = _against(worst, constraints)
    labels = list(dict.fromkeys(each.label.text for each in broken))
    if other is not None:
        form, slots["other"] = "contradict", Said(other.label.text)
    elif len(labels) > 1:
        form += ", several"
        slots["constraints"] = listed([Said(label) for label in labels])
        slots["by"] = Value(max(each.broken_by for each in broken))
    span = (end_of(run), evidence.last)
    yield KIND.finding(form, span, slots, data={"broken": len(broken), "succeeded": succeeded})


def _against(worst: Constraint, constraints: Sequence[Constraint]) -> Constraint | None:
    """Return a constraint that no step can satisfy together with this one, as far as their gradients tell."""
    if worst.normal is None or worst.is_equality or not worst.slack < 0:
        return None
    length = float(np.linalg.norm(worst.normal))
    for other in constraints:
        if other is worst or other.normal is None or other.is_equality or other.label == worst.label:
            continue
        size = float(np.linalg.norm(other.normal))
        if not size * length > 0 or worst.normal @ other.normal > (_OPPOSITE - 1) * size * length:
            continue
        if other.slack / size < -worst.slack / length:  # there is less room on the one side than lacks on the other
            return other
    return None


KIND = FindingKind(
    name="constraint-violated",
    severity="warning",
    rank=12,
    slots={"optimizer": Named, "constraint": Said, "constraints": Listed, "by": Value, "other": Said},
    compute=compute,
    means="The end breaks a constraint: it is no solution.",
    seen_by="the values of the constraints that the solver computed last, beside how much they change over the run",
    example="SLSQP with two constraints that no point satisfies",
    asked_with=r"\bconstraints?\b|\bfeasible|\ballowed|\bviolat",
    silences=("advice", "minimum", "gradient", "best", "convergence", "identifiability"),
)
