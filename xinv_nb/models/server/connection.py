"""The connection to a server: a request that can be cut at any time, an answer without its thinking."""

from __future__ import annotations

import contextlib
import math
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

from xinv_nb.models.server.faults import OllamaUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import httpx
    import ollama

LOOK_EVERY = 0.02
"""Seconds from one look at the stop button and the clock to the next."""


class Wire:
    """The connection of one question, and the watch that cuts it.

    A thread that waits for the server's next line sleeps in the operating system, where no flag
    reaches it. So a second thread looks at the stop button and the clock, and when either is up it
    shuts the socket down: the sleeper wakes to a broken connection, and the server sees that
    nobody listens and stops generating.
    """

    def __init__(self, limit: float, stop: threading.Event | None) -> None:
        self.verdict = ""
        """Why the connection was cut: "stopped", "silent", or "" while it was not."""
        self.limit = limit
        self._stop = stop
        self._sockets: list[socket.socket] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="xinv ollama watch", daemon=True)
        self.allow(limit)

    def allow(self, seconds: float) -> None:
        """From now on, silence may last this long."""
        if seconds < math.inf:
            self.limit = seconds
        self._deadline = time.monotonic() + seconds

    def prepare(self, request: httpx.Request) -> None:
        """Keep the user's key out of a request, and learn which socket it uses."""
        request.headers.pop("authorization", None)
        request.extensions["trace"] = self._trace

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        # The steps of making a connection (TCP, then TLS) return the stream that is spoken over.
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._sockets.append(info["return_value"].get_extra_info("socket"))

    def _watch(self) -> None:
        while not self._over.wait(LOOK_EVERY):
            if not self.verdict:
                if self._stop is not None and self._stop.is_set():
                    self.verdict = "stopped"
                elif time.monotonic() > self._deadline:
                    self.verdict = "silent"
            # Again and again until the reader has noticed: the socket may be just in the making.
            for wire in tuple(self._sockets) if self.verdict else ():
                with contextlib.suppress(OSError):
                    wire.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()


def raw(client: ollama.Client, method: str, path: str, body: object = None) -> dict[str, Any]:
    """Ask, and keep the fields of the answer that the client's own types would drop."""
    answer = client._request_raw(method, path, json=body)  # type: ignore[no-untyped-call]  # noqa: SLF001
    found = answer.json()
    if not isinstance(found, dict):
        raise TypeError(f"{path} gave no object")
    return found


def without_thinking(pieces: Iterator[str], model: str) -> Iterator[str]:
    """Leave out of the pieces what stands between `<think>` and `</think>`."""
    opening, closing = "<think>", "</think>"
    held, thinking = "", False
    for piece in pieces:
        held += piece
        while True:
            before, tag, after = held.partition(closing if thinking else opening)
            if closing in before:
                # The chat template had opened the tag: all that was sent on so far was thinking.
                raise OllamaUnavailable(f"{model} mixed its thinking with its answer.", "Choose another model.")
            if not tag:
                break
            if before and not thinking:
                yield before
            held, thinking = after, not thinking
        # The end of a piece may be the beginning of a tag: keep it back.
        keep = max(n for n in range(len(closing)) if n == 0 or held[-n:] in (opening[:n], closing[:n]))
        free, held = held[: len(held) - keep], held[len(held) - keep :]
        if free and not thinking:
            yield free
    if thinking:
        raise OllamaUnavailable(f"{model} was still thinking at its end.", "Choose another model.")
    if held:
        yield held
