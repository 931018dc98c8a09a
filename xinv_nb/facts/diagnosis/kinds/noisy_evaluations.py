"""A search that trusts every digit of the loss works on evaluations that scatter."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.diagnosis.asking import WRONG_GRADIENT
from xinv_nb.facts.diagnosis.finding import Finding, Severity
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.optimizers import last_stop
from xinv_nb.facts.measures.rounding import quantum
from xinv_nb.facts.measures.scatter import Scatter, equal_again, is_rounding, spoils
from xinv_nb.language.slots import Count, Iteration, Named, Slot, Value
from xinv_nb.recorded.run import RecordedRun

_BY_CHANCE = 8
"""Times that a loss which is a multiple of some quantum has to be the same again: drawn counts are, now and then."""


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield by how much evaluations scatter in a run of an optimizer that cannot work with that.

    Examples
    --------
    >>> import numpy as np
    >>> import xinv_nb as xi
    >>> from scipy.optimize import minimize
    >>> rng = np.random.default_rng(0)
    >>> with xi.record() as run:
    ...     result = minimize(lambda x: (x @ x + rng.normal(), 2 * x), np.ones(2), jac=True, method="BFGS")
    >>> run.diagnosis[0].kind
    'noisy-evaluations'
    """
    run, scatter = evidence.run, evidence.scatter
    drawn = _is_drawn(run)
    if scatter is not None and not is_rounding(run, scatter):
        form = scatter.seen + (", the same again" if drawn is False and scatter.seen != "at one point" else "")
        yield _finding(run, scatter, form)
    elif drawn and scatter is None:
        yield from _evaluated_again(run)


def _is_drawn(run: RecordedRun) -> bool | None:
    """Whether one point had two losses, at times; None where no point was evaluated twice."""
    checks = run.checks
    if checks is not None and not np.isnan(checks.loss):
        return checks.again != checks.loss
    fewest = _BY_CHANCE if quantum(run.loss) else 1
    return False if equal_again(run) >= fewest else None


def _evaluated_again(run: RecordedRun) -> Iterator[Finding]:
    """Yield that one point had two losses when `run.diagnose` evaluated it twice."""
    checks = run.checks
    assert checks is not None
    start, end = Value(checks.loss, beside=checks.again), Value(checks.again, beside=checks.loss)
    slots: dict[str, Slot] = {"first": Iteration(checks.evaluation), "start": start, "end": end}
    slots["count"] = Count(checks.evaluations)
    yield KIND.finding("evaluated again", (checks.evaluation, checks.evaluation), slots)


def _finding(run: RecordedRun, scatter: Scatter, form: str) -> Finding:
    stop, loss = last_stop(run), run.loss
    slots: dict[str, Slot] = {"optimizer": Named(scatter.call.optimizer, is_of_domain=False)}
    slots["first"], slots["last"] = Iteration(scatter.first), Iteration(scatter.last)
    if scatter.size:
        slots["scatter"] = Value(scatter.size, digits=2)
    if scatter.seen == "at one point":
        start, end = float(loss[scatter.first]), float(loss[scatter.last])
        slots["start"], slots["end"] = Value(start, beside=end), Value(end, beside=start)
    elif scatter.seen == "of neighbours":
        slots["count"], slots["length"] = Count(scatter.count), Value(scatter.length, digits=2)
        slots["farther"] = Value(scatter.farther, digits=2)
    else:
        slots["count"] = Count(len(scatter.changes))
        slots["length"] = Value(scatter.length, digits=2 if scatter.seen == "by differences" else 3)
        slots["promised"] = Value(scatter.promised, digits=2)
    cites = () if stop is None else (stop.id,)
    severity: Severity | None = None if spoils(run, scatter) else "caution"
    return KIND.finding(form, (scatter.first, scatter.last), slots, cites=cites, severity=severity)


KIND = FindingKind(
    name="noisy-evaluations",
    severity="warning",
    rank=4,
    slots={
        "optimizer": Named,
        "first": Iteration,
        "last": Iteration,
        "start": Value,
        "end": Value,
        "count": Count,
        "length": Value,
        "farther": Value,
        "scatter": Value,
        "promised": Value,
    },
    compute=compute,
    means="Single evaluations scatter, and a search that trusts every digit of the loss cannot work with that.",
    seen_by="one point with two losses, also when run.diagnose(objective) evaluates it twice, or differences of the "
    "loss that do not shrink as the steps do",
    example="BFGS on an expectation value that is drawn anew, or on batches that change",
    asked_with=WRONG_GRADIENT + r"|\bnois[ey]|\brandom",
    silences=("left-to-gain", "advice", "phase", "minimum", "identifiability", "estimate", "best", "gradient"),
)
