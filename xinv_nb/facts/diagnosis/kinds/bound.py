"""A parameter lies at its bound at the end, and the loss would fall on across it: no inner minimum."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.measures.constraints import is_constrained
from xinv_nb.language.slots import Count, Listed, Named, Slot, Value, Word

_PULLED = 1e-3
"""Share of the largest slope of a parameter over the run from which on it is pulled across its bound."""
_MOST = 3


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield which parameters the gradient pulled across their bounds at the end.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from scipy.optimize import minimize
    >>> with xi.record() as run:
    ...     found = minimize(lambda x: (x[0] - 3) ** 2, [0.0], jac=lambda x: 2 * (x - 3), bounds=[(-1, 2)])
    >>> run.diagnosis[0].text
    'x[0] lies at its upper bound of 2, and the loss would fall on across it: its slope there is −2. The bound sets \
this end, not the loss alone.'
    """
    run = evidence.run
    if run.status == "running" or is_constrained(run):
        return  # the slope may be the constraint's
    held = [fact for fact in evidence.of("bound") if fact.values.get("pull", 0.0) > 0 and fact.form.endswith(", held")]
    held = [fact for fact in held if _is_clear(evidence, fact)]
    if not held:
        return
    first = max(held, key=lambda fact: float(fact.values["pull"]) * _way(evidence, fact))
    span = (min(fact.span[0] for fact in held), evidence.last)
    cites = tuple(dict.fromkeys(event for fact in held for event in fact.cites))
    if len(held) > 1:
        named = [fact.slots["parameter"] for fact in sorted(held, key=lambda fact: fact is not first)]
        slots: dict[str, Slot] = {"parameters": Listed(tuple(named[:_MOST])), "count": Count(len(held))}
        yield KIND.finding("several" if len(held) <= _MOST else "many", span, slots, cites=cites)
        return
    side = first.values["side"]
    slope = -first.values["pull"] if side == "upper" else first.values["pull"]
    slots = {name: first.slots[name] for name in ("parameter", "bound", "side")} | {"slope": Value(float(slope))}
    yield KIND.finding("one", span, slots, cites=cites)


def _is_clear(evidence: Evidence, fact: Fact) -> bool:
    """Whether the pull is more than what the last steps leave of a slope that vanishes at the bound."""
    track = next(each for each in evidence.iterates.tracks if each.entry.name == fact.values["parameter"])
    slopes = np.abs(track.slopes[np.isfinite(track.slopes)])
    return bool(len(slopes)) and float(fact.values["pull"]) > _PULLED * float(slopes.max())


def _way(evidence: Evidence, fact: Fact) -> float:
    """Return how far a parameter moved, in which its slope is measured."""
    track = next(each for each in evidence.iterates.tracks if each.entry.name == fact.values["parameter"])
    return track.range or 1.0


KIND = FindingKind(
    name="bound",
    severity="caution",
    rank=60,
    slots={"parameter": Named, "bound": Value, "side": Word, "slope": Value, "parameters": Listed, "count": Count},
    compute=compute,
    means="A parameter lies at its bound, and the loss would fall on across it: the end is no inner minimum.",
    seen_by="the gradient at the end points across an active bound (Karush-Kuhn-Tucker conditions; Byrd, Lu, Nocedal & "
    "Zhu 1995)",
    example="L-BFGS-B with an upper bound below the best value",
    silences=("advice: wider bound", "minimum: not yet"),
)
