"""Follows a run from its first evaluation to the record that stays: shows the widget, streams, explains, records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xinv_nb.models.captioning import Explaining
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.recorded.writer import RunWriter
from xinv_nb.view.frames import frames_of
from xinv_nb.view.host import keeps_outputs
from xinv_nb.view.outputs import show_in
from xinv_nb.view.picture import record_picture
from xinv_nb.view.record import record_bundle
from xinv_nb.view.scene import warm_up
from xinv_nb.view.stream import Stream
from xinv_nb.view.widget import widget_of

_SECONDS_FOR_FRAMES = 1.5


def show(run: RecordedRun, explaining: Explaining | None = None) -> Callable[[], None]:
    """Display the widget of `run` and return what the recorder is to call after each evaluation."""
    from IPython.display import display

    explaining = explaining or Explaining()
    widget = widget_of(run)
    if (place := _place()) is not None:
        show_in(widget, *place)
    display(widget)  # type: ignore[no-untyped-call]
    if run.problem is not None and run.problem.scene is not None:  # `run.scene` waits for something to draw
        warm_up()

    def send(explain: bool, scene: bool) -> None:
        widget.explainer.make_ready(explaining)
        if explain:
            widget.explainer.follow()
        widget.send_update(explain=explain, scene=scene)

    return Stream(send).poll


def _place() -> tuple[str, str] | None:
    """Return the cell that is running and a name of this execution; None where the front end does not tell."""
    from IPython import get_ipython

    parent: dict[str, Any] = getattr(get_ipython(), "get_parent", dict)()
    cell, execution = parent.get("metadata", {}).get("cellId"), parent.get("header", {}).get("msg_id")
    return (str(cell), str(execution)) if cell and execution else None


def finish(run: RecordedRun, explaining: Explaining | None = None) -> None:
    """Send the finished run, leave its record in the notebook, and have the captions written.

    Everything built in (pictures, built-in text) is there when this returns; a model writes on another thread.
    """
    from IPython.display import display

    explaining = explaining or Explaining()
    widget = widget_of(run)
    RunWriter(run).keep_captions(None)  # those of the phases that closed while it went on
    widget.send_snapshot()
    if run.evaluations == 0:
        return
    frames_of(run).draw(_SECONDS_FOR_FRAMES)
    widget.send_frames()
    if keeps_outputs():
        drawn = {run.chosen_fit: record_picture(run)}

        def bundle() -> dict[str, str]:
            if run.chosen_fit not in drawn:
                drawn[run.chosen_fit] = record_picture(run)
            return record_bundle(run, drawn[run.chosen_fit])

        record: Any = display(bundle(), raw=True, display_id=True)  # type: ignore[no-untyped-call]
        if record is not None:  # none without a front end, as in a test
            widget.explainer.on_worded = lambda: record.update(bundle(), raw=True)
    widget.explainer.write(explaining)
