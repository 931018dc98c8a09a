"""One recording from start to finished, interrupted or failed: turns passes of autograd into rows and events of a Run.

A recorder lives in a context variable, so that threads and asyncio tasks do not mix. Recordings nest: the innermost
observes, and hands each finished evaluation on to the one around it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextvars import Token
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.history import History, WatchColumns
from xinv_nb.quantities import number
from xinv_nb.recording import autograd as hook
from xinv_nb.recording.events import Happening, WatchedValue, backward_events, forward_events, turn
from xinv_nb.recording.optimizers import name_optimizer
from xinv_nb.recording.structure import argument_names, flatten, in_flattening_order, leaf_names, rebuilder
from xinv_nb.run import Event, Run, Status

_PENDING_LIMIT = 32
"""Forward passes that may wait for their backward pass at the same time."""


_FOLLOWED_SIGNS = 16
"""Parameters up to which a change of the gradient's sign is an event; more would drown the others."""


def current_recorder() -> Recorder | None:
    """Return the innermost recorder of this thread or asyncio task, if it is open."""
    found = hook.observer.get()
    return found if isinstance(found, Recorder) and not found.closed else None


class Evaluation:
    """One pass over the objective on its way into the recording."""

    __slots__ = ("arrays", "end_node", "happenings", "loss", "of", "watched", "x")

    def __init__(self, of: hook.Differentiated, x: Any) -> None:
        self.of = of
        self.x = x
        # Optimizers change their arrays in place, so the point is copied before the simulator runs.
        self.arrays: list[NDArray[Any]] = [np.array(a) for a in flatten(x)]
        self.loss = np.nan
        self.end_node = 0
        """Identity of the node at the end of the forward pass. Not the node: that would keep the whole tape alive."""
        self.happenings: list[Happening] = []
        self.watched: list[WatchedValue] = []


