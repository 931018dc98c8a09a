"""The life of one recording as the user sees it: open it, let the view follow it, close it, explain it."""

from __future__ import annotations

import sys
from asyncio import CancelledError
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from xinv_nb.recorded.problem import Problem
from xinv_nb.recorded.run import Status
from xinv_nb.recorded.writer import RunWriter
from xinv_nb.recording.recorder import Recorder
from xinv_nb.recording.tracebacks import take_our_frames_out
from xinv_nb.run import Run

if TYPE_CHECKING:
    from xinv_nb.view.compare import Comparison

T = TypeVar("T")


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

    Returns
    -------
    context manager
        Yields the `Run` it fills. An exception in the block leaves the block as it would without the recording; the
        run keeps what was recorded and says how it ended.

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
    ) -> None:
        self._run = Run(name, problem)
        RunWriter(self._run).choose_parameters(parameters or ())
        self._live = live
        self._recorder = Recorder(self._run, max_events)

    def __enter__(self) -> Run:
        remember(self._run)
        if self._live:
            from xinv_nb.view.live import show

            self._recorder.on_evaluation = attempt(self._run, "shown", lambda: show(self._run))
        self._recorder.start()
        return self._run

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        if error is not None:
            take_our_frames_out(error)
        self._recorder.stop(*how_it_ended(error))
        if self._live:
            from xinv_nb.view.live import finish

            attempt(self._run, "shown", lambda: finish(self._run))


def attempt(run: Run, done: str, step: Callable[[], T]) -> T | None:
    """Take a step that the user's computation does not depend on; what goes wrong becomes a notice of the run."""
    try:
        return step()
    except Exception as failure:  # noqa: BLE001 - nothing of ours may reach the user's cell
        text = f"The run could not be {done} ({type(failure).__name__}: {failure})."
        RunWriter(run).notice(text)
        print(text, file=sys.stderr)  # noqa: T201 - the view may not be there to show it
        return None


def how_it_ended(error: BaseException | None, line: int | None = None) -> tuple[Status, str]:
    """Return the status of a run that ended with `error`, and a phrase that says how."""
    if error is None:
        return "finished", ""
    if isinstance(error, (KeyboardInterrupt, CancelledError)):
        return "interrupted", "stopped by you"
    where = f" in line {line}" if line is not None else ""
    return "failed", f"{type(error).__name__}{where}"


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


def compare(*runs: Run) -> Comparison:
    """Return a widget that overlays runs on shared axes, with their differences in words.

    Parameters
    ----------
    *runs : Run
        Two or more runs, such as of other optimizers, step sizes or starts; as they stand now.

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
    from xinv_nb.view.compare import Comparison

    return Comparison(runs)
