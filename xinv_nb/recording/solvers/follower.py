"""Tells which evaluations the optimizer accepted, and what it did between them: one follower for each recording.

An evaluation counts as accepted until it is told otherwise: a solver of scipy reports its next iterate, and the points
that it tried on the way there are trials. Where iterates and evaluations cannot be matched, all stay accepted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.language.quantities import number
from xinv_nb.recorded.calls import OptimizerCall
from xinv_nb.recorded.events import EventKind, NewEvent
from xinv_nb.recorded.history import History
from xinv_nb.recording.solvers import callers
from xinv_nb.recording.solvers.callers import Caller
from xinv_nb.recording.solvers.calls import Asked, SolverCall
from xinv_nb.recording.solvers.path import Sink, SolverPath

_TRAINERS = {"adam": "Adam", "sgd": "Gradient descent with momentum", "rmsprop": "RMSProp"}
_MOST_STARTS = 20
"""Calls of optimizers that are told each by itself; a search from many starts makes hundreds."""

_MOST_IN_DETAIL = 3
"""Calls of optimizers of which more is told than where they start and stop."""

_MOST_NAMES = 3
_SETTINGS = ("step_size", "mass", "gamma", "b1", "b2", "num_iters")
"""What autograd's optimizers are told."""


@dataclass
class _Loop:
    """One call of an optimizer of autograd, over one objective."""

    trainer: str
    place: int
    code: Any
    tell: Sink
    noted: OptimizerCall
    depth: int = 0
    iteration: int = 0
    row: int = 0
    evaluations: int = 0


