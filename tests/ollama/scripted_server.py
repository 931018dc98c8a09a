"""A server that speaks like Ollama and fails on command.

It exists only to force faults that a real server shows too seldom to test: answers that break off,
pages of a proxy, silence, models that run in a cloud. What works is tested with the real server.
"""

from __future__ import annotations

import json
import select
import socket
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from typing_extensions import Self

CUT = object()
"""A step of a `Reply`: close the connection without an ending."""

MODEL = "chat:1b"
CHAT_TEMPLATE = "{{ range .Messages }}<{{ .Role }}>{{ .Content }}{{ end }}"
BASE_TEMPLATE = "{{ .Prompt }}"


def piece(text: str, **more: object) -> dict[str, object]:
    """A line of an answer."""
    return {"model": MODEL, "message": {"role": "assistant", "content": text}, "done": False, **more}


def done(reason: str | None = "stop", **more: object) -> dict[str, object]:
    """The last line of an answer."""
    counts = {"prompt_eval_count": 100, "eval_count": 3}
    return piece("") | {"done": True, **({"done_reason": reason} if reason is not None else {}), **counts, **more}


def listed(name: str = MODEL, size: int = 1_000_000_000, **more: object) -> dict[str, object]:
    """An entry of /api/tags."""
    return {"name": name, "model": name, "size": size, "digest": f"digest of {name}", "details": {}, **more}


def shown(template: str = CHAT_TEMPLATE, **more: object) -> dict[str, object]:
    """An answer of /api/show."""
    return {"template": template, "capabilities": ["completion"], **more}


class Reply:
    """An answer as steps: a dict is a JSON line, a string or bytes is sent as it is.

    A number waits that many seconds, or until the client goes away; `CUT` breaks the connection; a
    function is called, for what the server has become by then.
    The headers are sent with the first text, as Ollama does.
    """

    def __init__(self, *steps: object, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.steps = steps
        self.status = status
        self.headers = {"Content-Type": "application/x-ndjson", "Connection": "close", **(headers or {})}


@dataclass
class Request:
    """What a client sent, and when it went away before it had its answer (None: it did not)."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    left: float | None = None
    over: threading.Event = field(default_factory=threading.Event)


class ScriptedServer:
    """Set `replies[path]`, or one model's in `shows`, then let the client come."""

    def __init__(self) -> None:
        self.replies: dict[str, Reply] = {
            "/api/version": Reply({"version": "0.32.0"}),
            "/api/tags": Reply({"models": [listed()]}),
            "/api/chat": Reply(piece("Hello"), piece(" there."), done()),
            "/api/generate": Reply({"model": MODEL, "response": "", "done": True, "done_reason": "load"}),
        }
        self.shows: dict[str, Reply] = {}
        self.requests: list[Request] = []
        self._closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self.host = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def chats(self) -> list[Request]:
        """The requests that carried a prompt."""
        return [request for request in self.requests if request.path == "/api/chat"]

    def reply_to(self, request: Request) -> Reply:
        """The answer for a request."""
        if request.path == "/api/show":
            return self.shows.get(request.body["model"], Reply(shown()))
        return self.replies.get(request.path, Reply("404 page not found", status=404))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.answer()

            def do_POST(self) -> None:
                self.answer()

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, self.path, headers, json.loads(body) if body else None)
                script.requests.append(request)
                try:
                    self.play(script.reply_to(request), request)
                except OSError:
                    request.left = request.left or time.monotonic()
                finally:
                    request.over.set()

            def play(self, reply: Reply, request: Request) -> None:
                started = False
                for step in reply.steps:
                    if isinstance(step, int | float):
                        if self.client_leaves_within(step):
                            request.left = time.monotonic()
                            return
                        continue
                    if callable(step):
                        step()
                        continue
                    if not started:
                        self.send_response(reply.status)
                        for name, value in (*reply.headers.items(), ("Transfer-Encoding", "chunked")):
                            self.send_header(name, value)
                        self.end_headers()
                        started = True
                    if step is CUT:
                        self.connection.shutdown(socket.SHUT_RDWR)
                        return
                    self.chunk(step)
                self.wfile.write(b"0\r\n\r\n")

            def chunk(self, step: object) -> None:
                text = json.dumps(step) + "\n" if isinstance(step, dict) else step
                data = text.encode() if isinstance(text, str) else text
                assert isinstance(data, bytes)
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

            def client_leaves_within(self, seconds: float) -> bool:
                end = time.monotonic() + seconds
                while time.monotonic() < end and not script._closing.is_set():
                    readable, _, _ = select.select([self.connection], [], [], min(0.01, seconds))
                    if readable and not self.connection.recv(1, socket.MSG_PEEK):
                        return True
                return False

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
                """Say nothing: the test output is for the tests."""

        return Handler
