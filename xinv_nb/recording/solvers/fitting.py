"""Records what a solver asks of residuals: the loss is the solver's own cost, the gradient that of its own Jacobian."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recording import context
from xinv_nb.recording.backends.protocol import Recording
from xinv_nb.recording.solvers.asked import AskedEvaluation, Function, WatchedCall
from xinv_nb.recording.solvers.calls import SolverCall
from xinv_nb.recording.solvers.objective import Objective

Floats = NDArray[np.float64]


class FittingCall(WatchedCall):
    """One call of a solver that asks for residuals, and for their Jacobian or differences in its place.

    An evaluation waits until it is known whether its Jacobian is asked for: only then has the solver accepted it.
    """

    def __init__(self, recording: Recording, call: SolverCall, objective: Objective, *, waits: bool = True) -> None:
        """Watch for a Jacobian, too, where `waits` tells that there may be one."""
        self._objective = objective
        self.package = objective.package
        self.step = 0.0
        """How far MINPACK goes for its own finite differences, as a share of each parameter; 0 for none."""
        self._waits = self.leaves_differences_out = waits
        self._waiting: AskedEvaluation | None = None
        self._base: AskedEvaluation | None = None
        """The latest evaluation that was for no difference."""
        self._robust = False
        self._is_weighed: AskedEvaluation | None = None
        """The latest evaluation whose cost the solver has told."""
        self._differences: list[AskedEvaluation] = []
        """What was asked for a Jacobian by finite differences at the point of the one that waits."""
        super().__init__(recording, call)  # last: from here on the end of the recording settles what waits

    # ------------------------------------------------------------------ what is asked

    def residuals(self, function: Any) -> Function:
        """Return what stands for a function that returns residuals."""
        return Function(function, self, self._fitted)

    def jacobian(self, function: Any, *, is_users: bool, transposed: bool = False) -> Any:
        """Return what stands for a function that returns their Jacobian; inside the user's own nothing is recorded."""

        def observed_jacobian(x: Any, *args: Any) -> Any:
            recording = self.recording
            if context.active() is not recording or recording.depth or recording.asked is not self._around:
                return function(x, *args)
            point = np.array(x, dtype=float)
            try:
                recording.depth = int(is_users)
                answer = function(x, *args)
            finally:
                recording.depth = 0
            self.linearized(point, answer.T if transposed and hasattr(answer, "T") else answer)
            return answer

        return observed_jacobian

    def robust(self, loss_function: Any) -> Any:
        """Return what stands for the solver's own function of residuals, which counts large ones for less."""
        self._robust = True

        def observed_loss(f: Any, cost_only: bool = False) -> Any:
            answer = loss_function(f, cost_only=cost_only)
            self._guarded(self._weighed, f, answer, cost_only)
            return answer

        return observed_loss

    def _fitted(self, asked: AskedEvaluation, answer: Any) -> None:
        if asked is self._apart:  # for a Jacobian of `least_squares`, which counts these for none
            if asked.inside:
                self.theirs(asked, None)
                asked.inside.clear()
            asked.happenings.clear()
            asked.watched.clear()
            return
        found = np.asarray(answer)
        is_real = answer is not None and found.dtype.kind in "biuf" and found.size > 0
        row = np.array(found, dtype=float).reshape(-1) if is_real else None
        squares = math.nan if row is None else float(row @ row)
        base = self._base
        if self.step and row is not None and base is not None and self._is_next_difference(base, asked):
            asked.is_difference = True
        theirs = self.theirs(asked, None if asked.is_difference else (squares, squares / 2))
        if row is None:
            self.settle()
            return
        asked.loss, asked.residuals = squares / 2, row
        if theirs is None:
            if base is not None and base.x.tobytes() == asked.x.tobytes():
                return  # asked again
            asked.identity, asked.layout_of = self._objective.with_residuals(len(row)), self._objective.layout
        if asked.is_difference and base is not None and self.step:
            self._differences.append(asked)
            if len(self._differences) == base.x.size:
                self.linearized(base.x, self._by_differences(base))
            return
        self.settle()
        self._base = asked
        if theirs is None and self._waits:
            self._waiting = asked
        elif theirs is None:
            self.take(asked)

    # ------------------------------------------------------------------ MINPACK's own finite differences

    def _is_next_difference(self, base: AskedEvaluation, asked: AskedEvaluation) -> bool:
        """Whether MINPACK asks for the next column of its Jacobian: it goes along one parameter after the other."""
        column = len(self._differences)
        if asked.x.shape != base.x.shape or column >= base.x.size:
            return False
        expected = base.x.copy()
        expected[column] += self._length(base, column)
        return bool(expected.tobytes() == asked.x.tobytes())

    def _length(self, base: AskedEvaluation, column: int) -> float:
        return self.step * abs(float(base.x[column])) or self.step

    def _by_differences(self, base: AskedEvaluation) -> Floats:
        rows = enumerate(self._differences)
        columns = [(other.residuals - base.residuals) / self._length(base, column) for column, other in rows]
        return np.stack(columns, axis=1)

    # ------------------------------------------------------------------ what becomes of it

    def linearized(self, x: Floats, jacobian: Any) -> None:
        """Take the Jacobian at `x`, which the solver has accepted."""
        self._guarded(self._linearized, x, jacobian)

    def _linearized(self, x: Floats, jacobian: Any) -> None:
        waiting = self._waiting
        if waiting is not None and waiting.x.tobytes() == x.tobytes():
            if isinstance(jacobian, np.ndarray) and jacobian.shape == (len(waiting.residuals), x.size):
                waiting.jacobian = np.array(jacobian, dtype=float)
            if self._robust and waiting.jacobian is not None:
                return  # its gradient depends on how much each residual counts, which comes now
            gradient = None if waiting.jacobian is None else waiting.residuals @ waiting.jacobian
            if gradient is None and hasattr(jacobian, "tocsr") and not self._robust:
                gradient = np.asarray(jacobian.T @ waiting.residuals)
            self.settle(gradient)
        else:
            self.settle()
        self.accepts(x)

    def _weighed(self, f: Any, answer: Any, cost_only: bool) -> None:
        waiting = self._waiting
        if waiting is None or not np.array_equal(waiting.residuals, f):
            return
        if cost_only:
            waiting.loss, self._is_weighed = float(answer), waiting
            return
        if self._is_weighed is not waiting:  # the first, of which no cost alone was asked
            waiting.loss = float(0.5 * np.sum(answer[0]))
        if waiting.jacobian is not None:
            self.settle((answer[1] * waiting.residuals) @ waiting.jacobian)
            self.accepts(waiting.x)

    def settle(self, gradient: Any | None = None) -> None:
        """Record what waits, and after it what was asked for finite differences at its point."""
        waiting, self._waiting = self._waiting, None
        differences, self._differences = self._differences, []
        if waiting is not None:
            self.take(waiting, gradient)
        for each in differences:
            if each.identity is not None:  # or it was recorded inside the user's function
                self.take(each)

    def _guarded(self, act: Callable[..., None], *given: Any) -> None:
        try:
            with np.errstate(all="ignore"):
                act(*given)
        except Exception as error:  # noqa: BLE001 - nothing of ours may reach the user's computation
            self.recording.failed(error)
