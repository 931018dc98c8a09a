"""What is said of a run, for the view: phases, facts, and captions with their numbers and names marked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from xinv_nb.facts.analysis import phases_of
from xinv_nb.facts.fact import Fact
from xinv_nb.recorded.captions import Caption, WordedSentence
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.view import protocol
from xinv_nb.view.findings import without_findings
from xinv_nb.view.head import Writer
from xinv_nb.view.marks import marked, names_to_mark
from xinv_nb.words.narrator import captions_of

Role = Literal["summary", "chapter", "asked"]


def phases(run: RecordedRun) -> list[protocol.Phase]:
    """Return the phases of the run."""
    return [{"start": p.start, "stop": p.stop, "kind": p.kind, "label": p.label} for p in phases_of(run)]


def facts_for_view(facts: Iterable[Fact]) -> list[protocol.Fact]:
    """Return facts for the table."""
    return [{"id": f.id, "kind": f.kind, "text": f.text, "span": f.span, "cites": f.cites} for f in facts]


def captions(run: RecordedRun, writer: Writer) -> list[protocol.Caption]:
    """Return the captions of the run, the one that is being reworded marked."""
    if run.status == "running" and run.evaluations == 0:
        return []  # "nothing recorded" is for the end
    names, asked = names_to_mark(run), len(captions_of(run)) - len(run.span_captions)
    shown = ((i, without_findings(run, caption)) for i, caption in enumerate(captions_of(run)))
    return [
        caption_for_view(
            caption,
            f"c{i}",
            names,
            role="summary" if i == 0 else "chapter" if i < asked else "asked",
            writing=writer.busy and writer.working_on == i,
        )
        for i, caption in shown
        if caption is not None
    ]


def caption_for_view(
    caption: Caption, key: str, names: Sequence[str], *, role: Role = "summary", writing: bool = False
) -> protocol.Caption:
    """Return a caption with its numbers and names marked."""
    first = caption.sentences[0].text if caption.sentences else caption.text
    return {
        "id": key,
        "heading": caption.heading,
        "span": caption.span,
        "parts": marked(caption.text, names),
        "cites": caption.cites,
        "line": caption.status if caption.source == "built-in" else f"{caption.status} · {caption.source}",
        "tone": _tone(caption),
        "writing": writing,
        "sentences": [_sentence(sentence) for sentence in caption.sentences],
        "provenance": dict(caption.provenance),
        "role": role,
        "short": marked(caption.headline if role == "chapter" and caption.headline else first, names),
    }


def _sentence(sentence: WordedSentence) -> protocol.Sentence:
    """Return who worded a sentence and what was checked; the built-in one only where it is another.

    What the narrator says, it says of its facts: there are no claims to find in it.
    """
    claims = sentence.claims if sentence.checked else ()
    return {
        "text": sentence.text,
        "source": sentence.source,
        "cites": sentence.cites,
        "built_in": "" if sentence.built_in == sentence.text else sentence.built_in,
        "checked": sentence.checked,
        "dropped": sentence.dropped,
        "claims": [{"text": c.text, "supported": c.supported, "reason": c.reason} for c in claims],
    }


def _tone(caption: Caption) -> Literal["good", "warning", "neutral"]:
    if "did not match" in caption.status:
        return "warning"
    return "good" if caption.source != "built-in" else "neutral"
