"""The downloads of this session: each goes on by itself, and whoever shows the model hears of it.

A download belongs to the session and not to the widget whose button began it. It goes on when that widget is closed or
its cell is run again: the new widget, which needs the same model, shows it as it stands. It ends when it is complete,
when one of the widgets cancels it, or with the kernel; the server keeps what it has downloaded in any case.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from xinv_nb.models.server.address import Address
from xinv_nb.models.server.download import DownloadProgress, download
from xinv_nb.models.server.faults import OllamaUnavailable
from xinv_nb.models.server.models import full_name

_log = logging.getLogger(__name__)

INTERVAL = 0.25
"""Seconds from one word about a download to the next, at least."""


@dataclass(frozen=True)
class DownloadState:
    """What has become of a download; none of the three where nobody has asked for it yet."""

    going: bool = False
    done: bool = False
    cancelled: bool = False
    progress: DownloadProgress = field(default_factory=DownloadProgress)
    """How far it is, where it is going on."""
    problem: str = ""
    """Why it ended without the model, and what to do."""


Hearer = Callable[[DownloadState], object]


class Download:
    """The download of one model by one server, of which there is never more than one at a time."""

    def __init__(self, host: Address, model: str) -> None:
        self._host, self._model = host, model
        self._lock = threading.RLock()
        self._hearers: list[Hearer] = []
        self._state = DownloadState()
        self._ended: DownloadState | None = None
        self._stop = threading.Event()
        self._reporting: threading.Thread | None = None

    def hear(self, hearer: Hearer) -> DownloadState:
        """Tell `hearer` from now on what becomes of it, on the download's thread; returns how it stands now."""
        with self._lock:
            if hearer not in self._hearers:
                self._hearers.append(hearer)
            return self._state

    def leave(self, hearer: Hearer) -> None:
        """Tell `hearer` no more; the download goes on."""
        with self._lock, contextlib.suppress(ValueError):
            self._hearers.remove(hearer)

    def start(self) -> None:
        """Begin the download, unless it goes on already."""
        with self._lock:
            if self._state.going:
                return
            self._state, self._ended = DownloadState(going=True), None
            self._stop = threading.Event()
            changed = threading.Event()
            _begin(self._read, self._stop, changed)
            self._reporting = _begin(self._report, self._stop, changed)

    def cancel(self) -> None:
        """End the download within a few hundredths of a second."""
        self._stop.set()

    def wait(self, seconds: float) -> bool:
        """Wait until it has ended; returns whether it has."""
        if self._reporting is None:
            return True
        self._reporting.join(seconds)
        return not self._reporting.is_alive()

    def _read(self, stop: threading.Event, changed: threading.Event) -> None:
        """Follow what the server writes; on a thread of its own, so that no view holds it up."""
        ended = DownloadState(done=True)
        try:
            for progress in download(self._host, self._model, stop):
                if progress != self._state.progress:
                    self._state = DownloadState(going=True, progress=progress)
                    changed.set()
        except OllamaUnavailable as error:
            ended = DownloadState(cancelled=True) if stop.is_set() else DownloadState(problem=str(error))
        except Exception as error:  # noqa: BLE001 - nothing that goes wrong here may reach the user's notebook
            _log.debug("The download of %s failed.", self._model, exc_info=True)
            ended = DownloadState(problem=f"The download failed ({type(error).__name__}). Try again.")
        self._ended = ended
        changed.set()

    def _report(self, stop: threading.Event, changed: threading.Event) -> None:
        """Tell whoever listens the newest there is to tell, not too often, and at last how it ended."""
        while True:
            self._tell(self._state)  # also where it has ended by now: who asked for it sees that it began
            stop.wait(INTERVAL)
            changed.wait()
            changed.clear()
            if self._ended is not None:
                break
        with self._lock:
            ended, self._state = self._ended, DownloadState()  # who comes later has not asked for this one
        self._tell(ended)

    def _tell(self, state: DownloadState) -> None:
        with self._lock:
            hearers = tuple(self._hearers)
        for hearer in hearers:
            try:
                hearer(state)
            except Exception:  # noqa: BLE001 - a view that is gone
                _log.debug("A view could not be told of the download of %s.", self._model, exc_info=True)


def _begin(work: Callable[[threading.Event, threading.Event], None], *told_by: threading.Event) -> threading.Thread:
    thread = threading.Thread(target=work, args=told_by, name="xinv-nb-download", daemon=True)
    thread.start()
    return thread


_downloads: dict[tuple[str, str], Download] = {}
_lock = threading.Lock()


def download_of(host: Address, model: str) -> Download:
    """Return the download of a model by a server, whether it has begun or not: the same one for all who ask."""
    with _lock:
        return _downloads.setdefault((host.host, full_name(model)), Download(host, model))