class Recorder:
    """Records what happens between `start` and `stop` into `run`."""

    def __init__(self, run: Run, max_events: int = 100_000, on_evaluation: Callable[[], None] | None = None) -> None:
        self.run = run
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
        self._outer: Recorder | None = None
        self._token: Token[hook.Observer | None] | None = None
        self._hooked = False
        self._histories: dict[tuple[Any, ...], History] = {}
        self._templates: set[str] = set()
        self._event_count = 0

    # ------------------------------------------------------------------ its life

    def start(self) -> None:
        """Open the recording in this thread or task."""
        try:
            hook.install()
            self._hooked = True
        except hook.UnsupportedAutogradError as error:
            self.notice(
                f"This version of autograd keeps its passes where xinv_nb cannot see them ({error}); the program runs "
                "as always and nothing is recorded. autograd 1.8 and 1.9 are supported."
            )
        self._outer = current_recorder()
        self._token = hook.observer.set(self)

    def stop(self, status: Status = "finished", ending: str = "") -> None:
        """Close the recording; what was recorded stays. Closing twice does nothing."""
        if self.closed:
            return
        self.closed = True
        self.pending.clear()
        if self._hooked:
            hook.uninstall()
        if self._token is not None:
            try:
                hook.observer.reset(self._token)
            except ValueError:  # closed in another context than it was opened in: it is marked closed, which suffices
                hook.observer.set(self._outer)
        for history in self._histories.values():
            if history.optimizer:
                self._add_event(history, len(history) - 1, _optimizer_event(f"stops after {len(history)} evaluations"))
        self.run.ending = ending
        self.run.status = status
        if self.run.evaluations == 0 and not self.run.notices:
            self.notice(
                "No gradient was taken here, so there is nothing to show. xinv_nb records what autograd derives: "
                "call grad(...), value_and_grad(...) or an optimizer that does."
            )

    def notice(self, text: str) -> None:
        """Tell the reader something about the recording, once."""
        if text not in self.run.notices:
            self.run.notices.append(text)

    # ------------------------------------------------------------------ passes, called by the hook

    def open_evaluation(self, fun: Any, x: Any) -> Evaluation | None:
        """Take note of a forward pass that begins at `x`; None if it is autograd's own bookkeeping."""
        try:
            of = hook.differentiated(fun)
            if (getattr(of.function, "__module__", None) or "").startswith("autograd."):
                return None
            self.evaluation = Evaluation(of, x)
        except Exception as error:  # noqa: BLE001 - nothing of ours may reach the user's computation
            self._failed(error)
            return None
        return self.evaluation

    def abandon(self, evaluation: Evaluation) -> None:
        """Forget a forward pass that raised."""
        if self.evaluation is evaluation:
            self.evaluation = None

    def close_forward(self, evaluation: Evaluation, end_value: Any, end_node: Any) -> None:
        """Keep a finished forward pass until its backward pass comes, if its result is a single number."""
        self.evaluation = None
        try:
            # A node that died without a backward pass may have had the same identity.
            self.pending.pop(id(end_node), None)
            if not hook.has_one_output(end_value):
                return
            evaluation.loss = float(np.real(np.asarray(hook.plain_value(end_value)).reshape(())))
            if end_node is None:
                self.notice("The objective did not depend on its parameters in at least one evaluation.")
                self._commit(evaluation, [np.zeros_like(a) for a in evaluation.arrays])
                return
            if len(self.pending) >= _PENDING_LIMIT:
                del self.pending[next(iter(self.pending))]
            evaluation.end_node = id(end_node)
            self.pending[id(end_node)] = evaluation
        except Exception as error:  # noqa: BLE001
            self._failed(error)

    def close_backward(self, evaluation: Evaluation, gradient: Any) -> None:
        """Add the evaluation whose backward pass gave `gradient` to the recording."""
        try:
            if self.pending.pop(evaluation.end_node, None) is not evaluation:
                return
            self._commit(evaluation, [np.asarray(hook.plain_value(a)) for a in flatten(gradient)])
        except Exception as error:  # noqa: BLE001
            self._failed(error)

    def _commit(self, evaluation: Evaluation, gradients: Sequence[NDArray[Any]]) -> None:
        recorder: Recorder | None = self
        while recorder is not None:
            recorder._append(evaluation, gradients)  # noqa: SLF001
            if recorder.on_evaluation is not None:
                recorder._tell_view(recorder.on_evaluation)  # noqa: SLF001
            recorder = recorder._outer  # noqa: SLF001

    def _tell_view(self, on_evaluation: Callable[[], None]) -> None:
        """Let the view follow; what it computes (the user's scene, say) is no part of the recording."""
        token = hook.observer.set(None)
        try:
            on_evaluation()
        except Exception as error:  # noqa: BLE001
            self.on_evaluation = None
            self.notice(f"The live view stopped following ({type(error).__name__}: {error}); the recording goes on.")
        finally:
            hook.observer.reset(token)

    def _append(self, evaluation: Evaluation, gradients: Sequence[NDArray[Any]]) -> None:
        if self.closed:
            return
        history = self._history_of(evaluation)
        gradient = history.flat(
            [np.broadcast_to(g, a.shape) for g, a in zip(gradients, evaluation.arrays, strict=True)]
        )
        row = history.append(evaluation.loss, history.flat(evaluation.arrays), gradient)
        for watched in evaluation.watched:
            columns = history.watches.setdefault(watched.name, WatchColumns(watched.unit))
            columns.evaluation.append(row)
            columns.values.append(watched.value)
            columns.cotangents.append(watched.cotangent)
            columns.at.append(watched.at)
        self._templates.update(h.template for h in evaluation.happenings)
        for event in forward_events(evaluation.happenings, evaluation.watched):
            self._add_event(history, row, event)
        for event in backward_events(evaluation.watched):
            self._add_event(history, row, event)
        if history.width <= _FOLLOWED_SIGNS:
            self._add_turns(history, row, np.sign(np.real(gradient)))

    def _add_turns(self, history: History, row: int, signs: NDArray[Any]) -> None:
        """Add a backward event for each parameter whose gradient begins to ask for the other direction."""
        turned = (signs != history.last_signs) & ~(np.isnan(signs) & np.isnan(history.last_signs))
        if turned.any():
            for column in np.flatnonzero(turned):
                self._add_event(history, row, turn(int(column), float(signs[column])))
            history.last_signs = signs

    def _history_of(self, evaluation: Evaluation) -> History:
        function = evaluation.of.function
        key = (getattr(function, "__code__", function), evaluation.of.positions, *(a.shape for a in evaluation.arrays))
        history = self._histories.get(key)
        if history is None:
            history = self._histories[key] = self._new_history(evaluation)
        return history

    def _new_history(self, evaluation: Evaluation) -> History:
        of, x = evaluation.of, evaluation.x
        if of.unflatten is not None:
            x = in_flattening_order(of.unflatten(x))
        names = argument_names(of.function, of.positions)
        if len(of.positions) > 1:
            leaves = [n for name, item in zip(names, x, strict=True) for n in leaf_names(item, name)]
        else:
            leaves = leaf_names(x, names[0])
        shapes = [a.shape for a in flatten(x)]
        dtype = np.result_type(np.float64, *(a.dtype for a in evaluation.arrays))
        objective = getattr(of.function, "__name__", "objective")
        history = History(objective, list(zip(leaves, shapes, strict=True)), dtype, rebuilder(x))
        history.optimizer = name_optimizer()
        self.run._histories.append(history)  # noqa: SLF001
        if history.optimizer:
            start = f"{history.optimizer} starts at a loss of {number(evaluation.loss)}"
            self._add_event(history, 0, _optimizer_event(start))
        return history

    # ------------------------------------------------------------------ events, called by the probes

    def happened(self, happening: Happening) -> None:
        """Take note of an event that the user's code reports."""
        if self.evaluation is not None:
            self.evaluation.happenings.append(happening)
            return
        # Outside a differentiated pass: the user's own loop speaks, unless the simulator was called just for its value.
        recorder: Recorder | None = self
        while recorder is not None:
            if happening.template not in recorder._templates:  # noqa: SLF001
                row = max(recorder.run.evaluations - 1, 0)
                for event in forward_events([happening], []):
                    recorder._add_event(None, row, event)  # noqa: SLF001
            recorder = recorder._outer  # noqa: SLF001

    def _add_event(self, history: History | None, evaluation: int, event: Event) -> None:
        if self._event_count >= self.max_events:
            self.notice(
                f"More than {self.max_events:,} events: the later ones were not kept (--max-events keeps more)."
            )
            return
        self._event_count += 1
        # Frozen for readers; the recorder is the one who numbers it.
        object.__setattr__(event, "id", f"e{self._event_count}")
        object.__setattr__(event, "evaluation", evaluation)
        self.run._events.append((history, event))  # noqa: SLF001

    def _failed(self, error: Exception) -> None:
        self.notice(f"Part of the recording failed and was left out ({type(error).__name__}: {error}).")


def _optimizer_event(text: str) -> Event:
    return Event("", -1, "optimizer", "optimizer", text, {})
