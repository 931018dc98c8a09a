"""Records what a solver asks of the user's functions: each call is an evaluation, without a framework.

A stand-in is called in the place of the user's function, which it calls in turn, and whose answer it passes on as it
is. What was recorded meanwhile (by autograd, or by hand), and has the value that the solver gets, is that evaluation;
else the answer makes one. So each is recorded once.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recording import context
from xinv_nb.recording.backends.protocol import Recording
from xinv_nb.recording.evaluation import Evaluation, Layout, NoTape
from xinv_nb.recording.solvers.callers import on_the_stack
from xinv_nb.recording.solvers.calls import Asked, SolverCall
from xinv_nb.recording.solvers.lmfit import LmfitParameters

_SAME = 1e-9
"""Share by which a value that was recorded meanwhile may differ from what the solver gets, for rounding."""

_DIFFERENCES = ("approx_derivative", "approx_fhess_p", "matvec")
"""The functions of scipy that take finite differences: of values, of gradients, and along a direction."""

_NEAR = 10
"""Frames between the user's function and the one of scipy that takes finite differences, at most."""

_OURS = 4
"""Frames before these, of this package."""
_distance = _OURS
"""How many frames away it was the last time: mostly it is there again, and the others need not be looked at."""

_NO_TAPE = NoTape()


class AskedEvaluation(Evaluation):
    """One call of a function of the user's by a solver, and the evaluation that its answer makes."""

    has_gradient = False
    function: Any = None
    """The innermost function that was reached, where solvers call each other's."""
    layout_of: Callable[[NDArray[Any]], Layout]
    moves: NDArray[Any] | None = None
    """How much each parameter moves with the number that the solver sees, where it is not that number."""

    def __init__(
        self, call: SolverCall, point: NDArray[Any], around: Asked | None = None, *, is_difference: bool = False
    ) -> None:
        # The base's by hand: this is a cost of every evaluation.
        self.identity = None
        self.point = point
        self.happenings = []
        self.watched = []
        self.call = call
        self.x = point if call.free is None else call.seen(point)
        self.is_difference = is_difference
        self.inside: list[tuple[Evaluation, Any]] = []
        self.around = around
        """The call that it is inside of, where the user's function calls a solver itself."""

    @property
    def asked(self) -> Asked:  # type: ignore[override]
        """The call of the user's function by a solver: itself."""
        return self

    def layout(self) -> Layout:
        """Return how the user's function takes its parameters."""
        return self.layout_of(self.point)


