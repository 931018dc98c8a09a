"""The life of one recording as the user sees it: open it, let the view follow it, close it, explain it."""

from __future__ import annotations

import logging
import os
import sys
import weakref
from collections.abc import Callable, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np

from xinv_nb.errors import XinvError, keep_to_itself, shown, told
from xinv_nb.facts.counting import noun_of
from xinv_nb.recorded.landmarks import misnamed
from xinv_nb.recorded.problem import Problem
from xinv_nb.recorded.run import Status
from xinv_nb.recorded.writer import RunWriter
from xinv_nb.recording.tracebacks import take_our_frames_out
from xinv_nb.run import Run

if TYPE_CHECKING:
    from pathlib import Path

    from xinv_nb.models.captioning import Explaining
    from xinv_nb.view.comparison import Comparison

T = TypeVar("T")
Showing = Literal["live", "at the end", "never"]
"""When a recording is shown by itself."""

_log = logging.getLogger(__name__)


class Recording:
    """The life of one recording, for `record` and for `%%xinv`: opened, followed by the view, closed, saved, shown.

    What goes wrong in it becomes a notice of the run, and nothing is raised into the user's program, but for a
    recording that is opened twice.
    """

    def __init__(
        self,
        run: Run,
        max_events: int = 100_000,
        *,
        showing: Showing = "never",
        explaining: Explaining | None = None,
        save: str | Path | None = None,
    ) -> None:
        from xinv_nb.recording.recorder import Recorder  # half of the time that an import would take

        self.run = run
        self._showing, self._explaining, self._save = showing, explaining, save
        self._recorder = Recorder(run, max_events)
        self._process = os.getpid()
        self._heeded = np.geterr()
        """What NumPy does about numbers out of range where the recording opens."""
        self._left: list[tuple[str, Callable[[], None]]] | None = None
        """What is left to do of closing, each with what could not be done where it fails; None before it begins."""

    def open(self) -> None:
        """Make the run the newest, show it where it is to be followed, and record from now on."""
        try:
            remember(self.run)
            if self._showing == "live":
                self._recorder.on_evaluation = attempt(self.run, "shown", self._show)
            self._recorder.start()
        except XinvError:  # opened twice: a mistake in the program, which is to be told there
            raise
        except Exception as failure:  # noqa: BLE001 - nothing of ours may reach the user's cell
            _tell(self.run, "recorded", failure)

    def close(self, error: BaseException | None = None, line: int | None = None) -> None:
        """End the recording: with `error`, which arose in a line of a cell, or without; then save it and show it.

        Closing is finished whenever the user presses stop, and the interrupt is passed on afterwards. A second one
        gives up what is being done then.
        """
        # NumPy's `errstate` is left without its end where an interrupt comes between the two. What the program set in
        # the block itself is not known then; what held before the block is the next best.
        heeded = self._heeded if isinstance(error, KeyboardInterrupt) else np.geterr()
        try:
            self._close(error, line)
        except BaseException:
            self._close(error, line)
            raise
        finally:
            if set(np.geterr().values()) == {"ignore"}:
                np.seterr(**heeded)

    def _close(self, error: BaseException | None, line: int | None) -> None:
        """Go on with closing."""
        if self._left is None:
            self._left = self._steps(error, line)
        interrupt = None
        while self._left:
            done, step = self._left[0]
            try:
                attempt(self.run, done, step)
            except KeyboardInterrupt as stopped:
                if interrupt is None:
                    interrupt = stopped
                    continue  # each step can be taken again
                _tell(self.run, done, stopped)
            del self._left[0]
        if interrupt is not None:
            try:
                raise interrupt
            finally:
                del interrupt  # or it would hold this frame, which holds it

    def _steps(self, error: BaseException | None, line: int | None) -> list[tuple[str, Callable[[], None]]]:
        if self._process != os.getpid():  # a copy in a forked process: neither saved nor shown there
            return []
        status, ending = how_it_ended(error, line)

        def end() -> None:
            if self.run.status == "running":  # where closing failed
                RunWriter(self.run).end(status, ending)

        steps = [
            ("closed", lambda: self._recorder.stop(status, ending)),
            ("closed", end),
            ("checked", self._look_at_landmarks),
        ]
        if error is not None:
            steps.insert(0, ("left out of the traceback", lambda: take_our_frames_out(error)))
        if self._save is not None:
            steps.append(("saved", self._save_run))
        if self._showing != "never":
            steps.append(("shown", self._finish))
        return steps

    def _show(self) -> Callable[[], None]:
        from xinv_nb.view.live import show

        return show(self.run, self._explaining)

    def _look_at_landmarks(self) -> None:
        for text in misnamed(self.run):
            RunWriter(self.run).notice(text)

    def _save_run(self) -> None:
        assert self._save is not None
        self.run.save(self._save)

    def _finish(self) -> None:
        from xinv_nb.view.live import finish

        if self._showing == "at the end":
            self._show()
        finish(self.run, self._explaining)


