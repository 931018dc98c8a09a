"""Parameters that make up for each other, so that the data, or the loss, cannot tell them apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.estimates import Estimate, Why
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.combinations import TRACE, combination, simplest
from xinv_nb.facts.measures.determination import Determination
from xinv_nb.facts.measures.names import named
from xinv_nb.language.slots import Clause, Count, Iteration, Listed, Named, Slot, Value
from xinv_nb.recorded.entries import Entry

_SMALL = 0.1
"""Of the moves that are told elsewhere: a valley bends, and along its tangent the loss is the same for small moves."""
_TIED = 0.95
"""Correlation by second derivatives from which two parameters are tied, where the end has not settled between them."""
_UNSETTLED = 0.3
"""Newton step, as a share of the range that a parameter went through, from which on the end has not settled."""
_OFF = 0.1
"""Share of the true value, or of the range, by which a parameter misses it."""
_BY_DATA = 0.99
"""Correlation by residuals from which two parameters are tied, where the data hardly tell the value of either."""
_UNKNOWN = 0.5
"""Standard error, as a share of the value and of the range of a parameter, from which its value is hardly told."""


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield combinations that are not determined, and pairs of parameters that are tied.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> def loss(a, b):
    ...     return (a + b - 3.0) ** 2
    >>> with xi.record() as run:
    ...     a, b = 1.0, 1.5
    ...     for _ in range(20):
    ...         da, db = grad(loss, (0, 1))(a, b)
    ...         a, b = a - 0.1 * da, b - 0.2 * db
    >>> facts = run.identify(loss)
    >>> run.diagnosis[0].kind
    'undetermined'
    """
    entries = {entry.column: entry for entry in evidence.run.entries() if entry.column is not None}
    found = (
        list(_by_derivatives(evidence, entries)) or list(_by_residuals(evidence, entries)) or list(_by_path(evidence))
    )
    yield from found[:1]


def _by_derivatives(evidence: Evidence, entries: dict[int, Entry]) -> Iterator[Finding]:
    curvature = evidence.run.curvature
    if (
        curvature is None
        or evidence.held_at_end.any()
        or not curvature.is_complete
        or len(entries) < max(len(curvature.scale), 2)
    ):
        return
    known = Determination(curvature)
    free, at = known.free(), (curvature.evaluation, curvature.evaluation)
    slots: dict[str, Slot] = {"iteration": Iteration(curvature.evaluation)}
    if free.shape[1]:
        vector = simplest(free)[:, 0]
        move = combination(vector, curvature.scale, TRACE)
        move = replace(move, moves=_SMALL * move.moves)
        largest = np.linalg.eigvalsh(known.matrix / np.outer(curvature.scale, curvature.scale))[-1]
        slots |= {"move": move.as_clause(entries), "largest": Value(float(largest))}
        moves = {"moves": move.told(entries)}
        several = free.shape[1] > 1
        if several:
            slots["count"] = Count(free.shape[1])
        yield KIND.finding("flat, several" if several else "flat", at, slots, data=moves)
        return
    correlations = known.correlations
    if correlations is None:
        return
    pairs = np.argwhere(np.triu(np.abs(correlations), 1) >= _TIED).tolist()
    for i, j in sorted(pairs, key=lambda ij: -abs(correlations[ij[0], ij[1]])):
        correlation = float(correlations[i, j])
        if (form := _unsettled(evidence, known, entries, (i, j), correlation)) is not None:
            yield _tied(evidence, entries, (i, j), correlation, form, slots)


def _unsettled(
    evidence: Evidence, known: Determination, entries: dict[int, Entry], pair: tuple[int, int], correlation: float
) -> str | None:
    """Return how it shows that the end has not settled between two parameters: by their truth, or by a step left."""
    run, scale, columns = evidence.run, known.curvature.scale, list(pair)
    rows = run.history.rows(evidence.iterates.rows)[:, columns]
    values = run.history.rows(np.array([known.curvature.evaluation]))[0][columns]
    spans = np.maximum(np.ptp(rows, axis=0), 1e-300)
    truths = [entries[column].parameter.truth for column in pair]
    if truths[0] is not None and truths[1] is not None:
        true = np.array(truths, dtype=float)
        off = values - true
        if (np.abs(off) >= _OFF * np.maximum(np.abs(true), spans)).all() and off[0] * off[1] * correlation > 0:
            return "tied, off the truth"
    step = (known.newton * scale)[columns]
    if (np.abs(step) >= _UNSETTLED * spans).all() and step[0] * step[1] * correlation > 0:
        return "tied, unsettled"
    return None


