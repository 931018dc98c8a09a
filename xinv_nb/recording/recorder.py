"""One recording from start to finished, interrupted or failed: takes evaluations, whoever makes them, into a Run.

It knows no framework: evaluations come from backends (see `backends.protocol`), or from the user's hand. A recorder
lives in a context variable, so that threads and asyncio tasks do not mix. Recordings nest: the innermost observes, and
hands each finished evaluation on to the one around it.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Hashable, Iterator
from contextvars import Token
from dataclasses import replace
from typing import Any

import numpy as np

from xinv_nb.errors import XinvError, keep_to_itself, told
from xinv_nb.recorded.data import MOST_GROUPS
from xinv_nb.recorded.history import History
from xinv_nb.recorded.leaves import WHOLE_LIMIT
from xinv_nb.recorded.missed import Missed
from xinv_nb.recorded.run import RecordedRun, Status
from xinv_nb.recorded.writer import RunWriter
from xinv_nb.recording import context, elsewhere
from xinv_nb.recording.backends import registry
from xinv_nb.recording.backends.protocol import Recording
from xinv_nb.recording.derived import DerivedPoints
from xinv_nb.recording.elsewhere import Unseen
from xinv_nb.recording.evaluation import Evaluation, Tape
from xinv_nb.recording.events import Happening, WatchedValue
from xinv_nb.recording.finite import is_finite_gradient
from xinv_nb.recording.kept_events import KeptEvents
from xinv_nb.recording.laid_out import has_rested
from xinv_nb.recording.loops import Loops
from xinv_nb.recording.measured import Measured
from xinv_nb.recording.nonfinite import Lookout
from xinv_nb.recording.places import PlaceReader
from xinv_nb.recording.readings import Readings
from xinv_nb.recording.rows import Rows
from xinv_nb.recording.solvers import scipy as solvers
from xinv_nb.recording.solvers.calls import Asked
from xinv_nb.recording.solvers.follower import OptimizerFollower
from xinv_nb.recording.solvers.trials import settle
from xinv_nb.recording.structure import copied

_FEW = 8
"""Evaluations up to which a program's own trials are not looked for before its end."""
_OPEN = "recorder"
"""Where a run that is being recorded holds its recorder, among what the layers above keep beside it."""


