"""One recording from start to finished, interrupted or failed: turns passes of autograd into rows and events of a Run.

A recorder lives in a context variable, so that threads and asyncio tasks do not mix. Recordings nest: the innermost
observes, and hands each finished evaluation on to the one around it.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextvars import Token
from itertools import groupby
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.errors import XinvError
from xinv_nb.recorded.columns import TermColumns, WatchColumns
from xinv_nb.recorded.events import NewEvent
from xinv_nb.recorded.history import History
from xinv_nb.recorded.leaves import WHOLE_LIMIT, leaves_of
from xinv_nb.recorded.run import RecordedRun, Status
from xinv_nb.recorded.writer import RunWriter
from xinv_nb.recording.backends.autograd import hook, nonfinite, observing, terms
from xinv_nb.recording.backends.autograd.operations import Operation
from xinv_nb.recording.events import Happening, WatchedValue, backward_events, by_name, forward_events, turn
from xinv_nb.recording.solvers import scipy as solvers
from xinv_nb.recording.solvers.follower import OptimizerFollower
from xinv_nb.recording.structure import (
    NO_NUMBERS,
    argument_names,
    copied,
    flatten,
    function_name,
    identity,
    in_flattening_order,
    names_of_arguments,
    outline,
    signature,
)

_PENDING_LIMIT = 32
"""Forward passes that may wait for their backward pass at the same time."""


_FOLLOWED_SIGNS = 16
"""Parameters up to which a change of the gradient's sign is an event; more would drown the others."""


def current_recorder() -> Recorder | None:
    """Return the innermost recorder of this thread or asyncio task, if it is open."""
    found = hook.active()
    return found if isinstance(found, Recorder) else None


class Evaluation:
    """One pass over the objective on its way into the recording.

    What most evaluations have nothing of is an attribute of the class: making one is a cost of every evaluation.
    """

    loss: float = math.nan
    end_node = 0
    """Identity of the node at the end of the forward pass. Not the node: that would keep the whole tape alive."""
    observed = False
    """Whether it runs on an observing tape."""
    report: Operation | None = None
    """The first operation that NumPy warned of."""
    birth: nonfinite.Birth | None = None
    terms: Mapping[str, Any] = MappingProxyType({})
    """The gradient of each term of the loss, where they were read."""

    def __init__(self, of: hook.Differentiated, x: Any, level: int) -> None:
        self.of = of
        self.identity = identity(of.function)
        # Optimizers change their arrays in place, so the point is copied before the simulator runs.
        self.point = copied(x[0] if of.in_tuple else x, summarise=of.unflatten is None)
        self.level = level
        """Autograd's number for this trace, by which its boxes are known."""
        self.happenings: list[Happening] = []
        self.watched: list[WatchedValue] = []


