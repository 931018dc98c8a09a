"""Downloading a model by the server: how far it is, and what went wrong in plain words."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xinv_nb.models.server.address import Address
from xinv_nb.models.server.faults import OllamaUnavailable
from xinv_nb.models.server.models import is_cloud, size_in_words

if TYPE_CHECKING:
    import threading

    import ollama

SILENCE = 120.0
"""Seconds: while it downloads, the server tells many times a second how far it is; before, it waits for a network."""

CHECKING = 1800.0
"""Seconds of silence while the server reads again what it has downloaded: tens of gigabytes on a slow disk."""

_SMALL = 10_000_000
"""Bytes: with less announced (a licence, a template), the size of the model is not known yet."""


@dataclass(frozen=True)
class DownloadProgress:
    """How far a download is: for the reader, and in percent where its size is known."""

    text: str = ""
    percent: int | None = None


def download(
    host: Address,
    model: str,
    stop: threading.Event | None = None,
    *,
    silence: float = SILENCE,
    checking: float = CHECKING,
) -> Generator[DownloadProgress, None, None]:
    """Have the server download `model`, and yield how far it is with each line that it writes.

    The iterator ends when the model is there; in all other cases it raises `OllamaUnavailable`. Setting `stop` closes
    the connection, on which the server stops; it keeps what it has downloaded, and the next time it goes on from there.
    There is no limit on the whole: `silence` and `checking` are seconds in which the server says nothing.
    """
    if is_cloud(model, {}):
        raise OllamaUnavailable(f"{model} runs in a cloud; there is nothing to download.", "Choose a local model.")
    try:
        # The longer limit is that of every read; from line to line the one that fits is watched.
        with host.asking(checking, stop=stop) as connection:
            import ollama

            connection.allow(silence)
            amounts = _Amounts(f"waiting for {source_of(model)}")
            parts = connection.lines("/api/pull", {"model": model, "stream": True}, ollama.ProgressResponse)
            with contextlib.closing(parts):
                for part in parts:
                    if part.status == "success":
                        return
                    connection.allow(math.inf)  # a slow reader is no fault of the server
                    yield amounts.after(part)
                    connection.allow(checking if amounts.are_complete else silence)
    except OllamaUnavailable as error:
        raise _plainly(error, model, host) from error


def source_of(model: str) -> str:
    """Return where Ollama would get a model from, such as `the Ollama library`; a name can tell another place."""
    parts = model.rpartition("://")[2].split("/")
    return parts[0] if len(parts) > 2 else "the Ollama library"


class _Amounts:
    """The layers of a model, added up; what is told never goes back."""

    def __init__(self, waiting: str) -> None:
        self.are_complete = False
        self._waiting = waiting
        self._done: dict[str, int] = {}
        self._total: dict[str, int] = {}
        self._percent = 0

    def after(self, part: ollama.ProgressResponse) -> DownloadProgress:
        """Return how far the download is with one more line of the server."""
        if part.digest:
            self._done[part.digest] = max(self._done.get(part.digest, 0), part.completed or 0)
            self._total[part.digest] = max(self._total.get(part.digest, 0), part.total or 0)
        elif self._done and str(part.status).startswith(("verifying", "writing")):
            self.are_complete = True
        done, total = sum(self._done.values()), sum(self._total.values())
        if self.are_complete:
            return DownloadProgress(f"{size_in_words(done)} are here and are being checked", 100)
        if total < _SMALL:
            return DownloadProgress(f"{size_in_words(done)} so far" if done > _SMALL else self._waiting)
        done = min(done, total)
        percent = min(99, 100 * done // total)
        self._percent = max(self._percent, percent)
        text = f"{_of(done, total)} · {percent} %" if percent == self._percent else _of(done, total)
        return DownloadProgress(text, self._percent)


def _of(done: int, total: int) -> str:
    number, unit = size_in_words(total).split()
    return f"{done / 1e9:.1f} of {number} {unit}" if unit == "GB" else f"{done / 1e6:.0f} of {number} {unit}"


# ---------------------------------------------------------------------- what goes wrong

_FAULTS = (
    (
        ("file does not exist", "manifest unknown", "unauthorized", "access denied"),
        "There is no model {model} in {source}.",
        "Check the name.",
    ),
    (("invalid model name",), "{model} is not the name of a model.", "Check the name."),
    (
        ("no space left", "not enough space", "disk quota", "disk is full"),
        "The disk is full.",
        "Make room and try again: what was downloaded is kept.",
    ),
    (("newer version of Ollama",), "{model} needs a newer Ollama.", "Update it and try again."),
    (("digest mismatch",), "What was downloaded arrived damaged, and is thrown away.", "Try again."),
    (("permission denied",), "Ollama may not write to its folder of models.", "Check who owns that folder."),
    (
        (
            "no such host",
            "dial tcp",
            "network is unreachable",
            "no route to host",
            "timeout",
            "server misbehaving",
            "max retries exceeded",
            "deadline exceeded",
            "connection reset",
            "unexpected EOF",
        ),
        "Ollama could not reach {source}.",
        "Check the internet connection and try again: what was downloaded is kept.",
    ),
)
"""What Ollama says in these cases, why that is, and what to do; the first that fits."""


def _plainly(error: OllamaUnavailable, model: str, host: Address) -> OllamaUnavailable:
    """Say what an error means for a download."""
    import httpx
    import ollama

    cause = error.__cause__
    if isinstance(cause, ollama.ResponseError):
        for marks, why, then in _FAULTS:
            if any(mark in cause.error for mark in marks):
                return OllamaUnavailable(why.format(model=model, source=source_of(model)), then)
    if "broke before the answer" in str(error) and isinstance(cause, httpx.HTTPError | OSError):
        return OllamaUnavailable(
            f"Ollama at {host.host} went away before the download was complete.",
            "Start it and try again: what was downloaded is kept.",
        )
    return error
