"""The client for an Ollama server: what it offers, and a text stream that can be trusted and cut.

Built on the `ollama` package, which is imported only when a server is really asked. Added here is
what a notebook needs on top of it: time limits, a stop that works while the server is silent, one
kind of error in plain words, and the rule that nothing leaves this computer unless the user named
where it may go.
"""

from __future__ import annotations

import contextlib
import ipaddress
import math
import os
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from xinv_nb.captions.connection import Wire, parse_host, without_thinking
from xinv_nb.captions.faults import Faults, OllamaUnavailable, faults, stopped

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterator, Mapping, Sequence

    import ollama

CONTEXT = 4096
"""Tokens of context asked for: always the same number, because a change reloads the model."""

KEEP_ALIVE = "10m"
"""How long the server keeps a model in memory after its last answer."""

SEED = 1
LARGEST_DEFAULT = 8_000_000_000
"""A model of more bytes than this is never the default where a smaller one will do."""

SUGGESTED_MODEL = "llama3.2"

CONNECT_LIMIT = 2.0
STATUS_LIMIT = 2.0
ANSWER_LIMIT = 5.0
"""Seconds for a question that needs no model, such as the list of models."""

FIRST_TOKEN_LIMIT = 120.0
"""Seconds of silence at the start: the server may have to read gigabytes from a disk first."""

NEXT_TOKEN_LIMIT = 20.0


@dataclass(frozen=True)
class Model:
    """A model as the server lists it."""

    name: str
    digest: str
    size: int
    """Bytes on the server's disk."""
    local: bool
    """Whether it runs on the server itself, and not in a cloud behind it."""
    parameters: str = ""
    """For example "3.2B"."""
    quantization: str = ""
    """For example "Q4_K_M"."""


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
    """The model that `OllamaServer.default_model` would pick."""