class Recorder:
    """Records what happens between `start` and `stop` into `run`."""

    def __init__(
        self, run: RecordedRun, max_events: int = 100_000, on_evaluation: Callable[[], None] | None = None
    ) -> None:
        self.run = run
        self.writer = RunWriter(run)
        self.max_events = max_events
        self.on_evaluation = on_evaluation
        self.thread = threading.get_ident()
        self.depth = 0
        """How many traces and backward passes are open inside each other."""
        self.pending: dict[int, Evaluation] = {}
        """Forward passes that wait for their backward pass, by the identity of the node at their end."""
        self.evaluation: Evaluation | None = None
        """The evaluation whose forward pass is running."""
        self.closed = False
        self.stages: list[str] = []
        self.outer: Recorder | None = None
        """The recording around this one: it sees what this one sees."""
        self._token: Token[hook.Observer | None] | None = None
        self._hooked = False
        self._histories: dict[tuple[Any, ...], History] = {}
        self._latest: tuple[Any, Any, Any, History] = (None, None, None, History("", []))
        """What the latest evaluation was of: objective, positions of its arguments, shape of the point, and history."""
        self._optimizers = OptimizerFollower(self._add_event, self._failed, self.notice)
        self._templates: set[str] = set()
        self._outside: list[tuple[int, Happening]] = []
        """Events outside any pass since the latest evaluation, each with the evaluation it follows."""
        self._passes = 0
        self._lookout = nonfinite.Lookout()
        self._terms = terms.TermReader()
        self._conflicts: dict[int, terms.Conflicts] = {}
        self._event_count = 0

    # ------------------------------------------------------------------ its life

    def start(self) -> None:
        """Open the recording in this thread or task; each recorder records once."""
        if self.closed or self._token is not None:
            raise XinvError("This recording was opened before: each block needs its own xi.record(...).")
        try:
            hook.install()
            self._hooked = True
            solvers.install()
            nonfinite.hear()
        except hook.UnsupportedAutogradError as error:
            self.notice(
                f"This version of autograd keeps its passes where xinv_nb cannot see them ({error}); the program runs "
                "as always and nothing is recorded. autograd 1.8 and 1.9 are supported."
            )
        self.outer = current_recorder()
        self.stages = list(self.outer.stages) if self.outer is not None else []
        self._token = hook.observer.set(self)

    def stop(self, status: Status = "finished", ending: str = "") -> None:
        """Close the recording; what was recorded stays. Closing twice does nothing."""
        if self.closed:
            return
        self.closed = True
        self.pending.clear()
        if self._hooked:
            hook.uninstall()
            solvers.uninstall()
            nonfinite.stop_hearing()
        if self._token is not None:
            try:
                hook.observer.reset(self._token)
            except ValueError:  # closed in another context than it was opened in: it is marked closed, which suffices
                hook.observer.set(self.outer)
        self._tell_outside()
        self._optimizers.close()
        self.writer.end(status, ending)
        if self.run.evaluations == 0 and not self.run.notices:
            self.notice(_NO_LOSS if self._passes else _NO_GRADIENT)

    def notice(self, text: str) -> None:
        """Tell the reader something about the recording, once."""
        self.writer.notice(text)

    # ------------------------------------------------------------------ passes, called by the hook

    def open_evaluation(self, fun: Any, x: Any, level: int) -> Evaluation | None:
        """Take note of a forward pass that begins at `x`; None if it is autograd's own bookkeeping."""
        try:
            self._passes += 1
            of = hook.differentiated(fun)
            if of is None:
                self.evaluation = None
                recorder: Recorder | None = self
                while recorder is not None:
                    recorder._optimizers.passes_between += 1  # noqa: SLF001
                    recorder = recorder.outer
                return None
            evaluation = self.evaluation = Evaluation(of, x, level)
            if self._lookout.wants_to_observe(evaluation.identity):
                evaluation.observed = True
        except Exception as error:  # noqa: BLE001 - nothing of ours may reach the user's computation
            self._failed(error)
            return None
        return evaluation

    def start_of_tape(self, evaluation: Evaluation, start_node: Any, x: Any) -> Any:
        """Return the start of an observing tape."""
        try:
            return observing.observing_root(x)
        except Exception as error:  # noqa: BLE001
            evaluation.observed = False
            self._failed(error)
            return start_node

    def abandon(self, evaluation: Evaluation) -> None:
        """Forget a forward pass that raised."""
        if self.evaluation is evaluation:
            self.evaluation = None

    def close_forward(self, evaluation: Evaluation, end_value: Any, end_node: Any) -> None:
        """Keep a finished forward pass until its backward pass comes, if its result is a single number."""
        self.evaluation = None
        try:
            value = hook.only_output(end_value[0] if evaluation.of.with_aux else end_value)
            if value is None:
                return
            loss = evaluation.loss = float(value.real)
            if evaluation.observed or evaluation.report is not None or not math.isfinite(loss):
                self._look_forward(evaluation, end_node)
            if end_node is None:
                self.notice("The objective did not depend on its parameters in at least one evaluation.")
                self._commit(evaluation, None)
                return
            if len(self.pending) >= _PENDING_LIMIT:
                del self.pending[next(iter(self.pending))]
            evaluation.end_node = id(end_node)
            self.pending[id(end_node)] = evaluation
        except Exception as error:  # noqa: BLE001
            self._failed(error)

    def close_backward(self, evaluation: Evaluation, gradient: Any, seed: Any, end_node: Any) -> None:
        """Add the evaluation whose backward pass gave `gradient` to the recording."""
        try:
            if self.pending.pop(evaluation.end_node, None) is evaluation:
                self._commit(evaluation, gradient, (seed, end_node))
        except Exception as error:  # noqa: BLE001
            self._failed(error)

    def _look_forward(self, evaluation: Evaluation, end_node: Any) -> None:
        """Learn from an observed forward pass, and look where a loss that is not finite came from."""
        if evaluation.report is not None:
            nonfinite.hear_again()
        if evaluation.observed:
            self._lookout.learn(evaluation.identity, end_node)
        if not math.isfinite(evaluation.loss):
            with np.errstate(all="ignore"):
                evaluation.birth = self._lookout.forward(
                    evaluation.identity,
                    end_node,
                    observed=evaluation.observed,
                    point=evaluation.point,
                    report=evaluation.report,
                    watched=evaluation.watched,
                )

    def _look_backward(self, evaluation: Evaluation, seed: Any, end_node: Any) -> None:
        """Look where a gradient that is not finite came from; what that computes is no part of the recording."""
        token = hook.observer.set(None)
        try:
            evaluation.birth = self._lookout.backward(evaluation.identity, seed, end_node)
        finally:
            hook.observer.reset(token)

    def _commit(self, evaluation: Evaluation, gradient: Any | None, tape_of: tuple[Any, Any] | None = None) -> None:
        if gradient is not None and (type(gradient) is not np.ndarray or gradient.size > WHOLE_LIMIT):
            gradient = copied(gradient, summarise=evaluation.of.unflatten is None)  # so that it is read once
        if evaluation.of.in_tuple and gradient is not None:
            gradient = gradient[0]
        if tape_of is not None and (evaluation.watched or not nonfinite.is_finite_gradient(gradient)):
            # What the user's program does at a nan or an overflow (np.seterr) is for its own numbers, not for ours.
            with np.errstate(all="ignore"):
                if math.isfinite(evaluation.loss) and not nonfinite.is_finite_gradient(gradient):
                    self._look_backward(evaluation, *tape_of)
                elif len(evaluation.watched) > 1:
                    evaluation.terms = self._terms.read(evaluation.identity, evaluation.watched, *tape_of)
                    if evaluation.of.in_tuple:
                        evaluation.terms = {name: of_term[0] for name, of_term in evaluation.terms.items()}
                self._hand_on(evaluation, gradient)
        else:
            self._hand_on(evaluation, gradient)

    def _hand_on(self, evaluation: Evaluation, gradient: Any | None) -> None:
        """Add an evaluation to this recording and to those around it."""
        recorder: Recorder | None = self
        while recorder is not None:
            if recorder.depth == 0 and not recorder.closed:
                recorder._append(evaluation, gradient)  # noqa: SLF001
                if recorder.on_evaluation is not None:
                    recorder._tell_view(recorder.on_evaluation)  # noqa: SLF001
            recorder = recorder.outer

    def followers(self) -> list[solvers.Follower]:
        """Return who wants to know of a solver that starts now: this recording and those around it."""
        return [r._optimizers for r in self._self_and_around() if r.depth == 0 and not r.closed]  # noqa: SLF001

    def _self_and_around(self) -> Iterator[Recorder]:
        recorder: Recorder | None = self
        while recorder is not None:
            yield recorder
            recorder = recorder.outer

    def _tell_view(self, on_evaluation: Callable[[], None]) -> None:
        """Let the view follow; what it computes (the user's scene, say) is no part of the recording."""
        token = hook.observer.set(None)
        try:
            with np.errstate(all="ignore"):
                on_evaluation()
        except Exception as error:  # noqa: BLE001
            self.on_evaluation = None
            self.notice(f"The live view stopped following ({type(error).__name__}: {error}); the recording goes on.")
        finally:
            hook.observer.reset(token)

    def _append(self, evaluation: Evaluation, gradient: Any | None) -> None:
        history = self._history_of(evaluation)
        point = _row(history, evaluation.point)
        slope = np.zeros_like(point) if gradient is None else _row(history, gradient)
        if evaluation.happenings:
            self._learn_templates(evaluation)
        if self._outside:
            self._tell_outside()
        stride = history.stride
        row = history.append(evaluation.loss, point, slope)
        if history.stride != stride:
            self._thinned(history)
        self._optimizers.evaluated(history, row)
        if evaluation.happenings or evaluation.watched:
            self._add_probes(history, row, evaluation)
        if evaluation.terms:
            self._add_terms(history, row, evaluation.terms)
        if evaluation.birth is not None:
            event = nonfinite.event_of(evaluation.birth, row)
            self._add_event(history, row, event)
            if not evaluation.birth.from_parameters:
                self.notice(f"{event.text[0].upper()}{event.text[1:]}.")
        if history.width <= _FOLLOWED_SIGNS:
            signs = np.sign(slope if history.is_real else slope.real)
            if signs.tobytes() != history.last_signs.tobytes():
                self._add_turns(history, row, signs)

    def _thinned(self, history: History) -> None:
        """Tell the reader that the run outgrew its memory."""
        self.writer.withdraw_notices(_LONG)
        which = "second" if history.stride == 2 else f"{history.stride}th"
        self.notice(
            f"{_LONG} its parameters and gradients were kept at every {which} evaluation, and at the first, the last, "
            "the best and the worst. The loss was kept at each."
        )

    def _add_probes(self, history: History, row: int, evaluation: Evaluation) -> None:
        """Add what the simulator said of itself."""
        watched = by_name(evaluation.watched)
        for name, rows in watched.items():
            columns = history.watches.get(name)
            if columns is None:
                columns = history.watches[name] = WatchColumns(rows[0].unit)
            columns.extend(row, [r.value for r in rows], [r.cotangent for r in rows], [r.at for r in rows])
        for event in forward_events(evaluation.happenings, watched):
            self._add_event(history, row, event)
        for event in backward_events(watched):
            self._add_event(history, row, event)

    def _add_terms(self, history: History, row: int, gradients: Mapping[str, Any]) -> None:
        rows = {name: _row(history, gradient) for name, gradient in gradients.items()}
        for name, gradient in rows.items():
            columns = history.terms.setdefault(name, TermColumns())
            columns.evaluation.append(row)
            columns.gradients.append(np.array(gradient))
        if history.width <= _FOLLOWED_SIGNS:
            for event in self._conflicts.setdefault(id(history), terms.Conflicts()).events(rows):
                self._add_event(history, row, event)

    def _add_turns(self, history: History, row: int, signs: NDArray[Any]) -> None:
        """Add a backward event for each parameter whose gradient begins to ask for the other direction."""
        turned = (signs != history.last_signs) & ~(np.isnan(signs) & np.isnan(history.last_signs))
        if turned.any():
            for column in np.flatnonzero(turned):
                self._add_event(history, row, turn(int(column), float(signs[column])))
            history.last_signs = signs

    def _history_of(self, evaluation: Evaluation) -> History:
        of, point = evaluation.of, evaluation.point
        known, positions, shape, history = self._latest
        if (
            known is evaluation.identity
            and positions == of.positions
            and type(point) is np.ndarray
            and point.shape == shape
            and point.dtype == history.dtype
        ):
            return history  # a plain array again, as in most steps
        key: tuple[Any, ...] = evaluation.identity, of.positions, signature(point)
        found = self._histories.get(key)
        if found is None:
            found = self._histories[key] = _new_history(evaluation, self.notice)
            self.writer.add_history(found)
        self._latest = evaluation.identity, of.positions, getattr(point, "shape", None), found
        return found

    # ------------------------------------------------------------------ events, called by the probes

    def happened(self, happening: Happening) -> None:
        """Take note of an event that the user's code reports."""
        if self.evaluation is not None:
            self.evaluation.happenings.append(happening)
            return
        for recorder in self._self_and_around():
            if recorder.evaluation is not None:
                recorder.evaluation.happenings.append(happening)
                return
            # Deeper, the simulator runs for another reason: a Jacobian, say, or the way back through a fixed point.
            if recorder.depth == 0:
                recorder._happened_outside(happening)  # noqa: SLF001

    def _happened_outside(self, happening: Happening) -> None:
        """Keep an event outside any pass: the user's own loop speaks, or the simulator is called just for its value.

        Which of the two it is shows when the same words come, or do not come, from inside a pass.
        """
        if happening.template not in self._templates and len(self._outside) < self.max_events:
            self._outside.append((max(self.run.evaluations - 1, 0), happening))

    def _learn_templates(self, evaluation: Evaluation) -> None:
        """Drop what the simulator said when it was called just for its value."""
        new = {h.template for h in evaluation.happenings} - self._templates
        if not new:
            return
        self._templates |= new
        self._outside = [(row, h) for row, h in self._outside if h.template not in new]
        self.writer.drop_events(lambda owner, event: owner is None and event.name in new)

    def _tell_outside(self) -> None:
        for row, pairs in groupby(self._outside, key=lambda pair: pair[0]):
            for event in forward_events([happening for _, happening in pairs]):
                self._add_event(None, row, event)
        self._outside.clear()

    def _add_event(self, history: History | None, evaluation: int, event: NewEvent) -> None:
        if self._event_count >= self.max_events:
            self.writer.note_dropped_events()
            self.notice(
                f"More than {self.max_events:,} events: the later ones were not kept (--max-events keeps more)."
            )
            return
        self._event_count += 1
        self.writer.add_event(history, evaluation, event)

    def _failed(self, error: Exception) -> None:
        self.notice(f"Part of the recording failed and was left out ({type(error).__name__}: {error}).")


