"""From evaluations to rows of the histories that they belong to, and to what stands out in them."""

from __future__ import annotations

import operator
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recorded.columns import SlopeColumns, TermColumns, WatchColumns
from xinv_nb.recorded.data import MOST_GROUPS
from xinv_nb.recorded.events import NewEvent
from xinv_nb.recorded.history import MOST_CHANGES, History
from xinv_nb.recorded.leaves import leaves_of
from xinv_nb.recorded.sums import Sums
from xinv_nb.recorded.writer import RunWriter
from xinv_nb.recording import nonfinite, remarks
from xinv_nb.recording.blocks import join_blocks
from xinv_nb.recording.evaluation import Evaluation, Reading
from xinv_nb.recording.events import WatchedValue, backward_events, by_name, forward_events, turn
from xinv_nb.recording.given_names import names_given
from xinv_nb.recording.held import mark_of, state_of
from xinv_nb.recording.inner import InnerFit
from xinv_nb.recording.kept_events import KeptEvents
from xinv_nb.recording.laid_out import laid_out, reached
from xinv_nb.recording.measured import by_group
from xinv_nb.recording.order import Order, find_hand_overs, find_inner
from xinv_nb.recording.outside import OutsideValues
from xinv_nb.recording.solvers.callers import by_an_optimizer
from xinv_nb.recording.structure import NO_NUMBERS, flatten, names_of_arguments, outline, signature
from xinv_nb.recording.terms import Conflicts
from xinv_nb.recording.turns import Appended, Turns

_FOLLOWED_SIGNS = 16
"""Parameters up to which a change of the gradient's sign is an event; more would drown the others."""

_MOST_REMARKS = 8

_LONG = "This run is long:"
_HIDDEN = (
    "The values of {} cannot be seen: they are neither numbers nor arrays, but of a type that the program has taught "
    "autograd. The loss is recorded all the same."
)
_MISFIT = (
    "Residuals of {!r} were left out at times: a group of data has the same number of data points in every evaluation, "
    f"and there is room for {MOST_GROUPS} groups."
)


