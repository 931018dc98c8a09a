"""The anywidget of one run: small traits, packets out, requests in.

Bulk data never sits in an ordinary trait. `_snapshot` is pull-only: it is encoded when a browser opens the model, and
never assigned. Requests may come on another thread while a cell runs (some kernels do that), so each takes the lock,
and none of them differentiates, uses pyplot or prints.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, TypeVar
from weakref import WeakSet

import anywidget
import traitlets

from xinv_nb.errors import XinvError, told
from xinv_nb.recorded.captions import Caption
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.recorded.writer import RunWriter
from xinv_nb.view import messages, packets, protocol
from xinv_nb.view.compare import comparison
from xinv_nb.view.explaining import Explainer
from xinv_nb.view.export import export
from xinv_nb.view.fits import choose_fit, fit_runs
from xinv_nb.view.frames import frames_of
from xinv_nb.view.front_end import widget_module
from xinv_nb.view.head import Writer
from xinv_nb.view.marks import names_to_mark
from xinv_nb.view.objectives import ShownObjective
from xinv_nb.view.requests import read_request
from xinv_nb.view.scene import draw_frame
from xinv_nb.view.texts import caption_for_view
from xinv_nb.view.wire import deflated

_log = logging.getLogger(__name__)

_LONGEST_QUESTION = 500

_Made = TypeVar("_Made")


_numbers = count()
_widgets: WeakSet[RunWidget] = WeakSet()


def known_runs() -> list[RecordedRun]:
    """Return the runs that have a widget and have recorded something, in the order in which they began."""
    shown = sorted(_widgets, key=lambda widget: widget.number)
    return [widget.run for widget in shown if widget.run.evaluations > 0]


class PlotWidget(anywidget.AnyWidget):
    """The front end on a packet.

    Traits to observe and link: `iteration` (the cursor; -1 follows the newest), `span` (first and last iteration
    selected, or empty) and `selected` (names of what is shown alone, or empty).
    """

    iteration = traitlets.Int(-1).tag(sync=True)
    span = traitlets.List(traitlets.Int(), maxlen=2).tag(sync=True)
    selected = traitlets.List(traitlets.Unicode()).tag(sync=True)
    _snapshot = traitlets.Any().tag(sync=True, to_json=lambda _, widget: deflated(widget.snapshot()))
    _has_kernel = traitlets.Bool(True).tag(sync=True)
    _own_layout: Any = None  # a widget that was never made whole is closed as well, by its end

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self.add_traits(_esm=traitlets.Unicode(widget_module()).tag(sync=True))
        super().__init__()
        self._own_layout = self.layout

    def close(self) -> None:
        """End the widget, in each browser too."""
        super().close()
        if self._own_layout is not None:
            self._own_layout.close()  # a widget of its own, which nothing else would ever end

    def snapshot(self) -> bytes:
        """Return everything there is to show, as one packet."""
        raise NotImplementedError


class RunWidget(PlotWidget):
    """Shows one run. Made by `Run.widget()`."""

    def __init__(self, run: RecordedRun) -> None:
        self.run = run
        """What is shown: the run, or one of its other objectives as a run of its own."""
        self._objective = ShownObjective(run)
        self.is_handed_out = False
        """Whether the reader's program has it: it may stand anywhere then."""
        self.writer = Writer()
        self._frames = frames_of(run)
        self._sent = packets.Sent()
        self.explainer = Explainer(self)
        self.number = next(_numbers)
        super().__init__()
        self.on_msg(self._on_request)
        _widgets.add(self)

    def __repr__(self) -> str:
        """Return what an untrusted or printed notebook shows in the widget's place."""
        return f"{self.run.title}: the interactive view needs a running notebook; the record of the run stands below."

    def close(self) -> None:
        """End the widget and what is being worded for it; the run stays, and `run.widget()` makes another."""
        if self.comm is not None:
            self.explainer.close()
        super().close()

    def snapshot(self) -> bytes:
        """Return everything there is to show, as one packet."""
        with self._lock:
            self._sent.objectives = self._objective.for_view()
            return packets.snapshot(self.run, self._sent, self.writer)

    def send_update(self, *, explain: bool, scene: bool) -> None:
        """Send what is new since the last packet."""
        with self._lock:
            # Not kept: what is worth travelling with the run is chosen when it has ended.
            frames = [draw_frame(self.run, self.run.evaluations - 1)] if scene and self.run.scene is not None else []
            frames = [frame for frame in frames if not frame.error]
            self._send_packet(packets.update(self.run, self._sent, self.writer, explain=explain, frames=frames))

    def send_snapshot(self) -> None:
        """Send everything; the browser replaces what it has, and a saved widget state holds the whole run."""
        with self._lock:
            self._sent.sequence += 1
            self.send_state("_snapshot")

    def send_frames(self) -> None:
        """Send the pictures of the scene that have been drawn."""
        with self._lock:
            if drawn := self._frames.drawn:
                extra = packets.update(self.run, self._sent, self.writer, frames=drawn)
                self._send_packet(extra)

    def send_words(self) -> None:
        """Send the captions and the head as they stand."""
        with self._lock:
            self._send_packet(packets.words(self.run, self._sent, self.writer))

    def send_head(self) -> None:
        """Send the head as it stands."""
        with self._lock:
            self._send_packet(packets.head_update(self.run, self._sent, self.writer))

    def send_facts(self) -> None:
        """Send phases, facts and captions as they stand."""
        with self._lock:
            self._send_packet(packets.update(self.run, self._sent, self.writer, explain=True))

    def _send_packet(self, packet: bytes) -> None:
        self._say({"type": "packet"}, [packet])

    def _say(self, message: messages.ToBrowser, buffers: list[bytes] | None = None) -> None:
        self.send(message, buffers)

    # ------------------------------------------------------------------ requests from the browser

    def _on_request(self, _widget: Any, content: Any, _buffers: Any) -> None:
        message = read_request(content)
        if message is None:
            return
        if message["type"] == "hello":
            self._say({"type": "here"})
        elif message["type"] == "resync":
            self.send_snapshot()
            self.send_frames()
        elif message["type"] == "scene":
            self._answer_scene(message["iteration"])
        elif message["type"] == "rows":
            self._answer_rows(message["request"], message["span"])
        elif message["type"] == "ask":
            self._answer_question(message)
        elif message["type"] == "explain":
            self._explain_span(message["span"])
        elif message["type"] == "reasons":
            self._answer_reasons(message["span"])
        elif message["type"] == "quiet":
            self.explainer.stop()
        elif message["type"] == "pull":
            self.explainer.download(cancel=message["cancel"])
        elif message["type"] == "file":
            self._answer_file(message["request"], message["format"])
        elif message["type"] == "runs":
            self._answer_runs(message["request"])
        elif message["type"] == "compare":
            others = [run for run in self._others() if run.id in message["runs"]]
            self._answer_comparison(message["request"], lambda: [self.run, *others])
        elif message["type"] == "compare_fits":
            self._answer_comparison(message["request"], lambda: fit_runs(self.run))
        elif message["type"] == "fit":
            self._choose_fit(message["fit"])
        elif message["type"] == "objective":
            self._choose_objective(message["objective"])

    def _answer_scene(self, iteration: int) -> None:
        if self.run.status == "running" or self.run.scene is None:
            return
        with self._lock:
            iteration = min(max(iteration, 0), self.run.evaluations - 1)
            self._send_packet(packets.frame_update(self.run, self._sent, self._frames.at(iteration)))

    def _answer_rows(self, request: int, span: protocol.Span) -> None:
        if self.run.status == "running":
            return
        with self._lock:
            self._send_packet(packets.rows_update(self.run, self._sent, request, span))

    def _answer_reasons(self, span: protocol.Span) -> None:
        if self.run.status == "running":
            return
        with self._lock:
            self._send_packet(packets.reasons_update(self.run, self._sent, span))

    def _answer_file(self, request: int, kind: str) -> None:
        # A scene is drawn for the page: not while the user's cell may be drawing as well.
        file = self._made(request, "file", "exported", lambda: export(self.run, kind))
        if file is not None:
            with self._lock:
                self._send_packet(packets.file_update(self.run, self._sent, request, file))

    def _others(self) -> list[RecordedRun]:
        return [run for run in known_runs() if run is not self.run]

    def _answer_runs(self, request: int) -> None:
        with self._lock:
            self._send_packet(packets.other_runs_update(self.run, self._sent, request, self._others()))

    def _answer_comparison(self, request: int, runs: Callable[[], Sequence[RecordedRun]]) -> None:
        compared = self._made(request, "comparison", "compared", lambda: comparison(runs()))
        if compared is not None:
            with self._lock:
                self._send_packet(packets.comparison_update(self.run, self._sent, request, compared))

    def _choose_fit(self, fit: int) -> None:
        """Tell of another fit: its built-in text at once, and where a model words the text, that is worded anew."""
        if self.run.status == "running":
            return
        try:
            choose_fit(self.run, fit)
        except XinvError:
            _log.debug("There is no such fit.", exc_info=True)
            self.send_facts()
        else:
            self.explainer.tell_anew()

    def _choose_objective(self, place: int) -> None:
        if self.run.status == "running":
            return
        with self._lock:
            self.run = self._objective.choose(place)
            self._frames = frames_of(self.run)
            self._sent = packets.Sent(self._sent.sequence)
            self.send_snapshot()
        self.explainer.tell_anew()

    def _made(self, request: int, what: str, done: str, make: Callable[[], _Made]) -> _Made | None:
        """Return what the reader waits for; or None, once the reader has been told why there is none."""
        if self.run.status == "running":
            text = f"The run is still going on; it can be {done} once it has ended."
        else:
            try:
                return make()
            except Exception as error:  # noqa: BLE001 - the reader waits for an answer
                _log.debug("The %s could not be made.", what, exc_info=True)
                text = f"The {what} could not be made ({told(error)})."
        with self._lock:
            self._send_packet(packets.failure_update(self.run, self._sent, request, text))
        return None

    def _answer_question(self, message: messages.AskMessage) -> None:
        request, span, question = message["request"], message["span"], message["question"][:_LONGEST_QUESTION]

        def send(caption: Caption) -> None:
            shown = caption_for_view(caption, f"a{request}", names_to_mark(self.run))
            with self._lock:
                answer: protocol.Answer = {"request": request, "caption": shown}
                self._send_packet(packets.words(self.run, self._sent, self.writer, [answer]))

        try:
            self.explainer.answer(question, span, send)
        except Exception as error:  # noqa: BLE001 - the reader waits for an answer
            _log.debug("A question could not be answered.", exc_info=True)
            text = f"This question could not be answered ({told(error)})."
            send(Caption(text, span or (0, 0), (), "built-in", "no answer", (), question))

    def _explain_span(self, span: protocol.Span) -> None:
        try:
            self.explainer.explain_span(span)
        except Exception as error:  # noqa: BLE001 - nothing that is asked in the view may end in the notebook's log
            _log.debug("A stretch could not be explained.", exc_info=True)
            RunWriter(self.run).notice(f"That stretch could not be explained: {error}")
            self.send_words()


def widget_of(run: RecordedRun) -> RunWidget:
    """Return the widget of `run`; makes one where there is none, or the former one was closed."""
    known: RunWidget | None = run.memo.get("widget")
    if known is None or known.comm is None:
        known = run.memo["widget"] = RunWidget(run)
    return known
