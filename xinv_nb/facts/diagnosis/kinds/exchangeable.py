"""Two parameters can be exchanged: with each in the other's place the loss is the same."""

from __future__ import annotations

from collections.abc import Iterator

from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.minima import elsewhere
from xinv_nb.facts.measures.names import named
from xinv_nb.language.slots import Count, Listed, LossValue, Named, Slot, Value


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield two parameters that can be exchanged, where a search from the exchanged point came as low.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> def loss(a, b):
    ...     return (a + b - 3.0) ** 2 + (a * b - 2.0) ** 2
    >>> with xi.record() as run:
    ...     a, b = 0.5, 2.5
    ...     for _ in range(200):
    ...         s, p = a + b - 3.0, a * b - 2.0
    ...         slope = (2 * s + 2 * p * b, 2 * s + 2 * p * a)
    ...         run.add(loss(a, b), {"a": a, "b": b}, {"a": slope[0], "b": slope[1]})
    ...         a, b = a - 0.05 * slope[0], b - 0.05 * slope[1]
    >>> run.diagnose(lambda x: loss(x["a"], x["b"]))[0].kind
    'exchangeable'
    """
    found = elsewhere(evidence)
    if found is None or found.checks.losses.min() < found.checks.level - 1e3 * found.equal:
        return  # where another minimum is lower, it does not matter what can be exchanged at this one
    for k in range(len(found.checks.losses)):
        pair = found.exchanged(k) if found.is_equal(k) else None
        if pair is None or not set(pair) <= set(found.entries):
            continue
        point, moved = found.checks.points[k], found.moved(k)
        others = [c for c in moved if c not in pair and c in found.entries]
        one, other = (named(found.entries[c]) for c in pair)
        slots: dict[str, Slot] = {
            "one": Named(one.name, one.label),
            "other": Named(other.name, other.label),
            "loss": LossValue(float(found.checks.loss)),
            "now": found.told(found.end, pair),
            "point": found.told(point, [*pair, *others]),
            "reached": LossValue(float(found.checks.losses[k])),
            "count": Count(found.checks.evaluations),
        }
        yield KIND.finding("exchanged", (0, evidence.last), slots, data={"point": point.tolist(), "pair": list(pair)})
        return


KIND = FindingKind(
    name="exchangeable",
    severity="caution",
    rank=21,
    slots={
        "one": Named,
        "other": Named,
        "loss": Value,
        "now": Listed,
        "point": Listed,
        "reached": Value,
        "count": Count,
    },
    compute=compute,
    means="Two parameters can change places without a change of the loss: which is which is not known.",
    seen_by="run.diagnose(objective): a local search from the point with two parameters exchanged comes as low",
    example="absorption and elimination of a drug",
    asked_with=r"\b(?:exchang|swap|interchang|which (?:\w+ ){0,4}is the)",
)
