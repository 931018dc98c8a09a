"""Records what a solver asks of a function that is minimized: its value, and its gradient where the user gives one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recording.backends.protocol import Recording
from xinv_nb.recording.evaluation import Evaluation
from xinv_nb.recording.solvers.asked import AskedEvaluation, Function, WatchedCall, is_same
from xinv_nb.recording.solvers.calls import SolverCall
from xinv_nb.recording.solvers.objective import Objective

_ALONE = (
    "{} asks for gradients also where it asks for no loss, for finite differences of them; these points are not "
    "recorded."
)


_PAIRS = (
    "{} counts fewer evaluations than are recorded here: loss and gradient come out of one function, and each time "
    "that it ran is recorded."
)
_COLUMNS = "{} counts fewer evaluations than are recorded here: it asks for many points at once, and each is recorded."


class MinimizingCall(WatchedCall):
    """One call of a solver that asks for a number, and perhaps for its gradient."""

    def __init__(self, recording: Recording, call: SolverCall, function: Any) -> None:
        self._function = function
        self._objectives = {id(function): Objective(function)}
        self.package = self._objectives[id(function)].package
        self._waits = False
        """Whether the gradient is asked for by calls of its own."""
        self._waiting: AskedEvaluation | None = None
        """The latest evaluation, until it is known whether its gradient is asked for."""
        self._reported: NDArray[Any] | None = None
        """Its point, where the solver has accepted it meanwhile."""
        self._pairs = 0
        """How often a function ran that returns both."""
        self._latest: tuple[bytes, float] = (b"", math.nan)
        self._ahead: tuple[bytes, NDArray[Any] | None, Evaluation | None] = (b"", None, None)
        """The gradient, and what was recorded for it, at a point whose value is asked for only afterwards."""
        self._theirs: Evaluation | None = None
        """An evaluation that was recorded inside the user's functions: what is not recorded there belongs beside it."""
        super().__init__(recording, call)  # last: from here on the end of the recording settles what waits

    def value(self, function: Any) -> Function:
        """Return what stands for a function that returns the value."""
        return Function(function, self, self._valued)

    def slope(self, function: Any) -> Function:
        """Return what stands for a function that returns the gradient."""
        self._waits = True
        return Function(function, self, self._sloped)

    def both(self, function: Any) -> Function:
        """Return what stands for a function that returns both."""
        return Function(function, self, self._valued_and_sloped)

    def _valued(self, asked: AskedEvaluation, answer: Any) -> None:
        self.settle()
        if asked.x.ndim > 1:
            self._valued_columns(asked, answer)
            return
        value = _number(np.real(answer) if asked.is_difference and answer is not None else answer)
        is_theirs = bool(asked.inside) and self.theirs(asked, () if value is None else (value,)) is not None
        if value is None:
            return
        asked.loss = value
        if not self._waits:
            if not is_theirs:
                self._record(asked)
            return
        point = asked.x.tobytes()
        if not is_theirs:
            gradient, ahead = self._ahead[1:] if self._ahead[0] == point else (None, None)
            if gradient is None:
                self._waiting = asked
            elif ahead is None or not is_same(ahead.loss, value):  # else it is that one
                self._theirs = self._theirs if ahead is None else None  # that was of another function
                self._record(asked, gradient)
        self._latest = point, value

    def _valued_columns(self, asked: AskedEvaluation, answer: Any) -> None:
        """Take the values of many points at once, which stand in columns."""
        self.recording.notice(_COLUMNS.format(self.call.name))
        values = np.asarray(answer).reshape(-1)
        if self.theirs(asked, ()) is None and values.dtype.kind in "biuf" and len(values) == asked.x.shape[1]:
            for point, value in zip(asked.x.T, values, strict=True):
                each = AskedEvaluation(self.call, point.copy())
                each.loss, each.function = float(value), asked.function
                self._record(each)

    def _valued_and_sloped(self, asked: AskedEvaluation, answer: Any) -> None:
        self._pairs += 1
        pair = answer if isinstance(answer, (tuple, list)) and len(answer) > 1 else (None, None)
        value = _number(pair[0])
        if self.theirs(asked, () if value is None else (value,)) is None and value is not None:
            asked.loss = value
            self._record(asked, _gradient(pair[1], asked.point))

    def _sloped(self, asked: AskedEvaluation, answer: Any) -> None:
        point, value = self._latest
        is_here = point == asked.x.tobytes()
        theirs = self.theirs(asked, (value,) if is_here else None)
        if theirs is not None:
            self._theirs = theirs
            if is_here:
                self._waiting = None  # it is that one
            else:
                self._ahead = asked.x.tobytes(), _gradient(answer, asked.point), theirs
            self.settle()
        elif self._waiting is not None and is_here:
            evaluation, self._waiting = self._waiting, None
            self._record(evaluation, _gradient(answer, evaluation.point))
        elif asked.is_difference:
            self.recording.notice(_ALONE.format(self.call.name))
        elif not is_here:
            self._ahead = asked.x.tobytes(), _gradient(answer, asked.point), None
        self._report()

    def settle(self) -> None:
        """Record the latest evaluation whose gradient was not asked for."""
        if self._waiting is not None:
            evaluation, self._waiting = self._waiting, None
            self._record(evaluation)
        if self._reported is not None:
            self._report()

    def _record(self, evaluation: AskedEvaluation, gradient: Any | None = None) -> None:
        beside = self._theirs
        if beside is None or gradient is not None:
            objective = self._objective_of(evaluation.function)
            evaluation.identity, evaluation.layout_of = objective.plain, objective.layout
        elif type(beside.point) is np.ndarray and beside.point.size == evaluation.point.size:
            evaluation.identity, evaluation.positions = beside.identity, beside.positions
            evaluation.point = evaluation.point.reshape(beside.point.shape)
            evaluation.layout_of = lambda _: beside.layout()
        else:
            return  # its parameters stand in a structure that only the user's function knows
        self.take(evaluation, gradient)

    def _objective_of(self, reached: Any) -> Objective:
        function = self._function if reached is None else reached
        found = self._objectives.get(id(function))
        if found is None:
            found = self._objectives[id(function)] = Objective(function)
        return found

    def accepts(self, x: NDArray[Any]) -> None:
        """Take note that the solver has accepted `x`, once its evaluation is recorded."""
        if self._waiting is not None and self._waiting.x.tobytes() == x.tobytes():
            self._reported = x
            return
        self.settle()
        super().accepts(x)

    def ends(self, result: Any, *, stopped: bool = False) -> None:
        """Take note of the result, and tell where what it counts is not what was recorded."""
        counted = getattr(result, "nfev", None)
        if counted is not None and self._pairs > counted:
            self.recording.notice(_PAIRS.format(self.call.name))
        super().ends(result, stopped=stopped)

    def _report(self) -> None:
        if self._reported is not None:
            x, self._reported = self._reported, None
            super().accepts(x)


def _number(answer: Any) -> float | None:
    """Return the one number in an answer, as scipy takes it; None where there is none."""
    if type(answer) is float or type(answer) is np.float64:
        return float(answer)
    found = np.asarray(answer)
    return float(found.reshape(())) if found.size == 1 and found.dtype.kind in "biuf" else None


def _gradient(answer: Any, point: NDArray[Any]) -> NDArray[Any] | None:
    """Return a copy of a gradient in the shape of the point; None where it is none."""
    found = np.array(answer)
    return (
        found.astype(point.dtype).reshape(point.shape)
        if found.size == point.size and found.dtype.kind in "biuf"
        else None
    )
