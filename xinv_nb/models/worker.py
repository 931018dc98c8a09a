"""Writes the captions of one run on a thread of its own: the newest request wins."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from xinv_nb.models.captioning import Explaining, NoModel, Progress, find_model, write
from xinv_nb.models.trial import ability, known_ability
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.recorded.writer import RunWriter

_log = logging.getLogger(__name__)


class CaptionWorker:
    """The thread that words one run: made ready while the run goes on, then writing, then done."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._making_ready: threading.Thread | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a thread of it is at work."""
        return any(t is not None and t.is_alive() for t in (self._thread, self._making_ready))

    def make_ready(self, explaining: Explaining) -> None:
        """Have the server load the model, and find out what the model may do, while the simulation runs."""
        if explaining.model is False or self._making_ready is not None:
            return

        def work() -> None:
            found = find_model(explaining, self._stop)
            if isinstance(found, NoModel):
                return
            model, _ = found
            if known_ability(model) is None:
                ability(model)
            else:
                model.make_ready()

        # What goes wrong the writing itself will say.
        self._making_ready = self._begin(_attempted(work, "Making a model ready"))

    def start(self, run: RecordedRun, show: Callable[[Progress], None], explaining: Explaining | None = None) -> None:
        """Write the captions of `run`; `show` is called on the worker's thread."""
        stop = self._renewed()

        def work() -> None:
            try:
                captions = write(run, explaining, stop, _unless(stop, show))
            except Exception as error:  # noqa: BLE001 - nothing that goes wrong here may reach the user's notebook
                _log.debug("Writing the captions failed.", exc_info=True)
                RunWriter(run).notice(f"The captions stay as they are: writing them failed ({type(error).__name__}).")
                return
            if not stop.is_set():
                RunWriter(run).keep_captions(captions)

        self._thread = self._begin(work, after=self._making_ready)

    def start_work(self, work: Callable[[threading.Event], None]) -> None:
        """Do other work of this kind, such as an answer; it is given what tells it to stop.

        What goes wrong leaves the built-in text standing, which the reader has already.
        """
        stop = self._renewed()
        attempted = _attempted(lambda: work(stop), "What a reader asked for")
        self._thread = self._begin(attempted, after=self._making_ready)

    def cancel(self) -> None:
        """Stop writing; the server stops generating."""
        self._stop.set()

    def wait(self, seconds: float) -> bool:
        """Wait until the writing is done; returns whether it is."""
        if self._thread is None:
            return True
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _renewed(self) -> threading.Event:
        """End what is being written; what makes ready goes on, as the next writing needs it."""
        if self._thread is not None or self._stop.is_set():
            self._stop.set()
            self._stop = threading.Event()
        return self._stop

    def _begin(self, work: Callable[[], None], after: threading.Thread | None = None) -> threading.Thread:
        stop = self._stop

        def in_turn() -> None:
            while after is not None and after.is_alive() and not stop.is_set():
                after.join(0.05)
            work()

        thread = threading.Thread(target=in_turn, name="xinv-nb-captions", daemon=True)
        thread.start()
        return thread


def _attempted(work: Callable[[], None], name: str) -> Callable[[], None]:
    """Return the same work, of which nothing that goes wrong reaches the user's notebook."""

    def attempted() -> None:
        try:
            work()
        except Exception:  # noqa: BLE001
            _log.debug("%s failed.", name, exc_info=True)

    return attempted


def _unless(stop: threading.Event, show: Callable[[Progress], None]) -> Callable[[Progress], None]:
    return lambda progress: None if stop.is_set() else show(progress)