_LONG = "This run is long:"
_NO_GRADIENT = (
    "No gradient was taken here, so there is nothing to show. xinv_nb records what autograd derives: "
    "call grad(...), value_and_grad(...) or an optimizer that does. Gradients that a program finds another way, with "
    "another library or boxes of its own, cannot be seen."
)
_NO_LOSS = (
    "Derivatives were taken here, but none of a function that returns a single number (a loss), "
    "so there is nothing to show."
)

_HIDDEN = (
    "The values of {} cannot be seen: they are neither numbers nor arrays, but of a type that the program has taught "
    "autograd. The loss is recorded all the same."
)


def _new_history(evaluation: Evaluation, notice: Callable[[str], None]) -> History:
    of, point = evaluation.of, evaluation.point
    if of.unflatten is not None:
        point = in_flattening_order(of.unflatten(point))
    roots = argument_names(of.function, of.positions)
    several = len(of.positions) > 1
    names = names_of_arguments(point if several else [point], roots)
    structure = outline(point)
    arrays = flatten(point, structure)
    if hidden := [name for name, array in zip(names, arrays, strict=True) if array is NO_NUMBERS]:
        notice(_HIDDEN.format(" and ".join(hidden)))
    dtype = np.result_type(np.float64, *(a.dtype for a in arrays))
    shapes = [a.shape for a in arrays]
    return History(function_name(of.function), leaves_of(list(zip(names, shapes, strict=True))), dtype, structure)


def _row(history: History, value: Any) -> NDArray[Any]:
    """Lay a point or a gradient out in the columns of `history`; `flatten_func` passes one flat array."""
    if isinstance(value, np.ndarray) and value.size == history.width and value.dtype == history.dtype:
        return value.reshape(-1)  # one array, or what `flatten_func` passes, kept whole: laid out already
    flat = isinstance(value, np.ndarray) and history.outline is not None
    return history.flat(flatten(value, None if flat else history.outline))