class Rows:
    """Adds the evaluations of one recording to its histories."""

    def __init__(
        self,
        writer: RunWriter,
        events: KeptEvents,
        notice: Callable[[str], None],
        joined: Callable[[Sequence[History], History], None],
    ) -> None:
        self._writer = writer
        self._add_event: Callable[[History, int, NewEvent], None] = events.add
        self._add_watched = events.add_watched
        self._notice = notice
        self._histories: dict[tuple[Any, ...], History] = {}
        self._latest: tuple[Any, Any, Any, History] = (None, None, None, History("", []))
        """What the latest evaluation was of: objective, positions of its arguments, shape of the point, and history."""
        self._conflicts: dict[int, Conflicts] = {}
        self._newest = self._latest[3]
        """The history of the latest evaluation."""
        self._outside = OutsideValues()
        self._sites: dict[History, list[Any]] = {}
        """Where in the program the passes of the latest evaluation of each history were made."""
        self._functions: dict[History, weakref.ref[Any]] = {}
        """The function of the latest evaluation of each history, which may hold the user's arrays: not kept alive."""
        self._numbers: dict[History, tuple[tuple[float, ...], tuple[Any, ...]]] = {}
        """The state of what the function of each history read from around it at its latest evaluation, and what a
        solver gave it beside the point."""
        self._remarks: dict[History, set[Any]] = {}
        self._inner: dict[History, InnerFit] = {}
        """What is made of each history inside of a solver's call of another objective."""
        self._order = Order()
        self._turns = Turns(writer, self._new_history, self._thinned, self._joined)
        self._tell_joined = joined

    def append(self, evaluation: Evaluation, gradient: Any | None) -> Appended:
        """Add an evaluation."""
        appended = self._append_again(evaluation, gradient) or self._append(evaluation, gradient)
        self._newest, row, _, is_new = appended
        if is_new and self._newest is not self._order.latest:
            self._order.turns_to(self._newest, row, evaluation.holds)
        around = evaluation.around if evaluation.asked is None else evaluation.asked.around
        if around is not None:
            self._inner.setdefault(self._newest, InnerFit()).evaluated(self._newest, evaluation, around)
        if self._outside.waiting:
            self._outside.put(self._newest)
        return appended

    @property
    def evaluations_of_latest(self) -> int:
        """How many evaluations there are of the objective of the latest."""
        return len(self._newest)

    def watched_outside(self, value: WatchedValue) -> None:
        """Add a quantity that was watched outside any pass."""
        self._outside.add(value, self._newest)

    def _append_again(self, evaluation: Evaluation, gradient: Any | None) -> Appended | None:
        """Add an evaluation that is in all as the one before it, as most are, at once; None where it is another."""
        known, positions, shape, history = self._latest
        point = evaluation.point
        if (
            evaluation.identity is not known
            or evaluation.positions != positions
            or evaluation.others is not None
            or type(point) is not np.ndarray
            or point.shape != shape
            or len(shape) != 1
            or point.dtype is not history.dtype
        ):
            return None
        if gradient is None:
            if evaluation.has_gradient:
                return None
        elif type(gradient) is not np.ndarray or gradient.shape != shape or gradient.dtype is not history.dtype:
            return None
        row = history.append_again(evaluation.loss, point, gradient)
        if row < 0:
            return None
        self._sites[history] = [evaluation.site]
        self._look_at_what_is_held(history, row, evaluation)
        return history, row, gradient, True

    def _append(self, evaluation: Evaluation, gradient: Any | None) -> Appended:
        is_plain = evaluation.others is None and evaluation.identity is self._latest[0]  # as in most steps
        if not (is_plain and len(evaluation.positions) == 1) and self._is_of_turns(evaluation):
            return self._turns.append(evaluation, gradient)
        history = self._history_of(evaluation)
        point = laid_out(history, evaluation.point)
        stride = history.stride
        slope: NDArray[Any] | None
        if gradient is None:
            slope = np.zeros_like(point) if evaluation.has_gradient else None
        else:
            slope = laid_out(history, gradient)
        rows = history.loss.rows
        if (
            rows
            and history.loss.block[rows - 1] == evaluation.loss
            and self._is_known(history, evaluation, point, slope)
        ):
            return history, len(history) - 1, slope, False
        row = history.append(evaluation.loss, point, slope, residuals=evaluation.residuals)
        if evaluation.jacobian is not None:
            history.keep_jacobian(row, evaluation.jacobian)
        self._sites[history] = [evaluation.site]
        self._look_at_what_is_held(history, row, evaluation)
        if history.stride != stride:
            self._thinned(history)
        return history, row, slope, True

    def _look_at_what_is_held(self, history: History, row: int, evaluation: Evaluation) -> None:
        """Take note of what an objective holds beside its parameters, where that may be something else now."""
        function, rest = (evaluation.function, ()) if evaluation.holds is None else evaluation.holds
        numbers = state_of(function)
        known, before = self._functions.get(history), self._numbers.get(history, ((), ()))
        is_new = function is not (None if known is None else known())
        if not is_new and numbers == before[0] and (not rest or all(map(operator.is_, rest, before[1]))):
            return
        self._numbers[history] = numbers, rest
        with suppress(TypeError):  # few callables cannot be referred to
            self._functions[history] = weakref.ref(function)
        if len(history.held) > MOST_CHANGES:
            return
        mark = mark_of((function, *rest) if rest else function)
        if not history.held or history.held[-1][1] != mark:
            history.held.append((row, mark))

    def _is_known(
        self, history: History, evaluation: Evaluation, point: NDArray[Any], slope: NDArray[Any] | None
    ) -> bool:
        """Whether the program only looks once more, from elsewhere, at what the latest evaluation says already.

        A loop that does not move comes back to the same place in the program; an optimizer starts with its own.
        """
        site, sites = evaluation.site, self._sites.get(history)
        if site is None or sites is None or site in sites or slope is None:
            return False
        row = history.values.rows - 1
        if not ((history.values.block[row] == point).all() and (history.gradients.block[row] == slope).all()):
            return False
        is_running = bool(history.calls) and not history.calls[-1].is_over
        if not is_running and by_an_optimizer():
            return False
        sites.append(site)
        return True

    def _is_of_turns(self, evaluation: Evaluation) -> bool:
        """Whether another argument of the objective is, or may be, differentiated as well."""
        if evaluation.others is None and len(evaluation.positions) == 1:
            known, objective = self._latest[0], evaluation.identity
            return known is not objective and known != objective and self._turns.knows(objective)
        return (evaluation.identity, evaluation.positions, signature(evaluation.point)) not in self._histories

    def close(self) -> None:
        """Add what waits for an evaluation that does not come, and put together what belongs together."""
        self._outside.put(self._newest)
        self._turns.close()
        for old, new in join_blocks(self._order.stretches(), self._writer):
            self._joined(old, new)
        find_hand_overs(self._order)
        find_inner(self._order)

    def _joined(self, old: Sequence[History], new: History) -> None:
        """Go on with one history in the place of several."""
        self._outside.joined(old, new)
        self._order.joined(old, new)
        if self._newest in old:
            self._newest = new
        self._tell_joined(old, new)

    def tell(
        self, history: History, row: int, evaluation: Evaluation, slope: NDArray[Any] | None, *, is_new: bool = True
    ) -> None:
        """Add what the simulator said in an evaluation, unless another pass of it said so, and what stands out."""
        if is_new and (evaluation.happenings or evaluation.watched):
            self._add_probes(history, row, evaluation)
        if evaluation.data:
            self._add_data(history, evaluation)
        if evaluation.sum is not None and is_new:
            if not history.sums.terms:
                history.sums = Sums.of(evaluation.sum.terms)
            history.sums.append(row, evaluation.sum.values)
        if evaluation.reading is not None:
            self._add_reading(history, row, evaluation.reading, is_by_all=evaluation.others is None)
        if evaluation.others is None:
            for name, parts in evaluation.along.items():
                along, read = history.along.get(name) or TermColumns(), np.array([laid_out(history, p) for p in parts])
                if not along.evaluation or along.gradients[0].shape == read.shape:
                    along.append(row, read)
                    history.along[name] = along  # not before there is a row
        if evaluation.birth is not None:
            noun = "evaluation" if any(call.counts_iterations for call in history.calls) else "iteration"
            event = nonfinite.event_of(evaluation.birth, row, noun)
            self._add_event(history, row, event)
            if not evaluation.birth.from_parameters:
                self._notice(f"{event.text[0].upper()}{event.text[1:]}.")
        if evaluation.remarks:
            self._add_remarks(history, row, evaluation, slope)
        if slope is not None and history.width <= _FOLLOWED_SIGNS:
            signs = np.sign(slope if history.is_real else slope.real)
            if evaluation.others is not None:
                signs = np.where(np.isnan(signs), history.last_signs, signs)  # by the others it is not known yet
            if signs.tobytes() != history.last_signs.tobytes():
                self._add_turns(history, row, signs)

    def _history_of(self, evaluation: Evaluation) -> History:
        point = evaluation.point
        known, positions, shape, history = self._latest
        if (
            (known is evaluation.identity or known == evaluation.identity)
            and positions == evaluation.positions
            and type(point) is np.ndarray
            and point.shape == shape
            and point.dtype == history.dtype
        ):
            return history  # a plain array again, as in most steps
        key: tuple[Any, ...] = evaluation.identity, evaluation.positions, signature(point)
        found = self._histories.get(key)
        if found is None:
            found = self._new_history(evaluation)
            self._writer.add_history(found)
            self._histories[key] = found  # last: one that is not in the run would never come there
        self._latest = evaluation.identity, evaluation.positions, getattr(point, "shape", None), found
        return found

    def _new_history(self, evaluation: Evaluation) -> History:
        objective, point, arguments, holder = evaluation.layout()
        names = names_of_arguments(point if len(arguments) > 1 else [point], arguments)
        structure = outline(point)
        arrays = flatten(point, structure)
        if hidden := [name for name, array in zip(names, arrays, strict=True) if array is NO_NUMBERS]:
            self._notice(_HIDDEN.format(" and ".join(hidden)))
        dtype = np.result_type(np.float64, *(a.dtype for a in arrays))
        shapes = [a.shape for a in arrays]
        complex_ones = [name for name, array in zip(names, arrays, strict=True) if array.dtype.kind == "c"]
        leaves = leaves_of(list(zip(names, shapes, strict=True)), complex_ones)
        if len(leaves) == 1 and len(leaves[0].shape) == 1 and leaves[0].kept is None:
            leaves = [replace(leaves[0], labels=names_given(leaves[0].size, holder))]
        history = History(objective, leaves, dtype, structure)
        history.is_within = evaluation.is_within
        if evaluation.residuals is not None:
            history.keep_residuals(len(evaluation.residuals))
        return history

    def _thinned(self, history: History) -> None:
        """Tell the reader that the run outgrew its memory."""
        self._writer.withdraw_notices(_LONG)
        which = "second" if history.stride == 2 else f"{history.stride}th"
        self._notice(
            f"{_LONG} its parameters and gradients were kept at every {which} evaluation, and at the first, the last, "
            "the best and the worst. The loss was kept at each."
        )

    def _add_probes(self, history: History, row: int, evaluation: Evaluation) -> None:
        """Add what the simulator said of itself."""
        watched = by_name(evaluation.watched)
        are_numbers = True
        """Whether each is one number."""
        for name, rows in watched.items():
            columns = history.watches.get(name)
            if columns is None or (self._outside.names and self._outside.forget(name)):
                columns = WatchColumns(rows[0].unit)
            first = rows[0]
            is_one = len(rows) == 1 and isinstance(first.value, float) and isinstance(first.cotangent, float)
            if is_one and first.unit == columns.unit:
                columns.append(row, first.value, first.cotangent, first.at)
            else:
                are_numbers = False
                rows = self._in_one_unit(name, columns.unit, rows)
                columns.extend(row, [r.value for r in rows], [r.cotangent for r in rows], [r.at for r in rows])
            history.watches[name] = columns  # not before there is a row
        for event in forward_events(evaluation.happenings, {} if are_numbers else watched):
            self._add_event(history, row, event)
        if are_numbers and watched:
            self._add_watched(history, row, evaluation.watched)
            return
        for event in backward_events(watched):
            self._add_event(history, row, event)

    def _in_one_unit(self, name: str, unit: str, rows: list[WatchedValue]) -> list[WatchedValue]:
        """Return the values of a quantity that are in its unit; tells of others."""
        others = [row.unit for row in rows if row.unit and row.unit != unit]
        if not others:
            return rows
        self._notice(
            f"{name} is watched in {unit or 'no unit'} and in {others[0]}: the numbers in {others[0]} were left out. "
            "Give each unit a name of its own, or watch the same unit each time."
        )
        return [row for row in rows if not row.unit or row.unit == unit]

    def _add_data(self, history: History, evaluation: Evaluation) -> None:
        for name, residuals, sigma, labels in by_group(evaluation.data):
            if not history.keep_data(name, residuals, sigma, labels):
                self._notice(_MISFIT.format(name))

    def _add_reading(self, history: History, row: int, reading: Reading, *, is_by_all: bool) -> None:
        """Add how the quantities depend on the parameters, if it is read by all of them."""
        if reading.terms:
            self._add_terms(history, row, reading.terms)
        for name, gradient in reading.slopes.items() if is_by_all else ():
            slopes = history.slopes.get(name) or SlopeColumns(inside=reading.inside[name])
            slopes.append(row, np.array(laid_out(history, gradient)))
            history.slopes[name] = slopes  # not before there is a row

    def _add_terms(self, history: History, row: int, gradients: Mapping[str, Any]) -> None:
        rows = {name: laid_out(history, gradient) for name, gradient in gradients.items()}
        for name, gradient in rows.items():
            columns = history.terms.get(name) or TermColumns()
            columns.append(row, np.array(gradient))
            history.terms[name] = columns
        if history.width <= _FOLLOWED_SIGNS:
            for event in self._conflicts.setdefault(id(history), Conflicts()).events(rows):
                self._add_event(history, row, event)

    def _add_remarks(self, history: History, row: int, evaluation: Evaluation, slope: NDArray[Any] | None) -> None:
        """Add what a close look at the tape found, once; no remark about parameters whose gradient is there."""
        known = self._remarks.setdefault(history, set())
        for remark in evaluation.remarks:
            if row > 0 and remark.what == "dies" and not remark.values["is_flat"]:
                continue  # a residual that became 0, say
            columns, strengths = reached(history, remark.reach, evaluation, slope)
            key = remark.what, remark.operation, remark.place, columns
            if key in known or len(known) >= _MOST_REMARKS or not (columns or remark.what in remarks.OF_ALL):
                continue
            known.add(key)
            self._add_event(history, row, remarks.event_of(remark, columns, strengths))

    def _add_turns(self, history: History, row: int, signs: NDArray[Any]) -> None:
        """Add a backward event for each parameter whose gradient begins to ask for the other direction."""
        turned = (signs != history.last_signs) & ~(np.isnan(signs) & np.isnan(history.last_signs))
        if turned.any():
            history.last_signs = signs  # first: an interrupt may lose a turn, and none is told twice
            for column in np.flatnonzero(turned):
                self._add_event(history, row, turn(int(column), float(signs[column])))
