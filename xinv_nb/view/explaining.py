"""Brings words into the widget: the run's captions, those of a stretch, answers; built-in at once, then a model's.

Everything that asks a server happens on a worker's thread; what is sent from there is what has been checked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Protocol

from xinv_nb.errors import XinvError
from xinv_nb.facts.analysis import phases_of
from xinv_nb.models.captioning import Explaining, Progress, answer, write_drafts, write_span
from xinv_nb.models.languages import not_there_yet
from xinv_nb.models.worker import CaptionWorker
from xinv_nb.recorded.captions import Caption
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.recorded.writer import RunWriter
from xinv_nb.view.downloading import Downloading
from xinv_nb.view.head import Writer
from xinv_nb.words.draft import BUILT_IN, Draft, as_caption
from xinv_nb.words.narrator import plan

Span = tuple[int, int]


class Explained(Protocol):
    """What is told of the words of a run: its widget."""

    run: RecordedRun
    writer: Writer

    def send_words(self) -> None:
        """Send captions and head."""

    def send_head(self) -> None:
        """Send the head alone."""

    def send_facts(self) -> None:
        """Send facts as well: some have come in."""


class Explainer:
    """Has the words of one widget written.

    The captions of the run and what the reader asks for have a worker each: a question does not end the writing of the
    captions, and goes first (see `models.queue`).
    """

    def __init__(self, widget: Explained) -> None:
        self.explaining = Explaining()
        """Who answers: what the cell said, else the server's default model where there is one."""
        self.on_worded: Callable[[], object] = lambda: None
        """Called when the words of the run are others than before: its record is to say the same as the view."""
        self._widget = widget
        self._captions, self._asked = CaptionWorker(), CaptionWorker()
        self._is_written = False
        self._closed: list[Draft] = []
        self._worded: dict[Hashable, Caption] = {}
        self._downloading = Downloading(self._show_download, self._write_with)

    @property
    def run(self) -> RecordedRun:
        """The run that is explained."""
        return self._widget.run

    def write(self, explaining: Explaining) -> None:
        """Have the captions of the run written; what was being written ends."""
        self.explaining, self._is_written = explaining, True
        RunWriter(self.run).keep_captions(None)
        wants_more = explaining.model is not False or bool(not_there_yet(explaining.language))  # which is to be said
        if wants_more and self.run.evaluations > 0:
            self._captions.start(self.run, self._show, explaining)

    def stop(self) -> None:
        """End what is being written; the built-in text stays where nothing else has been checked."""
        self._cancel()
        self._widget.writer = replace(self._widget.writer, busy=False, working_on=None)
        self._widget.send_words()

    def tell_anew(self) -> None:
        """Say what there is to say of another fit: the built-in text, then what a model makes of it."""
        self._cancel()
        self._widget.writer = replace(self._widget.writer, busy=False, working_on=None)
        if self._is_written:
            self.write(self.explaining)
        self._widget.send_facts()
        self.on_worded()

    def close(self) -> None:
        """End what is being written, and say nothing of it: the widget is going. A download goes on."""
        self._cancel()
        self._downloading.leave()

    def _cancel(self) -> None:
        self._captions.cancel()
        self._asked.cancel()

    # ------------------------------------------------------------------ a model that is missing

    def download(self, cancel: bool) -> None:
        """Have the model that is offered downloaded, after which it writes the captions; or end the download."""
        if cancel:
            self._downloading.cancel()
        else:
            self._downloading.start()
        self._widget.send_head()  # the browser may have shown what is offered no more

    def _show_download(self) -> None:
        self._widget.writer = replace(self._widget.writer, offer=self._downloading.offer)
        self._widget.send_head()

    def _write_with(self, model: str) -> None:
        """Have the captions written by a model that has just come; by the server's choice where none was named."""
        explaining = self.explaining
        self._widget.writer = Writer(hint=f"{model} is here", busy=True)
        self._widget.send_head()
        self.write(explaining if explaining.model is None else replace(explaining, model=model))

    # ------------------------------------------------------------------ while the run goes on

    def make_ready(self, explaining: Explaining) -> None:
        """Have the model loaded, and found out what it may do, while the simulation runs."""
        self.explaining = explaining
        self._captions.make_ready(explaining)

    def follow(self) -> None:
        """Word the phases that have closed: those that stood at the last look as they stand now."""
        if self.explaining.model is False:
            return
        drafts = plan(self.run, self.explaining.level)
        going_on = phases_of(self.run)[-1].start
        closed = [draft for draft in drafts if draft.span[1] <= going_on]
        stand = [draft for draft in closed if _key(draft) in set(map(_key, self._closed))]
        self._closed = closed
        captions = [self._worded.get(_key(draft)) or as_caption(draft) for draft in drafts]
        RunWriter(self.run).keep_captions(captions)
        new = [draft for draft in stand if _key(draft) not in self._worded]
        if new and not self._captions.is_busy:

            def word(stop: threading.Event) -> None:
                captions = write_drafts(self.run, new, self.explaining, stop)
                if not stop.is_set():
                    self._worded |= {_key(draft): caption for draft, caption in zip(new, captions, strict=True)}

            # Of a run that is growing meanwhile: should that get in the way, it is worded again at its end.
            self._captions.start_work(word)

    # ------------------------------------------------------------------ what the reader asks for

    def answer(self, question: str, span: Span | None, send: Callable[[Caption], None]) -> None:
        """Answer a question: at once from the facts, then as the model words it."""
        built_in = answer(self.run, question, Explaining(False, self.explaining.level), span)
        send(built_in)
        if self.explaining.model is not False and built_in.sentences:

            def reword(stop: threading.Event) -> None:
                worded = answer(self.run, question, self.explaining, span, stop)
                if worded != built_in and not stop.is_set():  # or another fit is told of by now
                    send(worded)

            self._asked.start_work(reword)

    def explain_span(self, span: Span) -> None:
        """Explain a stretch of the run in a caption of its own; raises `XinvError` where there is no such stretch."""
        if self.run.status == "running":
            raise XinvError("The run is still going on; a stretch of it can be explained once it has ended.")
        self._keep(write_span(self.run, span, Explaining(False, self.explaining.level)))
        if self.explaining.model is not False:
            self._asked.start_work(lambda stop: self._keep(write_span(self.run, span, self.explaining, stop)))

    def _keep(self, caption: Caption) -> None:
        RunWriter(self.run).keep_span_caption(caption)
        self._widget.send_facts()
        self.on_worded()

    def _show(self, progress: Progress) -> None:
        RunWriter(self.run).keep_captions(progress.captions)
        busy = progress.working_on is not None
        self._downloading.propose(self.explaining.host, progress.missing)
        self._widget.writer = Writer(
            progress.writer, progress.hint, progress.command, busy, progress.working_on, self._downloading.offer
        )
        self._widget.send_words()
        if not busy and any(caption.source != BUILT_IN for caption in progress.captions):
            self.on_worded()


def _key(draft: Draft) -> Hashable:
    """Return what a draft says, and by which facts: their numbers change while a run grows."""
    said = tuple((s.text, tuple((f.id, f.cites) for f in s.facts)) for s in draft.sentences)
    return draft.heading, draft.span, said
