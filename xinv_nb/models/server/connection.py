"""The connection to a server: a question that can be cut at any time, an answer without its thinking."""

from __future__ import annotations

import contextlib
import json
import math
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

from xinv_nb.models.server.faults import OllamaUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    import httpx

LOOK_EVERY = 0.02
"""Seconds from one look at the stop button and the clock to the next."""

CONNECT_LIMIT = 2.0

T = TypeVar("T")


class Connection:
    """The connection of one question to the server at `host`, and the watch that cuts it.

    A thread that waits for the server's next line sleeps in the operating system, where no flag reaches it. So a second
    thread looks at the stop button and the clock, and when either is up it shuts the socket down: the sleeper wakes to
    a broken connection, and the server sees that nobody listens and stops generating.

    Proxies of the environment are not used, redirects are not followed, and no key is sent.
    """

    def __init__(self, host: str, limit: float, stop: threading.Event | None = None) -> None:
        self.verdict = ""
        """Why the connection was cut: "stopped", "silent", or "" while it was not."""
        self.limit = limit
        self._host, self._stop = host, stop
        self._sockets: list[socket.socket] = []
        self._over = threading.Event()
        self._watching = threading.Thread(target=self._watch, name="xinv-nb-ollama-watch", daemon=True)
        self.allow(limit)

    def allow(self, seconds: float) -> None:
        """From now on, silence may last this long."""
        if seconds < math.inf:
            self.limit = seconds
        self._deadline = time.monotonic() + seconds

    def ask(self, path: str, body: object = None) -> dict[str, Any]:
        """Return the object that the server answers; without a `body` it is only looked up."""
        method = "GET" if body is None else "POST"
        answer = self._client.request(method, path, json=body, extensions={"trace": self._trace})
        _refuse_failures(answer)
        return _as_object(answer.json(), path)

    def lines(self, path: str, body: object, kind: Callable[..., T]) -> Generator[T, None, None]:
        """Yield what the server answers line by line, each as a `kind`, for as long as the connection is not cut."""
        import ollama

        asking = self._client.stream("POST", path, json=body, extensions={"trace": self._trace})
        with asking as answer:
            _refuse_failures(answer)
            for line in answer.iter_lines():
                part = _as_object(json.loads(line), path)
                if error := part.get("error"):
                    raise ollama.ResponseError(error)
                if self.verdict:
                    break
                yield kind(**part)
        raise ConnectionResetError  # the stream ended before the answer did

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
            for each in tuple(self._sockets) if self.verdict else ():
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> None:
        import httpx

        self._client = httpx.Client(
            base_url=self._host,
            timeout=httpx.Timeout(self.limit, connect=min(self.limit, CONNECT_LIMIT)),
            trust_env=False,
            follow_redirects=False,
            verify=self._host.startswith("https:"),  # reading certificates takes 15 ms
        )
        self._watching.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._client.close()


def _refuse_failures(answer: httpx.Response) -> None:
    """Raise what the server says of its failure, such as that it has no such model."""
    import ollama

    if not answer.is_success:
        answer.read()
        raise ollama.ResponseError(answer.text, answer.status_code)


def _as_object(found: object, path: str) -> dict[str, Any]:
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
