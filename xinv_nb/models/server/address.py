"""Where a server is, whether it may be asked, and one question put to it: nothing leaves for a place nobody named."""

from __future__ import annotations

import contextlib
import ipaddress
import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from xinv_nb.models.server.connection import Connection
from xinv_nb.models.server.faults import Faults, OllamaUnavailable, faults, stopped

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator


class Address:
    """The computer at `host` (None: the variable OLLAMA_HOST, else this one) that Ollama is to answer on.

    `allow_remote=True` says that the user has named it; without that, only this computer is asked.
    """

    def __init__(self, host: str | None = None, allow_remote: bool = False) -> None:
        self.allow_remote = allow_remote
        written = (host or os.environ.get("OLLAMA_HOST") or "").strip(" \t\"'")
        try:
            self.host = parse_address(written)
            self._readable = True
        except ValueError:
            self.host = written
            self._readable = False

    @property
    def faults(self) -> Faults:
        """The words for what goes wrong with it."""
        return Faults(self.host, self.is_local)

    @property
    def is_local(self) -> bool:
        """Whether the server is on this computer."""
        if not self._readable:
            return False
        name = urlsplit(self.host).hostname or ""
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return name == "localhost"

    def refusal(self) -> OllamaUnavailable | None:
        """Why this host must not be asked, or None if it may be."""
        if not self._readable:
            return OllamaUnavailable(
                f"{self.host!r} is not the address of a server.",
                "Write it like http://127.0.0.1:11434.",
            )
        if not self.is_local and not self.allow_remote:
            return OllamaUnavailable(
                f"{self.host} is another computer, and what happened in this run would be sent to it.",
                "Name this host yourself to allow that.",
            )
        return None

    @contextlib.contextmanager
    def asking(self, limit: float, *, stop: threading.Event | None = None, model: str = "") -> Iterator[Connection]:
        """Lend a connection for one question; whatever fails becomes one plain error."""
        if refusal := self.refusal():
            raise refusal
        if stop is not None and stop.is_set():
            raise stopped()
        connection = Connection(self.host, limit, stop)
        try:
            with connection:
                yield connection
        except faults() as error:
            raise self.faults.plainly(error, connection.verdict, connection.limit, model) from error


def parse_address(text: str) -> str:
    """Make the address of a server from what a user writes, by the rules of Ollama's own clients.

    "" is this computer; without `http://` the port is 11434; 0.0.0.0, which a server listens on,
    is reached at 127.0.0.1. Raises `ValueError` for what is no address.
    """
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(text).version == 6:
            text = f"[{text}]"
    url = urlsplit(text if "://" in text else f"http://{text}")
    if url.scheme not in ("http", "https") or " " in text or not text.isprintable():
        raise ValueError(f"not the address of a server: {text!r}")
    usual = {"http": 80, "https": 443}[url.scheme] if "://" in text else 11434
    name = url.hostname or "127.0.0.1"
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(name, name)
    name.encode("idna")  # raises a ValueError for what cannot be the name of a computer
    name = f"[{name}]" if ":" in name else name
    return urlunsplit((url.scheme, f"{name}:{url.port or usual}", url.path.rstrip("/"), "", ""))