class OptimizerFollower:
    """Follows the optimizers of one recording; `add_event` puts an event beside an evaluation of an objective."""

    def __init__(
        self,
        add_event: Callable[[History, int, NewEvent], None],
        failed: Callable[[Exception], None],
        notice: Callable[[str], None],
    ) -> None:
        self._add_event = add_event
        self._failed = failed
        self._notice = notice
        self._calls: Counter[str] = Counter()
        """How often solvers say that they called the objective."""
        self._unseen: Counter[str] = Counter()
        """How often they did so where it was not recorded."""
        self._running: list[SolverCall] = []
        """Calls of scipy's solvers, the innermost last."""
        self._paths: dict[SolverCall, dict[History, SolverPath]] = {}
        self._loops: dict[History, _Loop] = {}
        """The optimizer of autograd that each objective was last evaluated by."""
        self.passes_between = 0
        """How often autograd was busy with itself, as its optimizers are between two steps."""
        self._looked: dict[History, int] = {}
        """The same at the latest evaluation of each objective."""
        self._instead: dict[History, History] = {}
        """Histories that were put together, with the one that is in their place."""
        self._search: dict[History, list[int]] | None = None
        """The evaluations of the latest line search that the program called by itself; None where it called none."""
        self._starts: dict[History, list[tuple[str, int]]] = {}
        """The optimizers of each objective in a row, with how often each started."""

    # ------------------------------------------------------------------ evaluations, told by the recorder

    def evaluated(self, history: History, row: int, asked: Asked | None = None) -> None:
        """Find out who called for an evaluation; `asked` is the call of a solver that it answers."""
        try:
            if self._search is not None and asked is None:
                self._in_line_search(history, row)
            if asked is not None and asked.call in self._paths:
                self._in_solver(asked, history, row)
            elif self._running or not self._is_as_before(history, row):
                self._find_out(history, row)
        except Exception as error:  # noqa: BLE001 - the evaluation is recorded all the same
            self._failed(error)

    def joined(self, old: Sequence[History], new: History) -> None:
        """Follow on in one history what was followed in several, of which the first has all the rows."""
        for histories in (self._loops, self._looked, self._starts):
            _move(histories, old, new)
        for paths in self._paths.values():
            _move(paths, old, new)
            if new in paths:
                paths[new].goes_on_in(new)
        before = [history for history, now in self._instead.items() if now in old]
        self._instead |= dict.fromkeys([*old, *before], new)

    def _is_as_before(self, history: History, row: int) -> bool:
        """Whether an evaluation is called for from where the one before was; saves most looks on the call stack.

        Autograd's optimizers flatten what they are given, at the start and after each step.
        """
        steps = self.passes_between - self._looked.get(history, -1)
        self._looked[history] = self.passes_between
        loop = self._loops.get(history)
        if loop is None:
            if steps == 0 and history not in self._starts:
                self._look_for_others(history, row)
            return steps == 0
        if steps == 0 or (steps == 1 and callers.is_at(loop.depth, loop.place, loop.code)):
            loop.row = row
            loop.evaluations += 1
            loop.iteration += steps
            return True
        return False

    def _find_out(self, history: History, row: int) -> None:
        if self._running:
            self._break_off_those_that_ended()
        caller = callers.find_caller()
        if caller is not None:
            self._in_loop(caller, history, row)
            return
        self._leave_loop(history)
        if history not in self._starts and not self._running:
            self._look_for_others(history, row)

    def _look_for_others(self, history: History, row: int) -> None:
        """Look now and then for a solver on the stack that is not followed."""
        if row & (row + 1):
            return
        history.is_on_manifold = history.is_on_manifold or callers.is_on_manifold()
        if name := callers.other_solver():
            self._start(history, row, name, name, {})

    def _in_solver(self, asked: Asked, history: History, row: int) -> None:
        call = asked.call
        paths = self._paths[call]
        path = paths.get(history)
        if path is None:
            self._leave_loop(history)
            started = self._start(history, row, call.name, call.name, call.options)
            path = paths[history] = SolverPath(call, history, row, *started)
        path.evaluated(row, asked.x, is_difference=asked.is_difference)

    def _in_loop(self, caller: Caller, history: History, row: int) -> None:
        iteration = caller.settings.get("i", 0)
        loop = self._loops.get(history)
        if loop is None or (loop.trainer, loop.place) != (caller.trainer, caller.place) or iteration < loop.iteration:
            self._leave_loop(history)
            name = _TRAINERS[caller.trainer]
            options = {key: caller.settings[key] for key in _SETTINGS if key in caller.settings}
            title = _with_step_size(name, options.get("step_size"))
            tell, noted = self._start(history, row, name, title, options)
            loop = self._loops[history] = _Loop(caller.trainer, caller.place, caller.code, tell, noted)
        loop.iteration, loop.row, loop.evaluations, loop.depth = iteration, row, loop.evaluations + 1, caller.depth

    def _leave_loop(self, history: History) -> None:
        loop = self._loops.pop(history, None)
        if loop is not None:
            name = _TRAINERS[loop.trainer]
            text = f"{name} stops after {loop.evaluations} evaluation{'s' * (loop.evaluations != 1)}"
            loop.tell(loop.row, text, {"optimizer": name, "evaluations": loop.evaluations})
            loop.noted.stop = loop.row + 1

    def _start(
        self, history: History, row: int, name: str, title: str, options: Mapping[str, Any]
    ) -> tuple[Sink, OptimizerCall]:
        """Announce an optimizer; returns where it may tell what happens, and the note of its call."""
        noted = OptimizerCall(name, row, options=options, title=title)
        history.calls.append(noted)
        starts = self._starts.setdefault(history, [])
        again = bool(starts) and starts[-1][0] == title
        if again:
            starts[-1] = title, starts[-1][1] + 1
        else:
            starts.append((title, 1))
        history.optimizer = _in_a_row(starts)
        number_of_starts = sum(times for _, times in starts)
        loss = float(history.loss.array[row])

        def tell(
            row: int,
            text: str,
            values: dict[str, Any],
            *,
            kind: EventKind = "optimizer",
            column: int | None = None,
            detail: bool = False,
        ) -> None:
            if number_of_starts <= (_MOST_IN_DETAIL if detail else _MOST_STARTS):
                event = NewEvent("optimizer", "optimizer", text, values, kind=kind, column=column)
                self._add_event(self._instead.get(history, history), row, event)

        tell(row, f"{title} starts{' again' * again} at a loss of {number(loss)}", {"optimizer": name, "loss": loss})
        return tell, noted

    # ------------------------------------------------------------------ line searches that the program calls

    def searches(self) -> None:
        """Take note that the program calls scipy's line search for its own next step."""
        self._ends_search()
        self._search = {}

    def _in_line_search(self, history: History, row: int) -> None:
        if self._search is not None and callers.in_line_search():
            self._search.setdefault(history, []).append(row)
        else:
            self._ends_search()

    def _ends_search(self) -> None:
        """Mark what a line search tried; it ends at the step that it found, if that is lower than where it began."""
        for history, rows in (self._search or {}).items():
            before, last = rows[0] - 1, rows[-1]
            is_found = before < 0 or bool(history.loss.array[last] < history.loss.array[before])
            for row in rows[:-1] if is_found else rows:
                history.set_accepted(row, accepted=False)
        self._search = {} if self._search else self._search

    # ------------------------------------------------------------------ solvers, told by the stand-in in scipy

    def begins(self, call: SolverCall) -> None:
        """Follow a solver that is about to start."""
        self._break_off_those_that_ended(call.frame)
        self._paths[call] = {}
        self._running.append(call)

    def iterates(self, call: SolverCall, x: NDArray[Any]) -> None:
        """Mark the evaluation that the solver accepted, and those that it only tried."""
        try:
            for path in self._paths.get(call, {}).values():
                path.accepted(x)
        except Exception as error:  # noqa: BLE001 - nothing of ours may reach the user's computation
            self._failed(error)

    def ends(self, call: SolverCall, result: Any, *, stopped: bool) -> None:
        """Tell why the solver stopped."""
        try:
            with np.errstate(all="ignore"):
                if call in self._running:
                    self._running.remove(call)
                paths = self._paths.get(call, {}).values()
                for path in paths:
                    path.ends(result, stopped=stopped)
                self._paths.pop(call, None)
                calls = int(getattr(result, "nfev", 0) or 0)
                self._calls[call.name] += calls
                self._unseen[call.name] += max(0, calls - max((path.evaluations for path in paths), default=0))
        except Exception as error:  # noqa: BLE001
            self._failed(error)

    def _break_off_those_that_ended(self, starting: int = 0) -> None:
        """Follow those no longer that ended by an exception, or keep their results to themselves."""
        on_the_stack = callers.on_the_stack()
        for call in self._running[::-1]:
            if call.frame not in on_the_stack or call.frame == starting:
                self._break_off(call)

    def _break_off(self, call: SolverCall) -> None:
        """Follow a solver no longer of which no result was seen; what it tried last, it did not accept."""
        self.ends(call, None, stopped=False)

    def close(self) -> None:
        """Tell where the optimizers that were not seen to stop did so."""
        self._ends_search()
        for call in list(self._paths)[::-1]:  # also one whose end an interrupt broke off
            self._break_off(call)
        for history in list(self._loops):
            self._leave_loop(history)
        for name, unseen in self._unseen.items():
            if unseen:
                self._notice(
                    f"{name} called the objective {self._calls[name]} times; {unseen} of these calls cannot be seen "
                    "here: they took no gradient, repeated a point, or ran in another process."
                )


def _move(of: dict[History, Any], old: Sequence[History], new: History) -> None:
    """Keep what is known of the first of several histories as that of one in their place."""
    if old[0] in of:
        of[new] = of[old[0]]
    for history in old:
        of.pop(history, None)


def _in_a_row(starts: list[tuple[str, int]]) -> str:
    """Return the names of optimizers one after the other: `Adam, then BFGS (3 starts)`."""
    named = [f"{title} ({times} starts)" if times > 1 else title for title, times in starts[:_MOST_NAMES]]
    return ", then ".join(named + ["others"] * (len(starts) > _MOST_NAMES))


def _with_step_size(name: str, step_size: Any) -> str:
    return f"{name} · step size {number(step_size)}" if isinstance(step_size, (int, float)) else name
