"""A stretch of a recording as a run of its own: what one fit tells is computed from its evaluations alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recorded.calls import OptimizerCall
from xinv_nb.recorded.columns import GrowingColumn, TermColumns, VariedColumn, WatchColumns
from xinv_nb.recorded.history import History
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.recorded.sums import Sums
from xinv_nb.recorded.writer import RunWriter

R = TypeVar("R", bound=RecordedRun)
Gradients = TypeVar("Gradients", bound=TermColumns)


@dataclass(frozen=True)
class Places:
    """Where the evaluations of an excerpt stand in the recording, which counts from before, and others between.

    Examples
    --------
    >>> places = Places(10, ((12, 15),))
    >>> [places.back(number) for number in range(4)], places.there(16)
    ([10, 11, 15, 16], 3)
    """

    start: int
    """The first evaluation."""
    left_out: tuple[tuple[int, int], ...] = ()
    """The evaluations between that are left out, in order: first, and the one after the last."""

    def back(self, number: int) -> int:
        """Return the evaluation of the recording that an evaluation of the excerpt is."""
        found = number + self.start
        for first, stop in self.left_out:
            if found >= first:
                found += stop - first
        return found

    def there(self, evaluation: int) -> int:
        """Return what number an evaluation has in the excerpt; one that is left out, that of the next one."""
        before = sum(min(stop, evaluation) - first for first, stop in self.left_out if first < evaluation)
        return evaluation - before - self.start

    def has(self, evaluation: int) -> bool:
        """Whether an evaluation from the start on is one of the excerpt."""
        return evaluation >= self.start and not any(first <= evaluation < stop for first, stop in self.left_out)


def excerpt(run: R, start: int, stop: int, left_out: Sequence[tuple[int, int]] = ()) -> R:
    """Return evaluations `start` up to `stop` of the objective that `run` shows, as a run that counts them from 0.

    Its arrays are views of the recording as it stands, or copies where evaluations between are `left_out`: each is the
    first, and the one after the last.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for x in (4.0, 2.0, 1.0):
    ...         run.add(x**2, x, 2 * x)
    >>> excerpt(run, 1, 3).loss
    array([4., 1.])
    >>> excerpt(run, 0, 3, [(1, 2)]).loss
    array([16.,  1.])
    """
    part = type(run)(run.name, run.problem)
    writer = RunWriter(part)
    places = Places(start, tuple(left_out) if run.history.kept is None else ())
    history = _history(run.history, places, stop)
    writer.add_history(history)
    for event in run.events_as_recorded():
        if event.evaluation < stop and places.has(event.evaluation):
            writer.restore_event(history, replace(event, evaluation=places.there(event.evaluation)))
    if run.has_dropped_events:
        writer.note_dropped_events()
    writer.choose_parameters(run.chosen_parameters)
    reaches_the_end = stop == run.evaluations
    writer.end(run.status if reaches_the_end else "finished", run.ending if reaches_the_end else "")
    for first, last in run.chosen_spans:
        if start <= first and last < stop and places.there(first) <= places.there(last + 1) - 1:
            part.choose_span((places.there(first), places.there(last + 1) - 1))
    if run.curvature is not None and run.curvature.evaluation < stop and places.has(run.curvature.evaluation):
        writer.keep_curvature(replace(run.curvature, evaluation=places.there(run.curvature.evaluation)))
    if run.checks is not None and run.checks.evaluation < stop and places.has(run.checks.evaluation):
        at, checked_at = places.there(run.checks.evaluation), max(places.there(run.checks.checked_at), 0)
        writer.keep_checks(replace(run.checks, evaluation=at, checked_at=checked_at))
    return part


def _history(whole: History, places: Places, stop: int) -> History:
    start = places.start
    with whole.lock:
        part = History(whole.objective, whole.leaves, whole.dtype, whole.outline)
        own = _own(places, stop)
        part.loss = GrowingColumn.of(whole.loss.array[own])
        part.accepted = GrowingColumn.of(whole.accepted.array[own])
        rows: slice | NDArray[np.intp] = own
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
        part.jacobians = whole.jacobians.within(np.arange(len(whole))[own].tolist() if len(whole.jacobians) else ())
        part.data = {name: group.within(rows) for name, group in whole.data.items()}
        if whole.without_gradient is not None:
            part.without_gradient = GrowingColumn.of(_within(whole.without_gradient.array, places, stop))
    part.held = [(max(places.there(row), 0), mark) for row, mark in whole.held if row < stop]
    part.anew = [places.there(row) for row in whole.anew if row < stop and places.has(row)]
    part.handed = [places.there(row) for row in whole.handed if row < stop and places.has(row)]
    part.moved_by, part.is_on_manifold, part.is_within = whole.moved_by, whole.is_on_manifold, whole.is_within
    for name, columns in whole.watches.items():
        found = _watch(columns, places, stop)
        if found.at:
            part.watches[name] = found
    for name, terms in whole.terms.items():
        if (of_term := _gradients(terms, places, stop)) is not None:
            part.terms[name] = of_term
    part.sums = _sums(whole.sums, places, stop)
    for name, slopes in whole.slopes.items():
        if (of_quantity := _gradients(slopes, places, stop)) is not None:
            part.slopes[name] = of_quantity
    for name, along in whole.along.items():
        if (of_parts := _gradients(along, places, stop)) is not None:
            part.along[name] = of_parts
    part.calls = [_call(call, places) for call in whole.calls if start <= call.start < stop]
    part.optimizer = whole.optimizer if len(part.calls) == len(whole.calls) else ", then ".join(map(_title, part.calls))
    return part


def _sums(sums: Sums, places: Places, stop: int) -> Sums:
    """Return the values of the terms of the loss within an excerpt, their evaluations counted as there."""
    evaluations, values = sums.arrays()
    inside = [k for k, evaluation in enumerate(evaluations.tolist()) if evaluation < stop and places.has(evaluation)]
    there = np.array([places.there(int(evaluations[k])) for k in inside], dtype=np.intp)
    return Sums(sums.terms, GrowingColumn.of(there), GrowingColumn.of(np.array(values[inside]))) if inside else Sums()


def _gradients(columns: Gradients, places: Places, stop: int) -> Gradients | None:
    """Return what was read within an excerpt, its evaluations counted as there; None where that is nothing."""
    inside = [k for k, evaluation in enumerate(columns.evaluation) if evaluation < stop and places.has(evaluation)]
    evaluations = [places.there(columns.evaluation[k]) for k in inside]
    gradients = [columns.gradients[k] for k in inside]
    return replace(columns, evaluation=evaluations, gradients=gradients) if inside else None


def _own(places: Places, stop: int) -> slice | NDArray[np.intp]:
    """Return the evaluations up to `stop` that are not left out: as a slice, where they are in a row."""
    if not places.left_out:
        return slice(places.start, stop)
    return np.array([row for row in range(places.start, stop) if places.has(row)], dtype=np.intp)


def _call(call: OptimizerCall, places: Places) -> OptimizerCall:
    """Return a call that began in an excerpt, its evaluations counted as there."""
    differences = [[places.there(first), places.there(after)] for first, after in call.differences]
    ended = None if call.stop is None else places.there(call.stop)
    return replace(call, start=places.there(call.start), stop=ended, differences=differences)


def _title(call: OptimizerCall) -> str:
    """Return what an optimizer is called in a row of them."""
    return call.title or call.optimizer


def _within(evaluations: NDArray[np.intp], places: Places, stop: int) -> NDArray[np.intp]:
    """Return those of some evaluations, in order, that lie within an excerpt, counted as there."""
    first, last = np.searchsorted(evaluations, [places.start, stop])
    if not places.left_out:
        return np.asarray(evaluations[first:last] - places.start, dtype=np.intp)
    own = evaluations[first:last].tolist()
    return np.array([places.there(each) for each in own if places.has(each)], dtype=np.intp)


def _watch(whole: WatchColumns, places: Places, stop: int) -> WatchColumns:
    evaluations = whole.evaluation.array
    first, last = (int(place) for place in np.searchsorted(evaluations, [places.start, stop]))
    part = WatchColumns(whole.unit)
    part.values = VariedColumn.of(whole.values.between(first, last))
    part.cotangents = VariedColumn.of(whole.cotangents.between(first, last))
    part.at = whole.at[first:last]
    if places.left_out:
        rows = np.array(
            [k for k, each in enumerate(evaluations[first:last].tolist()) if places.has(each)], dtype=np.intp
        )
        part.values, part.cotangents = part.values.only(rows), part.cotangents.only(rows)
        part.at = [part.at[row] for row in rows]
    part.evaluation = GrowingColumn.of(_within(evaluations, places, stop))
    return part
