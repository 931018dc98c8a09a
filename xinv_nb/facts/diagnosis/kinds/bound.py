"""A parameter lies at its bound at the end, and the loss would fall on across it: no inner minimum."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.measures.constraints import is_constrained
from xinv_nb.facts.measures.ends import slope_at_end
from xinv_nb.facts.measures.iterates import Track
from xinv_nb.facts.measures.losses import finite_iterates, height
from xinv_nb.facts.measures.names import named
from xinv_nb.language.slots import Count, Iteration, Listed, Named, Slot, Value, Word

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
    held = [_Held(fact, pull) for fact in evidence.of("bound") if (pull := _pull(evidence, fact)) != 0]
    if not held:
        yield from _by_program(evidence)
        return
    first = max(held, key=lambda each: each.weight(evidence))
    span = (min(each.fact.span[0] for each in held), evidence.last)
    cites = tuple(dict.fromkeys(event for each in held for event in each.fact.cites))
    if len(held) > 1:
        named = [each.fact.slots["parameter"] for each in sorted(held, key=lambda each: each is not first)]
        slots: dict[str, Slot] = {"parameters": Listed(tuple(named[:_MOST])), "count": Count(len(held))}
        form = "several" if len(held) <= _MOST else "many"
    else:
        slots = {name: first.fact.slots[name] for name in ("parameter", "bound", "side")}
        form = "one"
        if not np.isnan(first.pull):
            slots["slope"] = Value(-first.pull if first.fact.values["side"] == "upper" else first.pull)
    if np.isnan(first.pull):
        form += ", without slopes"
    yield KIND.finding(form, span, slots, cites=cites)


def _by_program(evidence: Evidence) -> Iterator[Finding]:
    """Yield which parameters a loop of the program holds, where nobody told of bounds."""
    run = evidence.run
    entries = {entry.column: entry for entry in run.entries() if entry.column is not None}
    held = sorted((each for each in evidence.held if each.column in entries), key=lambda each: -abs(each.slope))
    if not held or evidence.is_maximized:
        return
    names = tuple(named(entries[each.column]) for each in held)
    slots: dict[str, Slot] = {"parameters": Listed(names[:_MOST]), "count": Count(len(held))}
    first, form = held[0], "several" if len(held) <= _MOST else "many"
    if len(held) == 1:
        form, slots = "one", {"parameter": names[0], "bound": Value(first.value, names[0].unit)}
        slots |= {"slope": Value(first.slope), "first": Iteration(first.since)}
    yield KIND.finding(f"{form}, by the program", (min(each.since for each in held), evidence.last), slots)


@dataclass(frozen=True)
class _Held:
    fact: Fact
    pull: float
    """The slope across the bound; not a number where a search without gradients ended at it."""

    def weight(self, evidence: Evidence) -> float:
        """Return by how much the loss would fall across the bound over the way that the parameter went."""
        found = self.pull * (_track(evidence, self.fact).range or 1.0)
        return 0.0 if np.isnan(found) else found


def _track(evidence: Evidence, fact: Fact) -> Track:
    return next(each for each in evidence.iterates.tracks if each.entry.name == fact.values["parameter"])


def _pull(evidence: Evidence, fact: Fact) -> float:
    """Return how steeply the loss falls across a bound at the end; 0 where it does not, or not clearly."""
    if not fact.form.startswith(("from an iteration", "all along")):
        return 0.0
    track, slope = _track(evidence, fact), slope_at_end(evidence.run)
    known = np.abs(track.slopes[np.isfinite(track.slopes)])
    pull = float(fact.values.get("pull", np.nan))
    if np.isnan(pull) and slope is not None and track.entry.column is not None:
        pull = float(slope[track.entry.column]) * (-1 if fact.values["side"] == "upper" else 1)
    if np.isnan(pull):
        return pull if not len(known) and fact.form.startswith("from") else 0.0
    if len(known):
        is_clear = pull > _PULLED * float(known.max())
    else:  # by differences: beside what the loss did over the whole way
        is_clear = pull * (track.range or 1.0) > _PULLED * height(evidence.run.loss[finite_iterates(evidence.run)])
    return pull if is_clear else 0.0


KIND = FindingKind(
    name="bound",
    severity="caution",
    rank=60,
    slots={
        "parameter": Named,
        "bound": Value,
        "side": Word,
        "slope": Value,
        "parameters": Listed,
        "count": Count,
        "first": Iteration,
    },
    compute=compute,
    means="A parameter lies at its bound, and the loss would fall on across it: the end is no inner minimum.",
    seen_by="the gradient at the end points across an active bound (Karush-Kuhn-Tucker conditions; Byrd, Lu, Nocedal & "
    "Zhu 1995); a parameter of a loop that comes to a round number, stays there to the last bit and is never beyond",
    example="L-BFGS-B with an upper bound below the best value",
    asked_with=r"\b(?:bound|limit)s?\b",
    silences=("advice: wider bound", "minimum: not yet"),
)
