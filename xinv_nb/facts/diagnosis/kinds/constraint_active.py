"""The run ended on a constraint, which holds it there: the slope that is left belongs to the constraint."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.constraints import Constraint, constraints_of, share_of
from xinv_nb.facts.measures.ends import last_call, slope_at_end
from xinv_nb.facts.measures.losses import finite_iterates, height
from xinv_nb.facts.measures.sizes import end_of
from xinv_nb.language.slots import Listed, Said, Slot, Value

_LEFT = 0.05
"""Share of the gradient that the active constraints may leave over."""
_STEEP = 1e-3
"""What a move by the parameters' own sizes would do to the loss, as a share of its height, from which on a slope is
left at the end."""
_MOST = 3


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield which constraints hold the end, where what they leave of the gradient is little.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from scipy.optimize import minimize
    >>> budget = {"type": "eq", "fun": lambda p: p[0] + p[1] - 2}
    >>> with xi.record() as run:
    ...     found = minimize(lambda p: p @ p - 3 * p[0], [3.0, -2.0], method="SLSQP", constraints=budget,
    ...                      jac=lambda p: 2 * p - [3, 0])
    >>> run.diagnosis[0].kind
    'constraint-active'
    """
    run = evidence.run
    call = last_call(run)
    if call is None or run.status == "running" or call.ending.get("success") is False:
        return
    constraints = constraints_of(run, evidence.iterates)
    if not constraints or any(each.is_broken(succeeded=True) for each in constraints):
        return
    span = (end_of(run), evidence.last)
    slope = slope_at_end(run)
    if slope is None:
        edge = [each for each in constraints if each.is_active and not each.is_equality and each.is_sized]
        if edge and not any(_is_opposite(one, other) for one in edge for other in edge):
            yield KIND.finding("on it", span, _named(edge))
        return
    share = share_of(run, evidence.iterates, constraints)
    if share is None or not share.holding or not share.left <= _LEFT * share.whole:
        return
    if not share.whole > _STEEP * height(run.loss[finite_iterates(run)]):
        return
    slots = _named(share.holding) | {"slope": Value(float(np.linalg.norm(slope)))}
    form = "held, one" if len(share.holding) == 1 else "held, several"
    yield KIND.finding(form, span, slots, data={"left": share.left / share.whole})


def _is_opposite(one: Constraint, other: Constraint) -> bool:
    """Whether two inequalities are the two sides of an equality, on which every point lies."""
    return one is not other and one.slack == -other.slack


def _named(holding: list[Constraint] | tuple[Constraint, ...]) -> dict[str, Slot]:
    labels = list(dict.fromkeys(each.label.text for each in holding))
    more = [Said("others")] if len(labels) > _MOST else []
    return {"constraints": Listed((*map(Said, labels[:_MOST]), *more))}


KIND = FindingKind(
    name="constraint-active",
    severity="caution",
    rank=62,
    slots={"constraints": Listed, "slope": Value},
    compute=compute,
    means="A constraint holds the end where it is: the slope that is left is the constraint's, and no sign of an "
    "unfinished run.",
    seen_by="the gradient is a sum of those of the active constraints (Karush-Kuhn-Tucker conditions; Nocedal & Wright "
    "2006, chapter 12), read from what the solver computed last",
    example="SLSQP under a budget that is used up",
    asked_with=r"\bconstraints?\b|\bminimum\b|^(?!.*\bstart).*\bfeasib",
    silences=("minimum: not yet", "gradient", "bound: from an iteration, held", "bound: all along, held"),
)
