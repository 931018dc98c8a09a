"""What `run.diagnose` found of the objective itself: its gradient does not fit its values, or those change."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.diagnosis.asking import WRONG_GRADIENT
from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.names import named
from xinv_nb.language.slots import Count, Iteration, Named, Slot, Value
from xinv_nb.recorded.checks import Checks


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield that one point gives two values, or that the gradient is not that of the values.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     x = 3.0
    ...     for _ in range(20):
    ...         run.add(x**2, x, x)
    ...         x -= 0.4 * x
    >>> [finding.form for finding in run.diagnose(lambda x: x**2) if finding.kind == "objective-check"]
    ['wrong, of one']
    """
    checks = evidence.run.checks
    if checks is None:
        return
    count = Count(checks.evaluations)
    if checks.again != checks.loss:
        values = {"loss": Value(checks.loss, beside=checks.again), "again": Value(checks.again, beside=checks.loss)}
        slots: dict[str, Slot] = {"iteration": Iteration(checks.evaluation), "count": count, **values}
        yield KIND.finding("changes", (checks.evaluation, checks.evaluation), slots)
    elif checks.gradient in ("wrong", "kinked"):
        at = checks.checked_at
        slots = {"iteration": Iteration(at), "promised": Value(checks.promised), "count": count}
        slots["measured"] = Value(checks.measured, beside=checks.promised)
        form = checks.gradient
        entry = next((e for e in evidence.run.entries() if e.column is not None and e.column == checks.column), None)
        if entry is not None:
            form, slots["parameter"] = f"{form}, of one", named(entry)
            size = _size(evidence, checks)
            slots["promised"] = Value(checks.promised / size)
            slots["measured"] = Value(checks.measured / size, beside=checks.promised / size)
        yield KIND.finding(form, (at, at), slots, severity="warning" if checks.gradient == "wrong" else "caution")


def _size(evidence: Evidence, checks: Checks) -> float:
    """Return the size by which steps of a parameter were measured."""
    run = evidence.run
    rows = run.history.rows(run.iterates[np.isfinite(run.loss[run.iterates])])[:, checks.column]
    end = run.history.rows(np.array([checks.evaluation]))[0][checks.column]
    return float(max(abs(end), np.ptp(rows))) or 1.0


KIND = FindingKind(
    name="objective-check",
    severity="warning",
    rank=4,
    slots={
        "iteration": Iteration,
        "parameter": Named,
        "loss": Value,
        "again": Value,
        "promised": Value,
        "measured": Value,
        "count": Count,
    },
    compute=compute,
    means="Evaluated again, the objective gives other values at one point, or its gradient is not that of its values.",
    seen_by="run.diagnose(objective): one point twice, and differences of the loss over steps of several lengths",
    example="a factor forgotten in a derivative that is written by hand",
    asked_with=WRONG_GRADIENT,
    silences=("minimum: reached",),
    of_samples=True,
)
