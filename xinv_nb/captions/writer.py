"""Has a local model reword the narrator's sentences, one at a time, and keeps only what passes the check.

Unchecked words are never shown: until a sentence has passed, the reader sees the narrator's. One try each; whatever
goes wrong (no server, no model, a server that dies) leaves the built-in text standing and a line that says what to do.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from xinv_nb.captions.claims import numbers_in, same_claims
from xinv_nb.captions.narrator import Draft, as_caption, narrate, plan
from xinv_nb.captions.ollama import OllamaServer, OllamaUnavailable
from xinv_nb.captions.prompt import rewording
from xinv_nb.run import Caption, Run

if TYPE_CHECKING:
    from collections.abc import Iterator

ModelChoice = str | Literal[False] | None
_LONGEST = 96
"""Tokens that one reworded sentence may take."""


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
    progress = Progress(narrate(run), "built-in text")
    for progress in _steps(run, model, level, language, host, stop or threading.Event()):
        if show is not None:
            show(progress)
    return progress.captions


def _steps(
    run: Run, model: ModelChoice, level: str | None, language: str | None, host: str | None, stop: threading.Event
) -> Iterator[Progress]:
    built_in = narrate(run)
    if model is False or run.evaluations == 0:
        yield Progress(built_in, "built-in text")
        return
    server = OllamaServer(host, allow_remote=host is not None, allow_cloud=() if model is None else (model,))
    found = server.status()
    name = model or (found.default.name if found.default else None)
    if not found.reachable or name is None:
        yield Progress(built_in, "built-in text", _hint(found.reachable, found.text), found.command)
        return
    where = "local" if server.is_local else server.host
    writer = f"{name} · {where}"
    names = [*(entry.label for entry in run.entries()), *run.watches]
    drafts = plan(run)
    try:
        for i, draft in enumerate(drafts):
            for j in range(len(draft.sentences)):
                yield Progress(tuple(map(as_caption, drafts)), writer, working_on=i)
                drafts[i] = _reworded(drafts[i], j, server, name, level, language, names, stop)
                if stop.is_set():
                    return
    except OllamaUnavailable as error:
        yield Progress(tuple(map(as_caption, drafts)), "built-in text", str(error), error.command)
        return
    yield Progress(tuple(map(as_caption, drafts)), writer)


def _hint(reachable: bool, text: str) -> str:
    return text if reachable else "start Ollama for more"


def _reworded(
    draft: Draft,
    j: int,
    server: OllamaServer,
    model: str,
    level: str | None,
    language: str | None,
    names: Sequence[str],
    stop: threading.Event,
) -> Draft:
    """Return the draft with its sentence `j` as the model words it, or with the reason why that was not used."""
    sentence = draft.sentences[j]
    text = _cleaned(
        "".join(server.stream(model, rewording(sentence.text, level, language), num_predict=_LONGEST, stop=stop))
    )
    if language:
        objection = "" if numbers_in(text) == numbers_in(sentence.text) else "its numbers are not those of the facts"
    else:
        objection = same_claims(text, sentence.text, names)
    if objection:
        sentence = replace(sentence, dropped=objection)
    elif text != sentence.text:
        sentence = replace(sentence, text=text, source=model)
    return replace(draft, sentences=(*draft.sentences[:j], sentence, *draft.sentences[j + 1 :]))


def _cleaned(text: str) -> str:
    """Return the answer as one line without the quotation marks that models like to put around it."""
    text = re.sub(r"\s+", " ", text).strip().strip("\"“”'")
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
            captions = write(run, model, level, language, host, stop, lambda p: None if stop.is_set() else show(p))
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