class OllamaServer:
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
        self.allow_remote = allow_remote
        self.allow_cloud = frozenset(map(_full_name, allow_cloud))
        self.num_ctx = num_ctx
        self.spare_core = spare_core
        written = (host or os.environ.get("OLLAMA_HOST") or "").strip(" \t\"'")
        try:
            self.host = parse_host(written)
            self._readable = True
        except ValueError:
            self.host = written
            self._readable = False

    @property
    def _faults(self) -> Faults:
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

    def status(self) -> Status:
        """Whether the server answers and what it offers: never an exception, at most about 2 s."""
        started = time.monotonic()
        if refusal := self.refusal():
            return Status(False, str(refusal), refusal.command)
        try:
            # A closed port is the common case; answer it before importing anything heavy.
            url = urlsplit(self.host)
            address = (url.hostname or "", url.port or 0)
            socket.create_connection(address, CONNECT_LIMIT).close()
        except OSError:
            absent = self._faults.absent()
            return Status(False, str(absent), absent.command)
        default = None
        try:
            limit = max(0.1, STATUS_LIMIT - (time.monotonic() - started))
            with self._asking(limit) as (client, _):
                version = self._version(client)
                models = self._models(client)
                with contextlib.suppress(*faults()):
                    default = self._choose(client, models)
        except OllamaUnavailable as error:
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

    def version(self) -> str:
        """Return the server's version ("0.0.0" for a server that was built by hand)."""
        with self._asking(ANSWER_LIMIT) as (client, _):
            return self._version(client)

    def models(self) -> list[Model]:
        """List the server's models: those that run on it first, then by name."""
        with self._asking(ANSWER_LIMIT) as (client, _):
            return self._models(client)

    def default_model(self) -> Model | None:
        """Pick the best model for captions without asking anybody; None if there is none.

        It runs on the server itself and was made to answer (it has a chat template). Among those it
        is the largest of at most 8 GB, because larger ones are too slow on most computers; if all
        are larger, it is the smallest.
        """
        with self._asking(ANSWER_LIMIT) as (client, _):
            return self._choose(client, self._models(client))

    def preload(self, model: str, *, stop: threading.Event | None = None) -> bool:
        """Have the server load `model`, so that the first caption does not wait for it.

        Best effort: returns whether it is loaded, and raises nothing.
        """
        try:
            self._check(model, stop)
            with self._asking(FIRST_TOKEN_LIMIT, stop=stop, model=model) as (client, _):
                options = self._load_options()
                client.generate(model, "", options=options, keep_alive=KEEP_ALIVE)
        except OllamaUnavailable:
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
            # Rather an error than a prompt that is shortened silently. Servers since 0.12.6 know
            # these two; `ollama.Client.chat` does not, hence its inner `_request` below.
            "truncate": False,
            "shift": False,
        }
        if schema is not None:
            body["format"] = dict(schema)
        if "thinking" in capabilities:
            body["think"] = False  # left out, such a model thinks; sent to another, it is an error

        with self._asking(first_token, stop=stop, model=model) as (client, wire):
            import ollama

            parts = client._request(  # noqa: SLF001  # see "truncate" above
                ollama.ChatResponse, "POST", "/api/chat", json=body, stream=True
            )
            with contextlib.closing(parts):  # type: ignore[type-var]  # a generator, in truth
                for part in parts:
                    if wire.verdict:
                        break
                    if part.message.content:
                        wire.allow(math.inf)  # a slow reader is no fault of the server
                        yield part.message.content
                    wire.allow(next_token)
                    if part.done:
                        self._judge(part, model)
                        return
            raise ConnectionResetError  # the stream ended before the answer did

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
        with self._asking(ANSWER_LIMIT, stop=stop, model=model) as (client, _):
            shown = _raw(client, "POST", "/api/show", {"model": model})
        if objection := self._objection(model, shown):
            raise objection
        return shown.get("capabilities") or ()

    def _objection(self, model: str, shown: Mapping[str, Any]) -> OllamaUnavailable | None:
        if _is_cloud(model, shown) and _full_name(model) not in self.allow_cloud:
            return OllamaUnavailable(
                f"{model} runs in a cloud, and what happened in this run would be sent there.",
                "Choose a local model, or name this one as allowed.",
            )
        # Servers before 0.6.4 do not tell capabilities.
        if "completion" not in (shown.get("capabilities") or ["completion"]):
            return OllamaUnavailable(f"{model} does not write text.", "Choose a chat model.")
        # A prompt and nothing around it: the model continues a text, it answers no question. Newer
        # models have a renderer, which is part of the server, in place of the template.
        template = "".join(str(shown.get("template", "")).split())
        if template in ("", "{{.Prompt}}") and not shown.get("renderer"):
            return OllamaUnavailable(
                f"{model} is a base model without a chat template and cannot answer.",
                "Choose a chat model.",
            )
        return None

    def _load_options(self) -> dict[str, Any]:
        """Return the options that decide how the model is loaded, the same in every request."""
        options = {"num_ctx": self.num_ctx}
        if self.spare_core and self.is_local:
            options["num_thread"] = max(1, _cores() - 1)
        return options

    def _version(self, client: ollama.Client) -> str:
        return str(_raw(client, "GET", "/api/version")["version"])

    def _models(self, client: ollama.Client) -> list[Model]:
        found = []
        for entry in _raw(client, "GET", "/api/tags")["models"] or ():
            name = str(entry.get("name") or entry["model"])
            details = entry.get("details") or {}
            found.append(
                Model(
                    name=name,
                    digest=str(entry.get("digest", "")),
                    size=int(entry.get("size") or 0),
                    local=not _is_cloud(name, entry),
                    parameters=str(details.get("parameter_size") or ""),
                    quantization=str(details.get("quantization_level") or ""),
                )
            )
        return sorted(found, key=lambda model: (not model.local, model.name))

    def _choose(self, client: ollama.Client, models: Sequence[Model]) -> Model | None:
        import ollama

        def preference(model: Model) -> tuple[bool, int]:
            too_large = model.size > LARGEST_DEFAULT
            return too_large, model.size if too_large else -model.size

        for model in sorted((m for m in models if m.local), key=preference):
            # One broken model on the server's disk must not hide the others.
            with contextlib.suppress(ollama.ResponseError):
                shown = _raw(client, "POST", "/api/show", {"model": model.name})
                if not _is_cloud(model.name, shown) and not self._objection(model.name, shown):
                    return model
        return None

    @contextlib.contextmanager
    def _asking(
        self, limit: float, *, stop: threading.Event | None = None, model: str = ""
    ) -> Iterator[tuple[ollama.Client, Wire]]:
        """Lend a client for one question; whatever fails becomes one plain error."""
        if refusal := self.refusal():
            raise refusal
        if stop is not None and stop.is_set():
            raise stopped()
        import httpx
        import ollama

        wire = Wire(limit, stop)
        client = ollama.Client(
            self.host,
            timeout=httpx.Timeout(limit, connect=min(limit, CONNECT_LIMIT)),
            trust_env=False,
            follow_redirects=False,
            verify=self.host.startswith("https:"),  # reading certificates takes 15 ms
            event_hooks={"request": [wire.prepare]},
        )
        try:
            with wire, contextlib.closing(client._client):  # noqa: SLF001  # older ones have no close()
                yield client, wire
        except faults() as error:
            raise self._faults.plainly(error, wire.verdict, wire.limit, model) from error


def _raw(client: ollama.Client, method: str, path: str, body: object = None) -> dict[str, Any]:
    """Ask, and keep the fields of the answer that the client's own types would drop."""
    answer = client._request_raw(method, path, json=body)  # type: ignore[no-untyped-call]  # noqa: SLF001
    found = answer.json()
    if not isinstance(found, dict):
        raise TypeError(f"{path} gave no object")
    return found


def _full_name(model: str) -> str:
    return model if ":" in model.rpartition("/")[2] else f"{model}:latest"


def _is_cloud(model: str, described: Mapping[str, Any]) -> bool:
    """Whether a model runs elsewhere: its name can say so, or what the server tells of it."""
    tag = _full_name(model).rpartition(":")[2].lower()
    named = tag == "cloud" or tag.endswith("-cloud")
    return named or bool(described.get("remote_host") or described.get("remote_model"))


def _cores() -> int:
    """Return the processor cores that this process may use, each counted once where it runs two threads.

    A model that runs more threads than there are free cores becomes many times slower, not a little.
    """
    try:
        usable = os.sched_getaffinity(0)
    except AttributeError:  # not on every system; those without it mostly have no such cores
        return os.cpu_count() or 1
    cores = set()
    for processor in usable:
        folder = Path(f"/sys/devices/system/cpu/cpu{processor}/topology")
        try:
            cores.add(((folder / "physical_package_id").read_text(), (folder / "core_id").read_text()))
        except OSError:
            return len(usable)
    return len(cores)
