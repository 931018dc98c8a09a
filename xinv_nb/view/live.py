"""Follows a run from its first evaluation to the record that stays: shows the widget, streams, explains, records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from weakref import WeakKeyDictionary

from xinv_nb.captions.writer import CaptionWorker, Progress
from xinv_nb.run import Run
from xinv_nb.view import packets
from xinv_nb.view.host import keeps_outputs
from xinv_nb.view.record import record_bundle
from xinv_nb.view.scene import warm_up
from xinv_nb.view.stream import Stream
from xinv_nb.view.widget import RunWidget

_SECONDS_FOR_FRAMES = 1.5


@dataclass(frozen=True)
class Explaining:
    """Who is to write the captions, and how."""

    model: str | Literal[False] | None = None
    level: str | None = None
    language: str | None = None
    host: str | None = None


def show(run: Run) -> Callable[[], None]:
    """Display the widget of `run` and return what the recorder is to call after each evaluation."""
    from IPython.display import display

    widget = run.widget()
    display(widget)  # type: ignore[no-untyped-call]
    if run.problem is not None and run.problem.scene is not None:  # `run.scene` waits for something to draw
        warm_up()
    stream = Stream(lambda explain, scene: widget.send_update(explain=explain, scene=scene))
    return stream.poll


def finish(run: Run, explaining: Explaining | None = None) -> None:
    """Send the finished run, leave its record in the notebook, and have the captions written.

    Everything built in (pictures, built-in text) is there when this returns; a model writes on another thread.
    """
    from IPython.display import display

    widget = run.widget()
    if run.evaluations == 0:
        widget.send_snapshot()
        return
    widget.send_snapshot()
    widget.draw_frames(_SECONDS_FOR_FRAMES)
    widget.send_frames()
    if keeps_outputs():
        display(record_bundle(run), raw=True)  # type: ignore[no-untyped-call]
    explain(run, explaining or Explaining())


def explain(run: Run, explaining: Explaining) -> None:
    """Have the captions of `run` written on the worker's thread; the widget shows each step."""
    if explaining.model is False or run.evaluations == 0:
        return
    widget = run.widget()
    worker = _workers.setdefault(run, CaptionWorker())
    worker.start(
        run, lambda progress: _show(widget, progress), explaining.model, explaining.level, explaining.language,
        explaining.host,
    )  # fmt: skip


_workers: WeakKeyDictionary[Run, CaptionWorker] = WeakKeyDictionary()
"""Who writes the captions of each run; to explain a run anew ends what is being written of it."""


def _show(widget: RunWidget, progress: Progress) -> None:
    run = widget.run
    run._captions = progress.captions  # noqa: SLF001
    busy = progress.working_on is not None
    widget.writer = packets.Writer(progress.writer, progress.hint, progress.command, busy, progress.working_on)
    widget.send_words()