class record:  # noqa: N801 - reads as a verb: `with xi.record() as run`
    """Record every differentiation that the block makes with autograd, with no change to the code.

    Evaluations whose gradients come from elsewhere are handed over with `run.add`; that needs no autograd.

    Parameters
    ----------
    name : str
        The run's name.
    problem : Problem, optional
        The domain: title, parameters with units, a picture.
    parameters : sequence of str, optional
        Names of the parameters to show; all where None.
    live : bool
        Whether to show the widget at once and let it follow the run (in a notebook).
    max_events : int
        Events kept at most.
    mute : sequence of str
        Kinds of findings that are not to be told, such as `("bound",)`: see `docs/diagnosis.md`.

    Returns
    -------
    context manager
        Yields the `Run` it fills. An exception in the block leaves the block as it would without the recording; the
        run keeps what was recorded and says how it ended.

    Raises
    ------
    XinvError
        There is no kind of finding of a name in `mute`.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> with xi.record("parabola") as run:
    ...     slope = grad(lambda x: (x - 1) ** 2)(3.0)
    >>> run.status, float(run.gradients["x"][0])
    ('finished', 4.0)
    """

    def __init__(
        self,
        name: str = "",
        *,
        problem: Problem | None = None,
        parameters: Sequence[str] | None = None,
        live: bool = False,
        max_events: int = 100_000,
        mute: str | Sequence[str] = (),
    ) -> None:
        _check(name, problem, parameters, max_events)
        run = Run(name, problem)
        writer = RunWriter(run)
        writer.choose_parameters(parameters or ())
        if mute:
            from xinv_nb.facts.diagnosis.found import checked_kinds  # the kinds take their time to import

            writer.mute(checked_kinds(mute))
        self._recording = Recording(run, max_events, showing="live" if live else "never")

    def __enter__(self) -> Run:
        # Where an interrupt comes between the block and the first line of `__exit__`, or this object is dropped.
        self._dropped = weakref.finalize(self, self._recording.close, _Dropped())
        self._dropped.atexit = False
        try:
            self._recording.open()
            return self._recording.run
        except XinvError:
            raise
        except BaseException as interrupt:
            self._recording.close(interrupt)
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        self._recording.close(error)
        self._dropped.detach()


def _check(name: Any, problem: Any, parameters: Any, max_events: Any) -> None:
    """Raise `XinvError` for what `record` cannot take."""
    if not isinstance(name, str):
        raise XinvError(f"xinv_nb.record(name): the run's name is text; {shown(name)} is none. It may be left out.")
    if problem is not None and not isinstance(problem, Problem):
        raise XinvError(f"xinv_nb.record(problem=…) takes an xinv_nb.Problem; {shown(problem)} is none.")
    is_list = parameters is None or (isinstance(parameters, Sequence) and not isinstance(parameters, str))
    if not is_list or not all(isinstance(each, str) for each in parameters or ()):
        raise XinvError(
            "xinv_nb.record(parameters=…) takes the names of the parameters to show, such as ['speed', 'W[2, 1]']; "
            f"{shown(parameters)} is no list of names."
        )
    if isinstance(max_events, bool) or not isinstance(max_events, Integral) or max_events < 0:
        raise XinvError(
            f"xinv_nb.record(max_events=…) takes how many events are kept at most, such as 100_000; "
            f"{shown(max_events)} is no such number."
        )


