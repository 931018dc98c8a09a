"""From other starts the objective comes lower than where the run ended, or as low at another point."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.minima import Elsewhere, elsewhere
from xinv_nb.language.slots import Clause, Count, Listed, LossValue, Slot, Value

_CLEAR = 0.05
"""Share of the loss that there was to lose from which a lower point is clearly lower."""
_MUCH = 0.9
"""The same where no loss is negative: another point has at most so much of the loss of the end."""
_UNFINISHED = 0.02
"""Share of what there is to gain by which the end lies above the local minimum that it leads to."""
_LITTLE = 1e-4
"""Share of the whole fall that is not worth a word."""
_ROUNDING = 1e-9
"""Share of the whole fall below which a loss is 0."""


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield a point that is clearly lower than the end, or else one that is as low, where one was found.

    Examples
    --------
    >>> import numpy as np
    >>> import xinv_nb as xi
    >>> def loss(x):
    ...     return (x**2 - 1) ** 2 + 0.5 * x
    >>> with xi.record() as run:
    ...     x = 2.0
    ...     for _ in range(60):
    ...         run.add(loss(x), x, 4 * x * (x**2 - 1) + 0.5)
    ...         x -= 0.03 * (4 * x * (x**2 - 1) + 0.5)
    >>> [finding.kind for finding in run.diagnose(loss)]
    ['other-starts-differ']
    """
    found = elsewhere(evidence)
    if found is None:
        return
    checks = found.checks
    lower = [k for k in range(len(checks.losses)) if _is_lower(found, k)]
    if lower:
        k = lower[0]
        gain = checks.loss - float(checks.losses[k])
        form = "lower" if checks.ridges[k] > checks.level + found.equal else "lower, stuck"
        if checks.loss - checks.level > _UNFINISHED * gain:
            form = "lower, unfinished"
        if abs(checks.losses[k]) <= _ROUNDING * found.fall and found.is_never_negative:
            form += ", to 0"
        slots: dict[str, Slot] = {
            "end": found.told(found.end),
            "loss": LossValue(float(checks.loss)),
            "start": _start(found, k),
            "point": found.told(checks.points[k]),
            "reached": LossValue(float(checks.losses[k])),
            "level": Value(checks.level),
            "count": Count(checks.evaluations),
        }
        yield KIND.finding(form, (0, evidence.last), slots, data={"points": checks.points[lower].tolist()})
        return
    alike = [k for k in range(len(checks.losses)) if found.is_equal(k) and not found.exchanged(k)]
    if alike:
        k = alike[0]
        slots = {
            "end": found.told(found.end),
            "loss": LossValue(float(checks.loss)),
            "point": found.told(checks.points[k]),
            "reached": LossValue(float(checks.losses[k])),
            "count": Count(checks.evaluations),
        }
        data = {"points": checks.points[alike].tolist()}
        yield KIND.finding("as low", (0, evidence.last), slots, data=data, severity="caution")


def _is_lower(found: Elsewhere, k: int) -> bool:
    """Whether the loss is clearly lower at another point than what the end leads to."""
    loss, level = float(found.checks.losses[k]), float(found.checks.level)
    gain = level - loss
    much = found.is_never_negative and gain > 0 and loss <= _MUCH * level and gain > _LITTLE * found.fall
    return bool(gain > _CLEAR * (found.fall + gain) or much)


def _start(found: Elsewhere, k: int) -> Clause | Listed:
    """Return the start of a search: the run's own but for one parameter, or a point."""
    start: Floats = found.checks.starts[k]
    other = np.flatnonzero(start != found.begin)
    if len(other) == 1 and len(start) > 1:
        one = found.told(start, [int(other[0])])
        return Clause("own start but for", {"one": one})
    return found.told(start)


KIND = FindingKind(
    name="other-starts-differ",
    severity="warning",
    rank=20,
    slots={
        "end": Listed,
        "loss": Value,
        "start": (Clause, Listed),
        "point": Listed,
        "reached": Value,
        "level": Value,
        "count": Count,
    },
    compute=compute,
    means="From another start the same objective comes clearly lower, or as low at quite another point.",
    seen_by="run.diagnose(objective): local searches from a few other starts (multistart, Rinnooy Kan & Timmer 1987)",
    example="a sine fitted from a wrong frequency",
    asked_with=r"\b(?:another start|other starts?|local|global)",
    silences=("minimum: reached",),
)
