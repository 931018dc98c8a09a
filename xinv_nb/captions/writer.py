"""Has a local model reword the narrator's sentences, one at a time, and keeps only what passes the check.

Unchecked words are never shown: until a sentence has passed, the reader sees the narrator's. One try each; whatever
goes wrong (no server, no model, a server that dies) leaves the built-in text standing and a line that says what to do.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from xinv_nb.captions.cache import AnswerCache, digest_of
from xinv_nb.captions.claims import contradiction, domain_of, same_claims, same_numbers
from xinv_nb.captions.narrator import BUILT_IN, Draft, as_caption, narrate, plan
from xinv_nb.captions.ollama import SEED, OllamaServer, OllamaUnavailable, Status
from xinv_nb.captions.prompt import rewording
from xinv_nb.run import Caption, Run

if TYPE_CHECKING:
    from collections.abc import Iterator

ModelChoice = str | Literal[False] | None
_LONGEST = 256
"""Tokens that one reworded sentence may take; long before, it is longer than `_too_long` allows."""
FIRST_TOKEN = 120.0
"""Seconds of silence before the first word: the server may have to load the model."""


@dataclass(frozen=True)
class Progress:
    """How far the writing is: the captions as they may be shown now, and which one is being worked on."""

    captions: tuple[Caption, ...]
    writer: str
    """Who writes, for the head of the view, such as `llama3.2:3b · local`."""
    hint: str = ""
    command: str = ""
    working_on: int | None = None


def write(
    run: Run,
    model: ModelChoice = None,
    level: str | None = None,
    language: str | None = None,
    host: str | None = None,
    stop: threading.Event | None = None,
    show: Callable[[Progress], None] | None = None,
) -> tuple[Caption, ...]:
    """Write the captions of `run` and return them; `show` is told of every step, `stop` ends it at the next token."""
    progress = Progress(narrate(run, level), "built-in text")
    for progress in _steps(run, model, level, language, host, stop or threading.Event()):
        if show is not None:
            show(progress)
    return progress.captions


def _steps(
    run: Run, model: ModelChoice, level: str | None, language: str | None, host: str | None, stop: threading.Event
) -> Iterator[Progress]:
    built_in = narrate(run, level)
    if model is False or run.evaluations == 0:
        yield Progress(built_in, "built-in text")
        return
    server = OllamaServer(host, allow_remote=host is not None, allow_cloud=() if model is None else (model,))
    found = _status(server, stop)
    if found is None:
        yield Progress(built_in, "built-in text")
        return
    name = model or (found.default.name if found.default else None)
    if not found.reachable or name is None:
        hint = "start Ollama for more" if found.command == "ollama serve" else found.text
        yield Progress(built_in, "built-in text", hint, found.command)
        return
    writer = f"{name} · {'local' if server.is_local else server.host}"
    voice = _Voice(server, name, found, level, language, names_of(run), stop)
    drafts = plan(run, level)
    try:
        for i, draft in enumerate(drafts):
            for j in range(len(draft.sentences)):
                yield Progress(tuple(map(as_caption, drafts)), writer, working_on=i)
                drafts[i] = _reworded(run, drafts[i], j, voice)
    except OllamaUnavailable as error:
        captions = tuple(map(as_caption, drafts))
        told = ("", "") if stop.is_set() else (str(error), error.command)
        written = any(caption.source != BUILT_IN for caption in captions)
        yield Progress(captions, writer if written else "built-in text", *told)
        return
    yield Progress(tuple(map(as_caption, drafts)), writer)


def names_of(run: Run) -> list[str]:
    """Return all names of the domain that a sentence about `run` may contain."""
    entries = run.entries()
    named = (name for entry in entries for name in (entry.label, entry.group, entry.name))
    return list(dict.fromkeys([*named, *run.history.watches]))


def _status(server: OllamaServer, stop: threading.Event) -> Status | None:
    """Return what the server says of itself, or None if `stop` came first: a server may be silent for seconds."""
    found: list[Status] = []
    thread = threading.Thread(target=lambda: found.append(server.status()), name="xinv-nb-status", daemon=True)
    thread.start()
    while thread.is_alive() and not stop.is_set():
        thread.join(0.05)
    return found[0] if found and not stop.is_set() else None


class _Voice:
    """One model on one server, asked to reword sentences for one reader."""

    def __init__(
        self,
        server: OllamaServer,
        model: str,
        status: Status,
        level: str | None,
        language: str | None,
        names: Sequence[str],
        stop: threading.Event,
    ) -> None:
        self.model, self.language, self.names = model, language, names
        self._server, self._level, self._stop = server, level, stop
        self._cache = AnswerCache()
        digest = next((m.digest for m in status.models if m.name in (model, f"{model}:latest")), "")
        self._known = {"model": model, "digest": digest, "server": status.version, "seed": str(SEED)}

    def reword(self, sentence: str) -> tuple[str, dict[str, str]]:
        """Return the model's wording of a sentence, unchecked, and what it depends on."""
        asked = rewording(sentence, self._level, self.language)
        provenance = self._known | {"prompt": digest_of([asked, _LONGEST, self._server.num_ctx])}
        known = self._cache.get(provenance) if provenance["digest"] else None
        if known is not None:
            return _cleaned(known), provenance
        text = ""
        with contextlib.closing(
            self._server.stream(
                self.model, asked, num_predict=_LONGEST, seed=SEED, stop=self._stop, first_token=FIRST_TOKEN
            )
        ) as pieces:
            for piece in pieces:
                text += piece
                if _too_long(text, sentence):
                    break
        if provenance["digest"]:
            self._cache.put(provenance, text)
        return _cleaned(text), provenance


