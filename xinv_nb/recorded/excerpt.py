"""A stretch of a recording as a run of its own: what one fit tells is computed from its evaluations alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recorded.calls import OptimizerCall
from xinv_nb.recorded.columns import GrowingColumn, TermColumns, VariedColumn, WatchColumns
from xinv_nb.recorded.history import History
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.recorded.writer import RunWriter

R = TypeVar("R", bound=RecordedRun)
Gradients = TypeVar("Gradients", bound=TermColumns)


def excerpt(run: R, start: int, stop: int) -> R:
    """Return evaluations `start` up to `stop` of the objective that `run` shows, as a run that counts them from 0.

    Its arrays are views of the recording as it stands.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for x in (4.0, 2.0, 1.0):
    ...         run.add(x**2, x, 2 * x)
    >>> excerpt(run, 1, 3).loss
    array([4., 1.])
    """
    part = type(run)(run.name, run.problem)
    writer = RunWriter(part)
    history = _history(run.history, start, stop)
    writer.add_history(history)
    for event in run.events_as_recorded():
        if start <= event.evaluation < stop:
            writer.restore_event(history, replace(event, evaluation=event.evaluation - start))
    if run.has_dropped_events:
        writer.note_dropped_events()
    writer.choose_parameters(run.chosen_parameters)
    reaches_the_end = stop == run.evaluations
    writer.end(run.status if reaches_the_end else "finished", run.ending if reaches_the_end else "")
    for first, last in run.chosen_spans:
        if start <= first and last < stop:
            part.choose_span((first - start, last - start))
    if run.curvature is not None and start <= run.curvature.evaluation < stop:
        writer.keep_curvature(replace(run.curvature, evaluation=run.curvature.evaluation - start))
    if run.checks is not None and start <= run.checks.evaluation < stop:
        at, checked_at = run.checks.evaluation - start, max(run.checks.checked_at - start, 0)
        writer.keep_checks(replace(run.checks, evaluation=at, checked_at=checked_at))
    return part


def _history(whole: History, start: int, stop: int) -> History:
    with whole.lock:
        part = History(whole.objective, whole.leaves, whole.dtype, whole.outline)
        part.loss = GrowingColumn.of(whole.loss.array[start:stop])
        part.accepted = GrowingColumn.of(whole.accepted.array[start:stop])
        rows = slice(start, stop)
        if whole.kept is not None:
            kept = whole.kept.array
            # The first evaluation has to be kept: where it was not, the latest one before it stands in its place.
            rows = slice(int(np.searchsorted(kept, start, side="right")) - 1, int(np.searchsorted(kept, stop)))
            part.kept = GrowingColumn.of(np.maximum(kept[rows] - start, 0))
            part.stride = whole.stride
        part.values = GrowingColumn.of(whole.values.array[rows])
        part.gradients = GrowingColumn.of(whole.gradients.array[rows])
        if whole.residuals is not None:
            part.residuals = GrowingColumn.of(whole.residuals.array[rows])
        part.jacobians = whole.jacobians.within(start, stop)
        part.data = {name: group.within(rows) for name, group in whole.data.items()}
        if whole.without_gradient is not None:
            part.without_gradient = GrowingColumn.of(_within(whole.without_gradient.array, start, stop))
    part.held = [(max(row - start, 0), mark) for row, mark in whole.held if row < stop]
    part.moved_by, part.is_on_manifold, part.is_within = whole.moved_by, whole.is_on_manifold, whole.is_within
    for name, columns in whole.watches.items():
        found = _watch(columns, start, stop)
        if found.at:
            part.watches[name] = found
    for name, terms in whole.terms.items():
        if (of_term := _gradients(terms, start, stop)) is not None:
            part.terms[name] = of_term
    part.sums = whole.sums.within(start, stop)
    for name, slopes in whole.slopes.items():
        if (of_quantity := _gradients(slopes, start, stop)) is not None:
            part.slopes[name] = of_quantity
    part.calls = [_call(call, start) for call in whole.calls if start <= call.start < stop]
    part.optimizer = whole.optimizer if len(part.calls) == len(whole.calls) else ", then ".join(map(_title, part.calls))
    return part


def _gradients(columns: Gradients, start: int, stop: int) -> Gradients | None:
    """Return what was read within a stretch, its evaluations counted from there; None where that is nothing."""
    inside = [k for k, evaluation in enumerate(columns.evaluation) if start <= evaluation < stop]
    evaluations = [columns.evaluation[k] - start for k in inside]
    return (
        replace(columns, evaluation=evaluations, gradients=[columns.gradients[k] for k in inside]) if inside else None
    )


def _call(call: OptimizerCall, start: int) -> OptimizerCall:
    """Return a call that began after `start`, its evaluations counted from there."""
    differences = [[first - start, after - start] for first, after in call.differences]
    ended = None if call.stop is None else call.stop - start
    return replace(call, start=call.start - start, stop=ended, differences=differences)


def _title(call: OptimizerCall) -> str:
    """Return what an optimizer is called in a row of them."""
    return call.title or call.optimizer


def _within(evaluations: NDArray[np.intp], start: int, stop: int) -> NDArray[np.intp]:
    """Return those of some evaluations, in order, that lie within a stretch, counted from its start."""
    first, last = np.searchsorted(evaluations, [start, stop])
    return np.asarray(evaluations[first:last] - start, dtype=np.intp)


def _watch(whole: WatchColumns, start: int, stop: int) -> WatchColumns:
    evaluations = whole.evaluation.array
    first, last = (int(place) for place in np.searchsorted(evaluations, [start, stop]))
    part = WatchColumns(whole.unit)
    part.evaluation = GrowingColumn.of(np.array(evaluations[first:last] - start))
    part.values = VariedColumn.of(whole.values.between(first, last))
    part.cotangents = VariedColumn.of(whole.cotangents.between(first, last))
    part.at = whole.at[first:last]
    return part
