"""The client for an Ollama server: what it offers, and a text stream that can be trusted and cut.

It speaks over `httpx` in the types of the `ollama` package; both are imported only when a server is really asked. Here
is what a notebook needs and `ollama.Client` has not: time limits, a stop that works while the server is silent, one
kind of error in plain words, and the rule that nothing leaves this computer unless the user named where it may go.
"""

from __future__ import annotations

import contextlib
import logging
import math
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from xinv_nb.models.server.address import Address
from xinv_nb.models.server.connection import CONNECT_LIMIT, without_thinking
from xinv_nb.models.server.cores import cores
from xinv_nb.models.server.faults import OllamaUnavailable, faults
from xinv_nb.models.server.models import SUGGESTED_MODEL, Model, best, full_name, listed, objection

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Mapping, Sequence

    import ollama

_log = logging.getLogger(__name__)

CONTEXT = 4096
"""Tokens of context asked for: always the same number, because a change reloads the model."""

KEEP_ALIVE = "10m"
"""How long the server keeps a model in memory after its last answer."""

SEED = 1
STATUS_LIMIT = 2.0
ANSWER_LIMIT = 5.0
"""Seconds for a question that needs no model, such as the list of models."""

FIRST_TOKEN_LIMIT = 120.0
"""Seconds of silence at the start: the server may have to read gigabytes from a disk first."""

NEXT_TOKEN_LIMIT = 20.0


@dataclass(frozen=True)
class Status:
    """What is to be known of a server before it is used."""

    reachable: bool
    text: str
    """One line for the reader."""
    command: str = ""
    """A shell command that helps, or ""."""
    version: str = ""
    models: tuple[Model, ...] = ()
    default: Model | None = None
    """The model to ask where none is named."""


