"""A library of models on this machine, from which a real Ollama server downloads one without the internet."""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PIECE = 1 << 18
SLOW = 0.2
"""Seconds between two pieces that are sent slowly."""


class Registry:
    """Hands out the one model of a server's folder in pieces, at first quickly and then slowly."""

    def __init__(self, models: Path) -> None:
        self.quick = math.inf
        """Bytes that are sent as quickly as may be; those that follow take their time."""
        self.sent = 0
        """Bytes of layers so far."""
        registry = self
        (manifest,) = (path for path in (models / "manifests").rglob("*") if path.is_file())

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                self.answer(body=False)

            def do_GET(self) -> None:
                self.answer(body=True)

            def answer(self, *, body: bool) -> None:
                digest = self.path.rpartition("/")[2]
                path = manifest if "/manifests/" in self.path else models / "blobs" / digest.replace(":", "-")
                if body and "/blobs/" in self.path:
                    # As the real library does: the layers themselves lie with another host.
                    self.send_response(307)
                    self.send_header("Location", f"http://localhost:{registry.port}/layers/{digest}")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                size = path.stat().st_size
                asked = re.match(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
                first, last = (int(asked[1]), min(int(asked[2]), size - 1)) if asked else (0, size - 1)
                self.send_response(206 if asked else 200)
                self.send_header("Content-Length", str(last - first + 1))
                self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
                self.end_headers()
                if body:
                    self.send(path.read_bytes()[first : last + 1], counts=path != manifest)

            def send(self, content: bytes, *, counts: bool) -> None:
                try:
                    for start in range(0, len(content), PIECE):
                        self.wfile.write(content[start : start + PIECE])
                        registry.sent += len(content[start : start + PIECE]) * counts
                        if registry.sent >= registry.quick:
                            time.sleep(SLOW)
                except OSError:  # the server was told to stop
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
                """Say nothing: the test output is for the tests."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.address = f"127.0.0.1:{self.port}"


@contextmanager
def serving_models(models: Path) -> Iterator[Registry]:
    """Serve the model in a server's folder of models."""
    registry = Registry(models)
    threading.Thread(target=registry.server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield registry
    finally:
        registry.quick = math.inf
        registry.server.shutdown()
        registry.server.server_close()
