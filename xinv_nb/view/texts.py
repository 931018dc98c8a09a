"""What is said of a run, for the view: phases, facts, and captions with their numbers and names marked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from xinv_nb.facts.analysis import phases_of
from xinv_nb.facts.fact import Fact
from xinv_nb.recorded.captions import Caption, WordedSentence
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.view import protocol
from xinv_nb.view.head import Writer
from xinv_nb.words.narrator import captions_of


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
    names = names_to_mark(run)
    return [
        caption_for_view(caption, f"c{i}", names, writing=writer.busy and writer.working_on == i)
        for i, caption in enumerate(captions_of(run))
    ]


def names_to_mark(run: RecordedRun) -> list[str]:
    """Return the names of the domain that stand out in a caption."""
    return [*(entry.label for entry in run.entries()), *run.history.watches]


def caption_for_view(caption: Caption, key: str, names: Sequence[str], *, writing: bool = False) -> protocol.Caption:
    """Return a caption with its numbers and names marked."""
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


def marked(text: str, names: Sequence[str]) -> list[protocol.Part]:
    """Split a text into runs of plain words, numbers with their unit, and names of the domain.

    >>> [part["kind"] for part in marked("drag fell to 0.5", ["drag"])]
    ['name', 'text', 'number']
    """
    known = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True) if name)
    number = r"[−-]?\d[\d.,]*\d(?:×10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?(?:\s%)?|[−-]?\d(?:×10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?(?:\s%)?"
    pattern = re.compile(
        rf"(?P<name>(?<!\w)(?:{known})(?!\w))|(?P<number>(?<!\w){number})" if known else rf"(?P<number>{number})"
    )
    parts: list[protocol.Part] = []
    end = 0
    for match in pattern.finditer(text):
        if match.start() > end:
            parts.append({"text": text[end : match.start()], "kind": "text"})
        parts.append({"text": match.group(), "kind": "name" if match.lastgroup == "name" else "number"})
        end = match.end()
    if end < len(text):
        parts.append({"text": text[end:], "kind": "text"})
    return parts