def attempt(run: Run, done: str, step: Callable[[], T]) -> T | None:
    """Take a step that the user's computation does not depend on; what goes wrong becomes a notice of the run."""
    try:
        return step()
    except BaseException as failure:  # noqa: BLE001 - nothing of ours may reach the user's cell
        keep_to_itself(failure)
        _tell(run, done, failure)
        return None


def _tell(run: Run, done: str, failure: BaseException) -> None:
    """Make a notice of what went wrong, and print it: the view may not be there to show it."""
    _log.debug("A run could not be %s.", done, exc_info=failure)
    reason = "you stopped it" if isinstance(failure, KeyboardInterrupt) else told(failure)
    text = f"The run could not be {done} ({reason})."
    RunWriter(run).notice(text)
    print(text, file=sys.stderr)  # noqa: T201


class _Dropped(BaseException):
    """Stands for the end of a block whose end was not seen."""


def how_it_ended(error: BaseException | None, line: int | None = None) -> tuple[Status, str]:
    """Return the status of a run that ended with `error`, and a phrase that says how."""
    if error is None:
        return "finished", ""
    if isinstance(error, KeyboardInterrupt) or _is_cancelled_task(error):
        return "interrupted", "stopped by you"
    if isinstance(error, _Dropped):
        return "interrupted", "its block was left without a word"
    where = f" in line {line}" if line is not None else ""
    return "failed", f"{type(error).__name__}{where}"


def how_far(run: Run) -> str:
    """Say of a run that the user stopped how far it came."""
    count, noun = run.evaluations, noun_of(run)
    how_far = f"after {count:,} {noun}{'s' if count != 1 else ''}" if count else f"before the first {noun} was done"
    return f"Stopped by you {how_far}. What was recorded is kept; %tb shows where it stopped."


def _is_cancelled_task(error: BaseException) -> bool:
    """Whether the task was cancelled: asyncio takes long to import, and where it was not, it raised nothing."""
    exceptions = sys.modules.get("asyncio.exceptions")
    return exceptions is not None and isinstance(error, exceptions.CancelledError)


_last: Run | None = None


def remember(run: Run) -> None:
    """Make `run` the newest one."""
    global _last
    _last = run


def last_run() -> Run | None:
    """Return the newest run of this session, or None before the first.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record("newest") as run:
    ...     pass
    >>> xi.last_run() is run
    True
    """
    return _last


def load(path: str | Path) -> Run:
    """Read a run that `Run.save` wrote.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    Run

    Raises
    ------
    RunFileError
        The file is none of xinv_nb's, of a newer version, or damaged. A file cannot run code: nothing is unpickled.
    FileNotFoundError
        There is no such file.

    Examples
    --------
    >>> import tempfile, xinv_nb as xi
    >>> with xi.record("empty") as run:
    ...     pass
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     xi.load(run.save(f"{folder}/run.npz")).name
    'empty'
    """
    from xinv_nb.recorded.file.reading import read

    return read(path, Run)


def compare(*runs: Run) -> Comparison:
    """Return a widget that overlays runs on shared axes, with their differences in words.

    Parameters
    ----------
    *runs : Run
        Two or more runs, such as of other optimizers, step sizes or starts; as they stand now. Of one run alone its
        fits are compared: the twelve best, where there are more.

    Returns
    -------
    Comparison
        An `anywidget.AnyWidget`; `statements` are the differences as text.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> with xi.record("from the left") as left, xi.record("from the right") as right:
    ...     pass
    >>> xi.compare(left, right).statements[0]
    'In from the left nothing was recorded.'
    """
    from xinv_nb.view.comparison import Comparison

    return Comparison(runs)
