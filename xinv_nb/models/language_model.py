"""One model on one server, asked for the wording of sentences; what it answers is not checked here."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections.abc import Callable, Generator, Mapping, Sequence

from xinv_nb.models.cache import AnswerCache
from xinv_nb.models.prompt import paragraph, rewording, schema
from xinv_nb.models.queue import REQUESTS
from xinv_nb.models.server.faults import stopped
from xinv_nb.models.server.models import is_suggested
from xinv_nb.models.server.ollama import SEED, OllamaServer, Status
from xinv_nb.words.digest import digest_of

_Enough = Callable[[str], bool]
_LONGEST = 256
"""Tokens that one reworded sentence may take; long before, it is longer than `too_long` allows."""


_REMEMBERED: dict[str, str] = {}
"""What this process knows of models, for those who keep nothing on disk."""


class LanguageModel:
    """A model that words sentences for one reader, remembering what it answered.

    A request waits for its turn; the one that was made last goes first.
    """

    def __init__(
        self,
        server: OllamaServer,
        name: str,
        status: Status,
        level: str | None,
        stop: threading.Event,
    ) -> None:
        self.name, self.level, self.stop = name, level, stop
        self._server, self._cache, self._ticket = server, AnswerCache(), REQUESTS.ticket()
        digest = next((m.digest for m in status.models if m.name in (name, f"{name}:latest")), "")
        self.known = {"model": name, "digest": digest, "server": status.version, "seed": str(SEED)}
        """What its answers depend on beside the prompt."""
        self.suggested = next((m.name for m in status.models if m.local and is_suggested(m.name)), "")
        """The model that is suggested where this one is too small, if the server has it."""

    def sentence(self, text: str) -> tuple[str, dict[str, str]]:
        """Return the model's wording of a sentence, and what it depends on."""
        asked = rewording(text, self.level)
        provenance = self._provenance(asked, _LONGEST)
        answer = "".join(self._answer(asked, provenance, _LONGEST, lambda so_far: too_long(so_far, text)))
        return cleaned(answer), provenance

    def sentences(self, texts: Sequence[str], question: str = "") -> tuple[Generator[str, None, None], dict[str, str]]:
        """Return the model's wording of sentences as a paragraph, one by one as they are complete, and its origin."""
        asked = paragraph(texts, self.level, question)
        source = "\n".join(texts)
        most = len(texts)
        limit = _LONGEST + len(source) // 2
        form = schema(most)
        provenance = self._provenance([asked, form], limit)

        pieces = self._answer(asked, provenance, limit, lambda so_far: too_long(so_far, source), form)
        return _complete_sentences(pieces), provenance

    def make_ready(self) -> None:
        """Have the server load the model, so that the first wording does not wait for it."""
        with REQUESTS.turn(self._ticket, self.stop) as granted:
            if granted:
                self._server.preload(self.name, stop=self.stop)

    def remembered(self, key: Mapping[str, str]) -> str | None:
        """Return what was remembered of this model under `key`."""
        known = _REMEMBERED.get(self._name_of(key))
        return known if known is not None or not self.known["digest"] else self._cache.get({**self.known, **key})

    def remember(self, key: Mapping[str, str], text: str) -> None:
        """Remember something of this model: in this process, and on disk where the server tells the model's digest."""
        _REMEMBERED[self._name_of(key)] = text
        if self.known["digest"]:
            self._cache.put({**self.known, **key}, text)

    def _name_of(self, key: Mapping[str, str]) -> str:
        return digest_of([self._server.host, self.known, dict(key)])

    def _provenance(self, asked: object, longest: int) -> dict[str, str]:
        return self.known | {"prompt": digest_of([asked, longest, self._server.num_ctx])}

    def _answer(
        self,
        asked: Sequence[Mapping[str, str]],
        provenance: Mapping[str, str],
        longest: int,
        enough: _Enough,
        form: Mapping[str, object] | None = None,
    ) -> Generator[str, None, None]:
        """Yield the answer in pieces: at once where it is remembered; broken off where it is `enough`."""
        known = self._cache.get(provenance) if provenance["digest"] else None
        if known is not None:
            yield known
            return
        text = ""
        with REQUESTS.turn(self._ticket, self.stop) as granted:
            if not granted:
                raise stopped()
            stream = self._server.stream(self.name, asked, schema=form, num_predict=longest, seed=SEED, stop=self.stop)
            with contextlib.closing(stream) as pieces:
                for piece in pieces:
                    text += piece
                    yield piece
                    if enough(text):
                        break
        if provenance["digest"]:
            self._cache.put(provenance, text)


def too_long(text: str, source: str) -> bool:
    """Whether the model has long ceased to reword: some never stop."""
    return len(text) > 3 * len(source) + 80


def cleaned(text: str) -> str:
    """Return an answer as one line without the quotation marks that models like to put around it."""
    text = re.sub(r"\s+", " ", text).strip()
    if len(text) > 1 and text[0] + text[-1] in ('""', "“”", "''", "‘’", "„“"):
        text = text[1:-1].strip()
    return text if text.endswith((".", "!", "?")) or not text else text + "."


_OPENING = re.compile(r'\s*\{\s*"sentences"\s*:\s*\[')
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(?=[,\]])')


def _complete_sentences(pieces: Generator[str, None, None]) -> Generator[str, None, None]:
    """Yield the sentences of an answer as soon as each is complete.

    An answer that is no JSON (some models do not keep to a schema) is read as plain text, when it is at its end.
    """
    text, found, begin = "", 0, -1
    with contextlib.closing(pieces):
        for piece in pieces:
            text += piece
            if begin < 0 and (opening := _OPENING.match(text)):
                begin = opening.end()
            for match in _STRING.finditer(text, begin) if begin >= 0 else ():
                begin = match.end()
                found += 1
                yield from _split(_unescaped(match[1]))
    if not found:
        yield from _split(_plain(text))


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except (ValueError, RecursionError):
        return ""


def _plain(text: str) -> str:
    """Return the words of an answer in another form than was asked for."""
    try:
        known = json.loads(text)
    except (ValueError, RecursionError):
        return "" if text.lstrip().startswith(("{", "[")) else text
    found = known.get("sentences", []) if isinstance(known, dict) else known
    return " ".join(map(str, found)) if isinstance(found, list) else str(found)


def _split(text: str) -> list[str]:
    """Split a text into its sentences."""
    parts = re.split(r"(?<=[.!?])\s+(?=[^\W\d_])", re.sub(r"\s+", " ", text).strip())
    return [cleaned(part) for part in parts if part.strip()]