class Recorder:
    """Records what happens between `start` and `stop` into `run`."""

    def __init__(
        self,
        run: RecordedRun,
        max_events: int = 100_000,
        on_evaluation: Callable[[], None] | None = None,
        *,
        reads_all: bool = False,
    ) -> None:
        self.run = run
        self.on_evaluation = on_evaluation
        self.thread = threading.get_ident()
        self.depth = 0
        """How many passes are open inside each other."""
        self.passes = 0
        self.of_several = 0
        self._derived = DerivedPoints()
        self.evaluation: Evaluation | None = None
        """The evaluation whose forward pass is running."""
        self.asked: Asked | None = None
        """The call of the user's function by a solver that is running."""
        self.closed = False
        self.stages: list[str] = []
        self.outer: Recorder | None = None
        """The recording around this one: it sees what this one sees."""
        self.data_outside: dict[str, Measured] = {}
        """Groups of data that were marked outside of a pass: they belong to the evaluation that is handed over next."""
        self.beside: dict[str, Any] = {}
        """What each source of evaluations keeps beside this recording."""
        self.writer = RunWriter(run)
        self.events = KeptEvents(run, self.writer, max_events, self.notice)
        self._optimizers = OptimizerFollower(self.events.add, self.failed, self.notice)
        self._rows = Rows(self.writer, self.events, self.notice, self._optimizers.joined)
        self._loops = Loops()
        self._lookout = Lookout()
        self._places = PlaceReader()
        self._readings = Readings(reads_all=reads_all)
        self._token: Token[Recording | None] | None = None
        self._unseen = Unseen(on_fork=self._forked)
        self._is_started = False
        self._is_stopped = False

    # ------------------------------------------------------------------ its life

    def start(self) -> None:
        """Open the recording in this thread or task; each recorder records once."""
        if self._is_started:
            raise XinvError("This recording was opened before: each block needs its own xi.record(...).")
        self._is_started = True
        self._unseen.thread = self.thread
        elsewhere.begin(self._unseen)
        registry.observe(self.notice)
        solvers.install(self.notice)
        around = context.active()
        self.outer = around if isinstance(around, Recorder) else None
        self.stages = list(self.outer.stages) if self.outer is not None else []
        self._token = context.innermost.set(self)
        self.run.memo[_OPEN] = self

    def stop(self, status: Status = "finished", ending: str = "") -> None:
        """Close the recording; what was recorded stays. Closing twice does nothing.

        Where an interrupt breaks it off, the next call does the rest.
        """
        if self._is_stopped:
            return
        for source in self.beside.values():
            self._attempt(source.close)
        self.closed = True
        self.run.memo.pop(_OPEN, None)
        self.beside.clear()
        self.data_outside.clear()
        elsewhere.end(self._unseen)
        registry.leave(self.notice)
        solvers.uninstall(self.notice)
        if self._token is not None:
            try:
                context.innermost.reset(self._token)
            except (ValueError, RuntimeError):  # closed in another context than it was opened in, or reset before
                context.innermost.set(self.outer)
            self._token = None
        self.events.tell_outside()
        self._optimizers.close()
        self._attempt(self._rows.close)
        for history in self.run.histories:
            settle(history, self._derived, is_over=True)
        self._note_unseen()
        if self.run.evaluations == 0 and not self.run.notices and not self.run.missed.is_anything:
            self.notice(_NO_GRADIENT if not self.passes else _OF_SEVERAL if self.of_several else _NO_LOSS)
        self.writer.end(status, ending)
        self._is_stopped = True

    def _note_unseen(self) -> None:
        """Say what other threads and processes did meanwhile."""
        unseen = self._unseen
        if unseen.passes or unseen.solvers or unseen.processes:
            passes, threads, processes = unseen.passes, len(unseen.threads), unseen.processes
            missed = replace(self.run.missed, passes=passes, threads=threads, processes=processes)
            self.writer.note_missed(replace(missed, solvers=len(unseen.solvers)))
        if notice := unseen.notice(self.run.evaluations):
            self.notice(notice)

    def _forked(self) -> None:
        """Record nothing in a forked process, and leave no hook there; the locks may be held by threads it lacks."""
        self.closed = self._is_stopped = True
        self.on_evaluation = None
        registry.renew_lock()
        solvers.renew_lock()
        registry.leave(self.notice)
        solvers.uninstall(self.notice)

    def _attempt(self, step: Callable[[], None]) -> None:
        """Take a step of closing; where it fails, what was recorded stays, and no hook does."""
        try:
            step()
        except Exception as error:  # noqa: BLE001
            self.failed(error)

    def notice(self, text: str) -> None:
        """Tell the reader something about the recording, once."""
        self.writer.notice(text)

    def missed(self, missed: Missed) -> None:
        """Take note of a pass that could not be recorded, here and in the recordings around."""
        for recorder in self.self_and_around():
            recorder.writer.note_missed(missed)

    def failed(self, error: Exception) -> None:
        """Tell the reader that a part of the recording was lost."""
        self.notice(f"Part of the recording failed and was left out ({told(error)}).")

    # ------------------------------------------------------------------ evaluations

    def take(self, evaluation: Evaluation, gradient: Any | None, tape: Tape | None = None) -> None:
        """Add a finished evaluation to this recording and to those around it.

        `gradient` is None where the loss does not depend on the parameters; `tape` is asked where that is of use.
        """
        if self.data_outside and not evaluation.inside_a_pass:
            evaluation.data = evaluation.data or tuple(self.data_outside.values())
            for recorder in self.self_and_around():
                recorder.data_outside.clear()
        self._readings.taken(evaluation)
        if gradient is not None and (type(gradient) is not np.ndarray or gradient.size > WHOLE_LIMIT):
            gradient = copied(gradient, summarise=evaluation.summarised)  # so that it is read once
        if tape is not None and (evaluation.watched or not is_finite_gradient(gradient)):
            # What the user's program does at a nan or an overflow (np.seterr) is for its own numbers, not for ours.
            with np.errstate(all="ignore"):
                if math.isfinite(evaluation.loss) and not is_finite_gradient(gradient):
                    with context.unrecorded():
                        evaluation.birth = self._lookout.backward(tape.gradient_break)
                else:
                    evaluation.along = self._places.read(evaluation, tape)
                self.hand_on(evaluation, gradient)
        else:
            self.hand_on(evaluation, gradient)

    def looks_closely(self, objective: Hashable) -> bool:
        """Whether the evaluation of `objective` that begins now is worth a tape that costs more and tells more."""
        return self._lookout.looks_closely(objective)

    def reads_quantities(self, objective: Hashable) -> bool:
        """Whether it is to be read from the evaluation that begins now what its quantities depend on."""
        return self._readings.is_due(objective)

    def look_forward(self, evaluation: Evaluation, tape: Tape) -> None:
        """Find out where the loss of an evaluation, which is not finite, came from."""
        with np.errstate(all="ignore"):
            evaluation.birth = self._lookout.forward(evaluation.point, tape.value_break)

    def of_several_at(self, point: Any) -> None:
        """Take note of a pass over a function that returns several numbers, as a Jacobian takes one."""
        self.of_several += 1
        self._derived.add(point, self._rows.evaluations_of_latest)

    def between_steps(self, point: Any) -> None:
        """Take note of a pass of the framework's own: between steps of its optimizers, or for second derivatives."""
        self._derived.add(point, self._rows.evaluations_of_latest)
        recorder: Recorder | None = self
        while recorder is not None:
            recorder._optimizers.passes_between += 1  # noqa: SLF001
            recorder = recorder.outer

    def hand_on(self, evaluation: Evaluation, gradient: Any | None) -> None:
        """Add an evaluation to this recording and to those around it.

        One that is made while a solver's call of the user's function runs waits for what that call returns.
        """
        recorder: Recorder | None = self
        while recorder is not None:
            if recorder.asked is not None and evaluation.asked is None:
                recorder.asked.inside.append((evaluation, gradient))
                return
            # Inside a pass a program may still hand over an evaluation to this recording by its name.
            is_told = recorder.depth == 0 or (recorder is self and not evaluation.inside_a_pass)
            if is_told and not recorder.closed:
                recorder._append(evaluation, gradient)  # noqa: SLF001
                if recorder.on_evaluation is not None:
                    recorder._tell_view(recorder.on_evaluation)  # noqa: SLF001
            recorder = recorder.outer

    def _append(self, evaluation: Evaluation, gradient: Any | None) -> None:
        if evaluation.happenings and evaluation.inside_a_pass:
            self.events.learn_templates(evaluation.happenings)
        if self.events.outside:
            self.events.tell_outside()
        history, row, slope, is_new = self._rows.append(evaluation, gradient)
        if is_new:
            self._optimizers.evaluated(history, row, evaluation.asked)
            if evaluation.asked is None and not (history.calls and history.calls[-1].stop is None):
                self._look_at_loop(history, row)
            if row & (row + 1) == 0:  # seldom: each look goes over all rows
                if row > _FEW:  # so that a live view tells of them
                    settle(history, self._derived, is_over=False)
                if has_rested(history):
                    self._lookout.look_again(evaluation.looked_for)
        self._rows.tell(history, row, evaluation, slope, is_new=is_new)

    def _look_at_loop(self, history: History, row: int) -> None:
        try:
            self._loops.evaluated(history, row)
        except Exception as error:  # noqa: BLE001 - the evaluation is recorded all the same
            self.failed(error)

    def _tell_view(self, on_evaluation: Callable[[], None]) -> None:
        """Let the view follow; what it computes (the user's scene, say) is no part of the recording."""
        try:
            with context.unrecorded(), np.errstate(all="ignore"):
                on_evaluation()
        except BaseException as error:  # noqa: BLE001 - also the user's scene, which may exit
            keep_to_itself(error)
            self.on_evaluation = None
            self.notice(f"The live view stopped following ({told(error)}); the recording goes on.")

    def self_and_around(self) -> Iterator[Recorder]:
        """Yield this recorder, then the one around it, and so on."""
        recorder: Recorder | None = self
        while recorder is not None:
            yield recorder
            recorder = recorder.outer

    # ------------------------------------------------------------------ told by the probes, and by solvers

    def happened(self, happening: Happening) -> None:
        """Take note of an event that the user's code reports."""
        if self.evaluation is not None:
            self.evaluation.happenings.append(happening)
            return
        for recorder in self.self_and_around():
            if recorder.evaluation is not None:
                recorder.evaluation.happenings.append(happening)
                return
            # Deeper, the simulator runs for another reason: a Jacobian, say, or the way back through a fixed point.
            if recorder.depth == 0:
                recorder.events.happened_outside(happening)

    def watched(self, value: WatchedValue) -> None:
        """Take note of a quantity that is watched outside any pass."""
        for recorder in self.self_and_around():
            if recorder.depth == 0 and not recorder.closed:
                recorder._rows.watched_outside(value)  # noqa: SLF001

    def measured(self, data: Measured) -> None:
        """Take note of a group of data that the user's code marks."""
        for recorder in self.self_and_around():
            if recorder.evaluation is not None:
                recorder.evaluation.data += (data,)
                return
            # Outside of a pass, a program may run the simulator for a look: the latest residuals of a name count.
            if recorder.depth == 0 and (data.name in recorder.data_outside or len(recorder.data_outside) < MOST_GROUPS):
                recorder.data_outside[data.name] = data

    def followers(self) -> list[OptimizerFollower]:
        """Return who wants to know of a solver that starts now: this recording and those around it."""
        return [r._optimizers for r in self.self_and_around() if r.depth == 0 and not r.closed]  # noqa: SLF001


def recorder_of(run: RecordedRun) -> Recorder | None:
    """Return the recorder that fills `run`, while the recording is open."""
    found: Recorder | None = run.memo.get(_OPEN)
    return found


_NO_GRADIENT = (
    "No evaluation of a loss was seen here, so there is nothing to show. Run the fit inside of what is recorded: "
    "xinv_nb records what autograd derives (grad(...), value_and_grad(...), or an optimizer that calls them) and what "
    "SciPy's optimizers evaluate. What a program finds another way, with gradients written by hand, a library or boxes "
    "of its own, cannot be seen: hand each evaluation over with run.add(loss, parameters, gradients); in a cell of "
    "%%xinv NAME, run is NAME."
)
_NO_LOSS = (
    "Derivatives were taken here, but none of a function that returns a single number (a loss), "
    "so there is nothing to show."
)
_OF_SEVERAL = (
    "Derivatives were taken here, but none of a function that returns a single number (a loss): only of functions that "
    "return several, as for a Jacobian. Let scipy.optimize.least_squares take the steps, which is recorded; or hand "
    "each step over with run.add(loss, parameters, residuals=…, jacobian=…); in a cell of %%xinv NAME, run is NAME."
)
