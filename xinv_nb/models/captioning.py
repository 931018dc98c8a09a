"""From a run to captions: the narrator's at once, then a model's words wherever they pass the check.

Whatever goes wrong (no server, no model, a server that dies, a model too small to help) leaves the built-in text
standing and a line that says what to do.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from xinv_nb.models.language_model import LanguageModel
from xinv_nb.models.languages import not_there_yet
from xinv_nb.models.rewording import reword
from xinv_nb.models.server.faults import OllamaUnavailable
from xinv_nb.models.server.models import SUGGESTED_MODEL, is_cloud, is_suggested
from xinv_nb.models.server.ollama import OllamaServer
from xinv_nb.models.trial import ability, known_ability
from xinv_nb.recorded.captions import Caption
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.words.draft import BUILT_IN, Draft, as_caption
from xinv_nb.words.names import with_coordinates, with_parts
from xinv_nb.words.narrator import narrate, plan, plan_span
from xinv_nb.words.questions import draft_answer, not_shown
from xinv_nb.words.what_if import what_to_try

_log = logging.getLogger(__name__)

ModelChoice = str | Literal[False] | None


@dataclass(frozen=True)
class Explaining:
    """Who is to write, and for whom."""

    model: ModelChoice = None
    """A model of the server; None for its default one, False for none."""
    level: str | None = None
    language: str | None = None
    """English where None; in any other, nothing but the built-in text is shown (see `languages`)."""
    host: str | None = None


@dataclass(frozen=True)
class Progress:
    """How far the writing is: the captions as they may be shown now, and which one is being worked on."""

    captions: tuple[Caption, ...]
    writer: str
    """Who writes, for the head of the view, such as `llama3.2:3b · local`."""
    hint: str = ""
    command: str = ""
    working_on: int | None = None
    missing: str = ""
    """A model that would help and that the server can get, or ""; nothing downloads it until the reader says so."""


def write(
    run: RecordedRun,
    explaining: Explaining | None = None,
    stop: threading.Event | None = None,
    show: Callable[[Progress], None] | None = None,
) -> tuple[Caption, ...]:
    """Write the captions of `run` and return them; `show` is told of every step, `stop` ends it at the next token."""
    explaining = explaining or Explaining()
    if run.evaluations == 0:
        progress = Progress(narrate(run, explaining.level), "built-in text")
        if show is not None:
            show(progress)
        return progress.captions
    return write_drafts(run, plan(run, explaining.level), explaining, stop, show)


def write_span(
    run: RecordedRun,
    span: tuple[int, int],
    explaining: Explaining,
    stop: threading.Event | None = None,
    show: Callable[[Progress], None] | None = None,
) -> Caption:
    """Write the caption of one stretch of a run; raises `XinvError` where there is no such stretch."""
    return write_drafts(run, [plan_span(run, span, explaining.level)], explaining, stop, show)[0]


def answer(
    run: RecordedRun,
    question: str,
    explaining: Explaining,
    span: tuple[int, int] | None = None,
    stop: threading.Event | None = None,
    show: Callable[[Progress], None] | None = None,
) -> Caption:
    """Answer a question by the facts that bear on it, or say that the recording does not show it."""
    if span is not None:
        last = run.evaluations - 1
        span = (min(max(span[0], 0), last), min(max(span[1], 0), last)) if run.evaluations else None
    asked = with_parts(run, with_coordinates(run, question))
    if (tried := what_to_try(run, asked)) is not None:
        return replace(tried, heading=question)  # a call to paste, of which no word may be another
    draft = replace(draft_answer(run, asked, span), heading=question)
    if not draft.sentences:
        return replace(not_shown(run, asked, span), heading=question)
    return write_drafts(run, [draft], explaining, stop, show, question)[0]


def write_drafts(
    run: RecordedRun,
    drafts: Sequence[Draft],
    explaining: Explaining,
    stop: threading.Event | None = None,
    show: Callable[[Progress], None] | None = None,
    question: str = "",
) -> tuple[Caption, ...]:
    """Have a model reword drafts, and return the captions that they make; `question` is what they are to answer."""
    captions = tuple(map(as_caption, drafts))
    for progress in _steps(run, list(drafts), explaining, stop or threading.Event(), question):
        captions = progress.captions
        if show is not None:
            show(progress)
    return captions


def _steps(
    run: RecordedRun, drafts: list[Draft], explaining: Explaining, stop: threading.Event, question: str
) -> Iterator[Progress]:
    def shown(writer: str, hint: str = "", command: str = "", missing: str = "", on: int | None = None) -> Progress:
        return Progress(tuple(map(as_caption, drafts)), writer, hint, command, on, missing)

    if explaining.model is False:
        yield shown("built-in text", not_there_yet(explaining.language))
        return
    found = find_model(explaining, stop)
    if isinstance(found, NoModel):
        yield shown("built-in text", found.hint, found.command, found.missing)
        return
    model, writer = found
    try:
        if known_ability(model) is None:
            yield shown("built-in text", f"trying out {model.name}", on=0)
        manner = ability(model).manner
        if manner == "none":
            if explaining.model is None and model.suggested not in ("", model.name):
                yield from _steps(run, drafts, explaining, stop, question)
            else:
                yield shown("built-in text", *too_small(model))
            return
        for i, draft in enumerate(drafts):
            yield shown(writer, on=i)
            for drafts[i] in reword(run, draft, model, manner, question):
                yield shown(writer, on=i)
    except OllamaUnavailable as error:
        _log.debug("%s wrote no more.", model.name, exc_info=True)
        written = any(s.source != BUILT_IN for draft in drafts for s in draft.sentences)
        missing = "" if is_cloud(error.missing, {}) else error.missing
        told = ("", "", "") if stop.is_set() else (str(error), error.command, missing)
        yield shown(writer if written else "built-in text", *told)
        return
    yield shown(writer)


def too_small(model: LanguageModel) -> tuple[str, str, str]:
    """Return what the reader is told of a model that did not pass, the command that may help, and what it gets."""
    why = f"{model.name} is too small to keep to the facts"
    if is_suggested(model.name):
        return why, "", ""
    if model.suggested:
        return f"{why}. {model.suggested} is there as well: choose it with --model.", "", ""
    return why, f"ollama pull {SUGGESTED_MODEL}", SUGGESTED_MODEL


# ---------------------------------------------------------------------- who is asked


@dataclass(frozen=True)
class NoModel:
    """Why no model is asked, the command that helps, and the model that it gets."""

    hint: str = ""
    command: str = ""
    missing: str = ""


def find_model(explaining: Explaining, stop: threading.Event) -> tuple[LanguageModel, str] | NoModel:
    """Return the model that is to write and what it is called in the head of the view, or why there is none."""
    if why := not_there_yet(explaining.language):
        return NoModel(why)
    named, host = explaining.model or None, explaining.host
    server = OllamaServer(
        host, allow_remote=host is not None, allow_cloud=() if named is None else (named,), spare_core=True
    )
    status = server.status(stop)
    if stop.is_set():
        return NoModel()
    name = named or (status.default.name if status.default else None)
    if not status.reachable:
        return NoModel("start Ollama for more" if status.command == "ollama serve" else status.text, status.command)
    if name is None:
        return NoModel(status.text, status.command, SUGGESTED_MODEL)
    model = LanguageModel(server, name, status, explaining.level, stop)
    if named is None and model.suggested and _is_of_no_help(model):
        model = LanguageModel(server, model.suggested, status, explaining.level, stop)
    return model, f"{model.name} · {'local' if server.is_local else server.host}"


def _is_of_no_help(model: LanguageModel) -> bool:
    """Whether the model has been tried out and did not pass."""
    ability = known_ability(model)
    return ability is not None and ability.manner == "none"
