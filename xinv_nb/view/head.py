"""The head of the view: what the run is called, how it stands, and who writes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from xinv_nb.facts.analysis import diagnosis_of, phases_of, story_span
from xinv_nb.facts.counting import noun_of
from xinv_nb.facts.diagnosis.found import repeated_by
from xinv_nb.facts.measures.objective import name_of_loss
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.view import protocol
from xinv_nb.view.downloading import Offer

_SHOWN_FIRST = "shown first"


@dataclass
class Writer:
    """Who writes the captions, for the head of the view."""

    text: str = "built-in text"
    hint: str = ""
    command: str = ""
    busy: bool = False
    working_on: int | None = None
    offer: Offer | None = None
    """A model that could be downloaded, or is being."""


def head(run: RecordedRun, writer: Writer, thinned: int = 1) -> protocol.Head:
    """Return title, state in words, loss label, who writes, and notices."""
    tone, state = state_in_words(run)
    loss, unit = name_of_loss(run)
    return {
        "title": run.title,
        "goal": run.problem.goal if run.problem else "",
        "status": run.status,
        "tone": tone,
        "state": state,
        "evaluations": run.evaluations,
        "noun": noun_of(run),
        "optimizer": run.optimizer,
        "writer": {
            "text": writer.text,
            "hint": _without_command(writer.hint, writer.command),
            "command": writer.command,
            "pull": None if writer.offer is None else writer.offer.for_view(),
        },
        "busy": writer.busy,
        "thinned": thinned,
        "has_scene": bool(run.problem and run.problem.scene),
        "loss_label": loss,
        "loss_unit": unit,
        "notices": _notices(run),
        "view": run.memo.get(_SHOWN_FIRST, ""),
        "compared": False,
    }


def show_first(run: RecordedRun, view: str) -> None:
    """Have the view of `run` begin with the story, or with the details unfolded; empty: as the reader left it.

    >>> run = RecordedRun()
    >>> show_first(run, "details")
    >>> head(run, Writer())["view"]
    'details'
    """
    run.memo[_SHOWN_FIRST] = view


def _notices(run: RecordedRun) -> list[str]:
    """Return what the recording has to say about itself, but for what a finding says beside it."""
    if run.status == "running" or run.evaluations == 0:  # nothing else stands there yet
        return list(run.notices)
    findings = diagnosis_of(run)
    cited = {cite for finding in findings for cite in finding.cites}
    told = {event.text[1:] for event in run.events_as_recorded() if event.id in cited} if cited else set()
    beginnings = repeated_by(findings)  # a notice begins with a capital, and is a sentence
    return [text for text in run.notices if text[1:].rstrip(".") not in told and not text.startswith(beginnings)]


def _without_command(hint: str, command: str) -> str:
    """Return a hint without the sentence that gives the command: the view shows that below it, to be copied.

    >>> _without_command("There is no model yet. Get one with `ollama pull llama3.2`.", "ollama pull llama3.2")
    'There is no model yet.'
    """
    return re.sub(rf" [A-Z][^.`]*`{re.escape(command)}`\.$", "", hint) if command else hint


def state_in_words(run: RecordedRun) -> tuple[protocol.Tone, str]:
    """Return the tone and the words of a run's state, such as `("good", "converged · 90 iterations")`."""
    count = run.evaluations
    if run.status == "running":
        return "live", f"recording · {count}"
    if run.status == "interrupted":
        return "warning", f"interrupted at {count}"
    if run.status == "failed":
        return "bad", f"failed: {run.ending}"
    if count == 0:
        return "neutral", "nothing recorded"
    first, end = story_span(run)
    told = end - first + 1
    noun = noun_of(run)
    counted = f"{count if told == count else f'{told} of {count}'} {noun}{'' if count == 1 else 's'}"
    last = phases_of(run)[-1]
    if last.kind == "divergence":
        what = "diverged" if np.isfinite(run.loss[last.start]) else "not a number"
        return "bad", f"{what} from {noun} {last.start}"
    if last.kind == "converged":
        return "good", f"converged · {counted}"
    return "neutral", f"finished · {counted}"