def _reworded(run: Run, draft: Draft, j: int, voice: _Voice) -> Draft:
    """Return the draft with its sentence `j` as the model words it, or with the reason why that was not used."""
    sentence = draft.sentences[j]
    text, provenance = voice.reword(sentence.text)
    if _too_long(text, sentence.text):
        objection = "it is too long"
    elif voice.language:
        objection = same_numbers(text, sentence.text, voice.names)
    else:
        objection = same_claims(text, sentence.text, domain_of(run)) or contradiction(run, text, sentence.span)
    if objection:
        sentence = replace(sentence, dropped=objection)
    elif text != sentence.text:
        only_numbers = bool(voice.language)
        sentence = replace(sentence, text=text, source=voice.model, only_numbers=only_numbers, provenance=provenance)
    return replace(draft, sentences=(*draft.sentences[:j], sentence, *draft.sentences[j + 1 :]))


def _too_long(text: str, source: str) -> bool:
    """Whether the model has long ceased to reword: some never stop."""
    return len(text) > 3 * len(source) + 80


def _cleaned(text: str) -> str:
    """Return the answer as one line without the quotation marks that models like to put around it."""
    text = re.sub(r"\s+", " ", text).strip()
    if len(text) > 1 and text[0] + text[-1] in ('""', "“”", "''", "‘’", "„“"):
        text = text[1:-1].strip()
    return text if text.endswith((".", "!", "?")) or not text else text + "."


class CaptionWorker:
    """Writes captions on a thread of its own, one run at a time: the newest request wins."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(
        self,
        run: Run,
        show: Callable[[Progress], None],
        model: ModelChoice = None,
        level: str | None = None,
        language: str | None = None,
        host: str | None = None,
    ) -> None:
        """Write the captions of `run`; `show` is called on the worker's thread."""
        self.cancel()
        stop = self._stop = threading.Event()

        def work() -> None:
            try:
                captions = write(run, model, level, language, host, stop, lambda p: None if stop.is_set() else show(p))
            except Exception as error:  # noqa: BLE001 - nothing that goes wrong here may reach the user's notebook
                run.notices.append(f"The captions stay as they are: writing them failed ({type(error).__name__}).")
                return
            if not stop.is_set():
                run._captions = captions  # noqa: SLF001

        self._thread = threading.Thread(target=work, name="xinv-nb-captions", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Stop writing; the server stops generating."""
        self._stop.set()

    def wait(self, seconds: float) -> bool:
        """Wait until the writing is done; returns whether it is."""
        if self._thread is None:
            return True
        self._thread.join(seconds)
        return not self._thread.is_alive()
