"""The download of a missing model as one widget shows it: offered, going on, failed; begun only by the reader."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from xinv_nb.models.server.address import Address
from xinv_nb.models.server.download import source_of
from xinv_nb.models.server.downloads import Download, DownloadState, download_of
from xinv_nb.models.server.models import known_size
from xinv_nb.view import protocol

_KEPT = "Ollama keeps what it has downloaded and goes on from there next time."


@dataclass(frozen=True)
class Offer:
    """What the head tells of a model that could be downloaded, or is being."""

    model: str
    size: str
    """Such as "about 2 GB"; "" where it is not known before the download begins."""
    note: str
    """What the button does, or what Cancel does."""
    problem: str = ""
    going: bool = False
    text: str = ""
    """How far it is, while it goes on."""
    percent: int | None = None

    def for_view(self) -> protocol.Pull:
        """Return the same for the browser."""
        return {
            "model": self.model,
            "size": self.size,
            "note": self.note,
            "problem": self.problem,
            "going": self.going,
            "text": self.text,
            "percent": self.percent,
        }


class Downloading:
    """The download that one widget offers; it belongs to the session, so that several widgets may show the same.

    `show` is called when `offer` has become another, `got` with the model when that is there; both on the thread of
    the download.
    """

    def __init__(self, show: Callable[[], object], got: Callable[[str], object]) -> None:
        self.offer: Offer | None = None
        """What is to be shown now."""
        self._show, self._got = show, got
        self._download: Download | None = None
        self._first: Offer | None = None
        self._lock = threading.RLock()

    def propose(self, host: str | None, model: str) -> None:
        """Offer `model` from now on, or nothing where that is ""; one that is being downloaded is shown so."""
        with self._lock:
            self.leave()
            if not model:
                return
            server = Address(host, allow_remote=host is not None)
            self._download, self._first = download_of(server, model), _first(server, model)
            self.offer = _after(self._first, self._download.hear(self._hear))

    def start(self) -> None:
        """Have what is offered downloaded: the reader asked for it."""
        if self._download is not None:
            self._download.start()

    def cancel(self) -> None:
        """End the download; the server keeps what has come."""
        if self._download is not None:
            self._download.cancel()

    def leave(self) -> None:
        """Offer nothing more; a download goes on."""
        with self._lock:
            if self._download is not None:
                self._download.leave(self._hear)
            self._download = self._first = self.offer = None

    def _hear(self, state: DownloadState) -> None:
        with self._lock:
            if self._first is None:
                return
            model, self.offer = self._first.model, _after(self._first, state)
            if state.done:
                self.leave()
        if state.done:
            self._got(model)
        else:
            self._show()


def _first(server: Address, model: str) -> Offer:
    size = known_size(model)
    who = "Ollama" if server.is_local else f"Ollama at {server.host}"
    note = f"{who} will download it from {source_of(model)} over the internet."
    return Offer(model, size, note if size else f"{note} Its size is shown once the download begins.")


def _after(first: Offer, state: DownloadState) -> Offer:
    if state.going:
        note = f"You can go on working. If you cancel, {_KEPT}"
        text = state.progress.text or f"asking for {first.model}"
        return replace(first, going=True, text=text, percent=state.progress.percent, note=note)
    return replace(first, problem=state.problem, note=_KEPT if state.cancelled else first.note)