class Function:
    """Stands for one of the user's functions in one call of a solver."""

    def __init__(self, function: Any, call: WatchedCall, tell: Callable[[AskedEvaluation, Any], None]) -> None:
        self.function = function
        self.call = call
        self._tell = tell

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Call it, and take note of the answer."""
        asked = self.call.ask(self.function, args)
        if asked is None:
            return self.function(*args, **options)
        answer = None
        try:
            answer = self.function(*args, **options)
        finally:
            self.call.answered(asked, answer, self._tell)
        return answer

    def __reduce__(self) -> Any:
        return _itself, (self.function,)  # what another process is sent is the user's own


def _itself(function: Any) -> Any:
    return function


_OPEN = "solvers"
"""Where a recording holds the calls of solvers that are not known to have ended."""


class _OpenCalls:
    """The calls of solvers in one recording that are not known to have ended: what waits of them is not lost."""

    def __init__(self) -> None:
        self.calls: dict[int, WatchedCall] = {}

    def begins(self, call: WatchedCall) -> None:
        """Add a call, and forget those that broke off."""
        running = on_the_stack()
        for frame, other in list(self.calls.items()):
            if frame not in running or frame == call.call.frame:
                del self.calls[frame]
                other.settle()
        self.calls[call.call.frame] = call

    def close(self) -> None:
        """Record what waits: the recording is over."""
        for call in self.calls.values():
            call.settle()
        self.calls.clear()


class WatchedCall:
    """One call of a solver, while it runs, in one recording."""

    leaves_differences_out = False
    """Whether what is asked for finite differences is no evaluation, as the solver counts them."""
    package: LmfitParameters | None = None
    """The parameters of the package that calls scipy for the user, where it has names for them."""

    def __init__(self, recording: Recording, call: SolverCall) -> None:
        self._apart: AskedEvaluation | None = None
        """Stands for whatever is asked for finite differences, where that is left out."""
        self.recording = recording
        self.call = call
        self._around = recording.asked
        self._followers = recording.followers()
        self._open: _OpenCalls = recording.beside.get(_OPEN) or recording.beside.setdefault(_OPEN, _OpenCalls())
        self._open.begins(self)
        for follower in self._followers:
            follower.begins(call)

    # ------------------------------------------------------------------ what is asked

    def ask(self, function: Any, args: tuple[Any, ...]) -> AskedEvaluation | None:
        """Take note that the solver calls `function`; None where that is no evaluation of its own."""
        recording = self.recording
        if context.active() is not recording or recording.depth:
            return None
        around = recording.asked
        if around is not self._around:  # a solver that calls what another one was given, as those do that polish
            around.function = function  # type: ignore[union-attr]
            return None
        try:
            call = self.call
            is_difference = call.differences and _is_difference()
            if is_difference and self.leaves_differences_out:
                asked = self._apart
                if asked is None:
                    asked = self._apart = AskedEvaluation(call, np.zeros(0), around, is_difference=True)
            else:
                x = args[0]
                point = x.copy() if type(x) is np.ndarray else np.array(x)
                if point.dtype.kind not in "fc":
                    point = point.astype(float)
                elif is_difference and point.dtype.kind == "c":
                    point = point.real.copy()  # a step into the complex plane, from here
                asked = AskedEvaluation(call, point, around, is_difference=is_difference)
                if "within" not in call.options:  # a search that starts others wraps what it was given, and counts
                    asked.holds = function, args[1:]
        except Exception as error:  # noqa: BLE001 - nothing of ours may reach the user's computation
            recording.failed(error)
            return None
        recording.asked = recording.evaluation = asked
        return asked

    def answered(self, asked: AskedEvaluation, answer: Any, tell: Callable[[AskedEvaluation, Any], None]) -> None:
        """Take the answer of the user's function; None where it raised."""
        recording = self.recording
        around = recording.asked = asked.around
        recording.evaluation = around if isinstance(around, Evaluation) else None
        try:
            if self.package is not None and answer is not None and asked is not self._apart:
                asked.point, asked.moves = self.package.read(asked.x)
            tell(asked, answer)
        except Exception as error:  # noqa: BLE001
            recording.failed(error)

    def theirs(self, asked: AskedEvaluation, values: Iterable[float] | None) -> Evaluation | None:
        """Hand on what was recorded meanwhile; returns the one of it that is what the solver asked for, if any is.

        `values` are those that tell it; None where any does.
        """
        found: Evaluation | None = None
        for evaluation, gradient in asked.inside:
            if values is None or not evaluation.inside_a_pass or any(is_same(evaluation.loss, v) for v in values):
                evaluation.asked = asked
                if found is None:
                    found = evaluation
                    _gather(evaluation, asked)
            else:
                evaluation.is_within, evaluation.around = True, asked
            self.recording.hand_on(evaluation, gradient)
        return found

    def take(self, evaluation: AskedEvaluation, gradient: Any | None = None) -> None:
        """Record an evaluation."""
        if evaluation.moves is not None and (gradient is not None or evaluation.jacobian is not None):
            gradient = self._of_the_parameters(evaluation, gradient)
        evaluation.has_gradient = gradient is not None
        if not math.isfinite(evaluation.loss):
            self.recording.look_forward(evaluation, _NO_TAPE)
        self.recording.take(evaluation, gradient, None if gradient is None else _NO_TAPE)

    @staticmethod
    def _of_the_parameters(evaluation: AskedEvaluation, gradient: Any | None) -> Any | None:
        """Return the gradient by what the user calls the parameters; None where they do not move with what is seen."""
        moves = evaluation.moves
        if not np.all(moves):
            evaluation.jacobian = None
            return None
        if evaluation.jacobian is not None:
            evaluation.jacobian = evaluation.jacobian / moves
        return None if gradient is None else gradient / moves

    # ------------------------------------------------------------------ what it accepts, and its end

    def accepts(self, x: NDArray[Any]) -> None:
        """Take note that the solver has accepted `x`."""
        for follower in self._followers:
            follower.iterates(self.call, x)

    def settle(self) -> None:
        """Record what waits to be."""

    def ends(self, result: Any, *, stopped: bool = False) -> None:
        """Take note of the result."""
        self.settle()
        self._open.calls.pop(self.call.frame, None)
        for follower in self._followers:
            follower.ends(self.call, result, stopped=stopped)


def _is_difference() -> bool:
    """Whether scipy asks for a finite difference of its own; looks on the call stack, a few frames away."""
    global _distance
    try:
        name = sys._getframe(_distance).f_code.co_name  # noqa: SLF001
    except ValueError:  # the stack is not that deep now
        name = ""
    if name in _DIFFERENCES:
        return True
    frame: Any = sys._getframe(_OURS)  # noqa: SLF001
    for distance in range(_OURS, _OURS + _NEAR):
        if frame is None:
            return False
        if frame.f_code.co_name in _DIFFERENCES:
            _distance = distance
            return True
        frame = frame.f_back
    return False


def is_same(one: float, other: float) -> bool:
    """Whether two values are the same but for rounding."""
    return one == other or math.isclose(one, other, rel_tol=_SAME) or (math.isnan(one) and math.isnan(other))


def _gather(evaluation: Evaluation, own: Evaluation) -> None:
    """Add what the simulator said around what was recorded."""
    said = {happening.template for happening in evaluation.happenings}
    evaluation.happenings[:0] = [happening for happening in own.happenings if happening.template not in said]