def _tied(
    evidence: Evidence,
    entries: dict[int, Entry],
    pair: tuple[int, int],
    correlation: float,
    form: str,
    slots: dict[str, Slot],
) -> Finding:
    one, other = (named(entries[column]) for column in pair)
    slots = slots | {
        "one": Named(one.name, one.label),
        "other": Named(other.name, other.label),
        "correlation": Value(correlation, digits=_digits(correlation)),
    }
    if form == "tied, off the truth":
        at = int(slots["iteration"].plain)
        values = evidence.run.history.rows(np.array([at]))[0]
        for key, column in zip(("value", "other_value"), pair, strict=True):
            parameter = entries[column].parameter
            slots[key] = Value(float(values[column]), parameter.unit)
            slots[key.replace("value", "truth")] = Value(float(parameter.truth or 0.0), parameter.unit)
    form += ", together" if correlation > 0 else ", against each other"
    at = int(slots["iteration"].plain)
    return KIND.finding(form, (at, at), slots, data={"parameters": (one.name, other.name)})


def _digits(correlation: float) -> int:
    """Return how many digits a correlation takes that may not be rounded to one."""
    return next((digits for digits in range(3, 12) if abs(round(correlation, digits)) < 1), 12)


def _by_residuals(evidence: Evidence, entries: dict[int, Entry]) -> Iterator[Finding]:
    """Yield what residuals and their Jacobian say at the end of a least-squares fit."""
    estimate = evidence.estimate
    if isinstance(estimate, Why):
        if estimate.form == "none, singular":
            yield KIND.finding("flat, by the data", (0, evidence.last), {"move": estimate.slots["move"]})
        elif estimate.form in ("none, no effect", "none, lost"):
            if len(estimate.without_effect) < len(entries):  # else nothing of the fit has a slope
                form = estimate.form.removeprefix("none, ")
                yield KIND.finding(form, (0, evidence.last), {"who": estimate.slots["who"]})
        elif estimate.form == "none, too few":
            points, parameters = (int(estimate.slots[key].plain) for key in ("points", "parameters"))
            if points < parameters:
                slots: dict[str, Slot] = {"points": Count(points), "parameters": Count(parameters)}
                yield KIND.finding("too few data", (0, evidence.last), slots)
        return
    yield from _correlated(evidence, estimate)


def _correlated(evidence: Evidence, estimate: Estimate) -> Iterator[Finding]:
    fit, at = estimate.fit, estimate.end.evaluation
    spans = np.ptp(estimate.end.accepted(evidence.run), axis=0)
    unknown = fit.errors > _UNKNOWN * np.maximum(np.abs(estimate.values), spans)
    correlations = np.triu(np.abs(fit.correlations), 1)
    i, j = np.unravel_index(np.argmax(correlations), correlations.shape)
    if correlations[i, j] < _BY_DATA or not (unknown[i] and unknown[j]):
        return
    entries = dict(enumerate(estimate.entries))
    correlation = float(fit.correlations[i, j])
    slots: dict[str, Slot] = {"iteration": Iteration(at)}
    for key, column in (("value", int(i)), ("other_value", int(j))):
        unit = entries[column].parameter.unit
        slots[key] = Value(float(estimate.values[column]), unit)
        slots[key.replace("value", "error")] = Value(float(fit.errors[column]), unit)
    yield _tied(evidence, entries, (int(i), int(j)), correlation, "tied, by the data", slots)


def _by_path(evidence: Evidence) -> Iterator[Finding]:
    """Yield a combination along which steps went and no gradient ever pointed."""
    for fact in evidence.of("identifiability"):
        move = fact.slots.get("move")
        if fact.form == "flat, by the path" and isinstance(move, Clause):
            yield KIND.finding("flat, by the path", fact.span, {"move": move}, cites=(fact.id,))


KIND = FindingKind(
    name="undetermined",
    severity="caution",
    rank=25,
    slots={
        "move": Clause,
        "who": Listed,
        "largest": Value,
        "count": Count,
        "iteration": Iteration,
        "one": Named,
        "other": Named,
        "correlation": Value,
        "value": Value,
        "other_value": Value,
        "truth": Value,
        "other_truth": Value,
        "error": Value,
        "other_error": Value,
        "points": Count,
        "parameters": Count,
    },
    compute=compute,
    means="Parameters make up for each other: only a combination of them is known.",
    seen_by="second derivatives from run.identify, residuals with their Jacobian, or the recorded path",
    example="a growth rate that is the sum of two parameters",
    asked_with=r"\b(?:determined|identif|uncertain|pin(?:ned)? down)",
)
