"""Where a least-squares fit ended, and whether standard errors may be told of it: a reason in words where not.

What is computed is in `measures.least_squares`; here it is asked of a recording whether it may be said at all. No
standard error is told where the fit did not end at a minimum of the sum of squares, where a bound holds it, or where
what was minimized is not the sum of squares.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.measures.combinations import TRACE, combination, simplest
from xinv_nb.facts.measures.fitted import Fitted
from xinv_nb.facts.measures.least_squares import LinearFit
from xinv_nb.facts.measures.limits import told_bounds
from xinv_nb.facts.measures.names import listed, named
from xinv_nb.facts.measures.penalty_rows import penalty_rows
from xinv_nb.facts.measures.precision import is_constant, tolerance
from xinv_nb.language.renderer import rendered
from xinv_nb.language.slots import Count, Slot, Value
from xinv_nb.recorded.entries import Entry
from xinv_nb.recorded.run import RecordedRun

Floats = NDArray[np.float64]

KIND = "estimate"
"""The kind of fact that tells it, in whose part of the bank the reasons are."""
_EXACT = 1e-10
"""Share of the residuals at the worst point below which those at the best are rounding."""
_LOST, _NEGLIGIBLE = 1e-8, 1e-6
"""Share of what it once was up to which the effect of a parameter on the residuals is none any more, where a move by
its own size changes them by no more than the other share."""
_STEP = 0.05
"""Standard errors that the fit may have moved since a Jacobian was taken, for it to stand for the one at the end."""
_NEAR = 1e-6
"""Share of its size, or of its range, by which a parameter may be off a bound that it lies at."""
_BESIDE = 1e-2
"""The same where the sum of squares would fall further beyond the bound."""


@dataclass(frozen=True)
class Why:
    """Why there are no standard errors: a form of the bank, with its slots."""

    form: str
    slots: Mapping[str, Slot] = field(default_factory=dict)
    without_effect: tuple[int, ...] = ()
    """The parameters that have no effect on the residuals at the end, by the Jacobian there."""

    @property
    def text(self) -> str:
        """The reason in words."""
        return rendered(KIND, self.form, self.slots)


@dataclass(frozen=True)
class Estimate:
    """The end of a fit at which the linear theory holds."""

    end: Fitted
    fit: LinearFit
    entries: Sequence[Entry]
    values: Floats


def estimate_of(run: RecordedRun, end: Fitted | str) -> Estimate | Why:
    """Return the fit at its `end` where the linear theory holds there, or why it does not."""
    history = run.history
    if history.residuals is None:
        return Why("none, no Jacobian" if history.data else "none, no residuals")
    if run.status == "running":
        return Why("none, running")
    if isinstance(end, str):
        return Why(f"none, {end}")
    points, parameters = len(end.residuals), history.width
    if points <= parameters:
        return Why("none, too few", {"points": Count(points), "parameters": Count(parameters)})
    if not len(history.jacobians):
        return Why("none, no Jacobian")
    values = history.rows(np.array([end.evaluation]))[0]
    entries = [entry for leaf in history.leaves for entry in run.entries_of(leaf, range(leaf.stop - leaf.start))]
    for fit, evaluation in _candidates(run, end):
        moved = values - history.rows(np.array([evaluation]))[0]
        if (why := _impossible(run, end, fit, entries)) is not None:
            gone = list(why.without_effect)
            is_there = bool((np.abs(moved[gone]) <= _NEAR * np.abs(values[gone])).all())
            if gone and not (is_there and _stands_for_the_end(fit, moved, values)):
                break
            return why
        if count := penalty_rows(fit.jacobian):
            return Why("none, penalty", {"count": Count(count)})
        if _stands_for_the_end(fit, moved, values):
            found = Estimate(end, fit, entries, values)
            return _why_not(run, found) or found
    return Why("none, no Jacobian at the end")


def _candidates(run: RecordedRun, end: Fitted) -> list[tuple[LinearFit, int]]:
    """Return the fit with the Jacobian at its end, or else with that at the best point before of which there is one."""
    kept, accepted, loss = run.history.jacobians, run.accepted, run.loss
    known = [e for e in kept.evaluations if end.first <= e < end.stop and accepted[e] and np.isfinite(loss[e])]
    at = end.evaluation if kept.at(end.evaluation) is not None else min(known, key=lambda e: loss[e], default=None)
    jacobian = None if at is None or at not in run.kept else kept.at(at)
    if at is None or jacobian is None:
        return []
    return [(LinearFit(end.residuals, jacobian * end.weights[:, None], end.is_scaled), at)]


def _impossible(run: RecordedRun, end: Fitted, fit: LinearFit, entries: Sequence[Entry]) -> Why | None:
    """Return why nothing can be computed from a Jacobian."""
    if not (np.isfinite(fit.norms).all() and np.isfinite(fit.squares)):
        return Why("none, not finite")
    seen = [np.linalg.norm(known, axis=0) for at, known in run.history.jacobians if end.first <= at < end.stop]
    usual = np.fmax.reduce(seen) * np.linalg.norm(end.weights) / np.sqrt(len(end.weights))
    along = end.accepted(run)
    size = np.maximum(np.abs(along[-1]), np.ptp(along, axis=0))
    is_lost = (fit.norms <= _LOST * usual) & (fit.norms * size <= _NEGLIGIBLE * np.sqrt(fit.squares))
    for form, gone in (("none, no effect", fit.norms == 0), ("none, lost", is_lost)):
        if gone.any():
            columns = tuple(np.flatnonzero(gone).tolist())
            return Why(form, {"who": listed([named(entries[column]) for column in columns])}, columns)
    return None


def _stands_for_the_end(fit: LinearFit, moved: Floats, values: Floats) -> bool:
    """Whether the fit has hardly moved since its Jacobian was taken."""
    if not moved.any() or bool((np.abs(moved) <= 1e-9 * np.abs(values)).all()):
        return True
    change = fit.jacobian @ moved
    return float(change @ change) <= _STEP**2 * len(values) * fit.variance


def _why_not(run: RecordedRun, found: Estimate) -> Why | None:
    """Return why no standard errors are to be told of the end of a fit."""
    fit, entries = found.fit, found.entries
    along = found.end.accepted(run)
    if found.end.is_exact(_EXACT) and not fit.undetermined.shape[1]:
        return Why("none, exact")
    if (bound := _at_bound(run, found, along)) is not None:
        return bound
    if len(along) > 1:
        stayed = [entry for entry, column in zip(entries, along.T, strict=True) if is_constant(column)]
        if stayed and len(stayed) < len(entries):
            value = Value(float(found.values[entries.index(stayed[0])]), stayed[0].parameter.unit)
            return Why("none, stayed", {"parameter": named(stayed[0]), "value": value})
    if fit.undetermined.shape[1]:
        scale = np.maximum(np.abs(found.values), np.ptp(along, axis=0))
        scale = np.where(scale > 0, scale, 1.0)
        move = combination(simplest(fit.undetermined / scale[:, None])[:, 0], scale, TRACE)
        return Why("none, singular", {"move": move.as_clause(dict(enumerate(entries)))})
    if not fit.is_level:
        return Why("none, exact" if found.end.is_exact(_NEAR) else "none, not level")
    return None


def _at_bound(run: RecordedRun, found: Estimate, along: Floats) -> Why | None:
    """Return the parameter that lies at a bound, if one does."""
    slope = found.fit.jacobian.T @ found.fit.residuals
    for column, bounds in _bounds(run, found).items():
        value, entry, span = float(found.values[column]), found.entries[column], float(np.ptp(along[:, column]))
        for bound in sorted(bounds):
            near = max(tolerance(bound, span), _NEAR * max(abs(bound), span))
            pulled = (bound - value) * -slope[column] > 0 and not found.fit.is_level
            if abs(value - bound) <= (max(near, _BESIDE * span) if pulled else near):
                unit = entry.parameter.unit
                return Why("none, at a bound", {"parameter": named(entry), "bound": Value(bound, unit)})
    return None


def _bounds(run: RecordedRun, found: Estimate) -> dict[int, set[float]]:
    """Return the bounds of each parameter: of the problem, of the optimizer, and those it was seen to reach."""
    bounds: dict[int, set[float]] = {
        column: {float(bound) for bound in entry.parameter.bounds or () if bound is not None}
        for column, entry in enumerate(found.entries)
    }
    for event in run.events_as_recorded():
        if event.kind == "bound" and event.column in bounds:
            bounds[event.column].add(float(event.values["bound"]))
    if found.end.call is not None:
        for column, told in enumerate(told_bounds(found.end.call, len(bounds))):
            bounds[column] |= told
    return {column: {bound for bound in those if np.isfinite(bound)} for column, those in bounds.items()}