class OllamaServer(Address):
    """An Ollama server at `host` (None: the variable OLLAMA_HOST, else this computer).

    Only a server on this computer, and only a model that runs there, is used. `allow_remote=True`
    says that the user has named this host; `allow_cloud` holds the names of the cloud models that
    the user has named. `OLLAMA_API_KEY` is never sent, proxies of the environment are never used,
    and redirects are not followed, so that text cannot take another way out.

    `num_ctx` is the context in tokens. `spare_core=True` leaves one processor core to the
    simulation. Both belong to the server and not to a request: changing either reloads the model.

    Making one contacts nobody. Any thread may use it; it holds no connection between calls.
    """

    def __init__(
        self,
        host: str | None = None,
        *,
        allow_remote: bool = False,
        allow_cloud: Collection[str] = (),
        num_ctx: int = CONTEXT,
        spare_core: bool = False,
    ) -> None:
        super().__init__(host, allow_remote)
        self.allow_cloud = frozenset(map(full_name, allow_cloud))
        self.num_ctx = num_ctx
        self.spare_core = spare_core

    def status(self, stop: threading.Event | None = None) -> Status:
        """Whether the server answers and what it offers: never an exception, at most about 2 s; `stop` ends it."""
        started = time.monotonic()
        if refusal := self.refusal():
            return Status(False, str(refusal), refusal.command)
        try:
            # A closed port is the common case; answer it before importing anything heavy.
            url = urlsplit(self.host)
            address = (url.hostname or "", url.port or 0)
            socket.create_connection(address, CONNECT_LIMIT).close()
        except OSError:
            absent = self.faults.absent()
            return Status(False, str(absent), absent.command)
        default = None
        try:
            limit = max(0.1, STATUS_LIMIT - (time.monotonic() - started))
            with self.asking(limit, stop=stop) as connection:
                version = str(connection.ask("/api/version")["version"])
                models = listed(connection)
                with contextlib.suppress(*faults()):
                    default = best(connection, models)
        except OllamaUnavailable as error:
            _log.debug("The server at %s is of no use.", self.host, exc_info=True)
            return Status(False, str(error), error.command)

        text = f"Ollama answers at {self.host}"
        pull = f"ollama pull {SUGGESTED_MODEL}"
        if default:
            count = f"{len(models)} models" if len(models) > 1 else "1 model"
            text, command = f"{text} with {count}; the default is {default.name}.", ""
        elif models:
            text = f"{text}, but no local chat model was found there. Get one with `{pull}`."
            command = pull
        else:
            text, command = f"{text}, but it has no model yet. Get one with `{pull}`.", pull
        return Status(True, text, command, version, tuple(models), default)

    def preload(self, model: str, *, stop: threading.Event | None = None) -> bool:
        """Have the server load `model`, so that the first caption does not wait for it.

        Best effort: returns whether it is loaded, and raises nothing.
        """
        try:
            self._check(model, stop)
            with self.asking(FIRST_TOKEN_LIMIT, stop=stop, model=model) as connection:
                how = {"options": self._load_options(), "keep_alive": KEEP_ALIVE}
                connection.ask("/api/generate", {"model": model, "stream": False, **how})
        except OllamaUnavailable:
            _log.debug("%s could not be loaded.", model, exc_info=True)
            return False
        return True

    def stream(
        self,
        model: str,
        messages: Sequence[Mapping[str, str]],
        *,
        schema: Mapping[str, object] | None = None,
        num_predict: int = 256,
        seed: int = SEED,
        stop: threading.Event | None = None,
        first_token: float = FIRST_TOKEN_LIMIT,
        next_token: float = NEXT_TOKEN_LIMIT,
    ) -> Generator[str, None, None]:
        """Yield the model's answer to `messages`, piece by piece; `schema` is a JSON schema for it.

        The iterator ends only if the answer is complete: the server said that the model stopped by
        itself. In all other cases it raises `OllamaUnavailable`, and the pieces so far are to be
        thrown away. Text between `<think>` and `</think>` is left out. Nothing is sent before the
        first piece is asked for.

        Setting `stop`, from any thread, ends the request within a few hundredths of a second, also
        while the server is silent; so does closing the iterator. Both close the connection, on
        which the server stops generating. (An iterator can be closed only between two pieces, by
        the thread that reads it; for all else there is `stop`.)
        """
        pieces = self._pieces(
            model,
            messages,
            schema=schema,
            options={"num_predict": num_predict, "temperature": 0.0, "seed": seed},
            stop=stop,
            first_token=first_token,
            next_token=next_token,
        )
        with contextlib.closing(pieces):
            yield from without_thinking(pieces, model)

    # ------------------------------------------------------------------ one request

    def _pieces(
        self,
        model: str,
        messages: Sequence[Mapping[str, str]],
        *,
        schema: Mapping[str, object] | None,
        options: Mapping[str, object],
        stop: threading.Event | None,
        first_token: float,
        next_token: float,
    ) -> Generator[str, None, None]:
        capabilities = self._check(model, stop)
        body: dict[str, object] = {
            "model": model,
            "messages": [dict(message) for message in messages],
            "stream": True,
            "options": {**self._load_options(), **options},
            "keep_alive": KEEP_ALIVE,
            # Rather an error than a prompt that is shortened silently. Servers since 0.12.6 know these two;
            # `ollama.Client.chat` cannot send them.
            "truncate": False,
            "shift": False,
        }
        if schema is not None:
            body["format"] = dict(schema)
        if "thinking" in capabilities:
            body["think"] = False  # left out, such a model thinks; sent to another, it is an error

        with self.asking(first_token, stop=stop, model=model) as connection:
            import ollama

            with contextlib.closing(connection.lines("/api/chat", body, ollama.ChatResponse)) as parts:
                for part in parts:
                    if part.message.content:
                        connection.allow(math.inf)  # a slow reader is no fault of the server
                        yield part.message.content
                    connection.allow(next_token)
                    if part.done:
                        self._judge(part, model)
                        return

    def _judge(self, last: ollama.ChatResponse, model: str) -> None:
        """Raise unless the last message says that the answer is complete and the prompt was."""
        # A server shortens a long prompt without a word, some to num_ctx and some to half of it
        # (plus two). A whole prompt of just that length is refused too: the safe mistake.
        read = last.prompt_eval_count or 0
        if read >= 0.98 * self.num_ctx or abs(read - self.num_ctx // 2) <= 8:
            raise OllamaUnavailable(
                f"Ollama seems to have read only a part of the prompt ({read} tokens).",
                "Describe a shorter part of the run.",
            )
        if last.done_reason == "length":
            raise OllamaUnavailable(
                f"{model} did not come to an end within the allowed length.",
                "Choose another model.",
            )
        if last.done_reason != "stop":
            raise OllamaUnavailable(
                f"Ollama ended the answer of {model} early ({last.done_reason or 'no reason'}).",
                "Try again.",
            )

    def _check(self, model: str, stop: threading.Event | None = None) -> Collection[str]:
        """Raise if the model may not or can not be used; returns what it is capable of."""
        with self.asking(ANSWER_LIMIT, stop=stop, model=model) as connection:
            shown = connection.ask("/api/show", {"model": model})
        if why := objection(model, shown, self.allow_cloud):
            raise why
        return shown.get("capabilities") or ()

    def _load_options(self) -> dict[str, Any]:
        """Return the options that decide how the model is loaded, the same in every request."""
        options = {"num_ctx": self.num_ctx}
        if self.spare_core and self.is_local:
            options["num_thread"] = max(1, cores() - 1)
        return options
