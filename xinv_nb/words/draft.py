"""A caption in the making: its sentences, each with the facts it words, and what became of a model's wording of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from xinv_nb.facts.fact import Fact
from xinv_nb.recorded.captions import Caption, Claim, WordedSentence
from xinv_nb.words.digest import digest_of

BUILT_IN = "built-in"


@dataclass(frozen=True)
class Sentence:
    """One sentence and the facts that it words, of which there is at least one."""

    text: str
    facts: tuple[Fact, ...]
    source: str = BUILT_IN
    dropped: str = ""
    """Why a model's wording of this sentence was not used; empty if none was tried or it was used."""
    provenance: Mapping[str, str] = field(default_factory=dict)
    """What a model's wording depends on."""
    built_in: str = ""
    """The narrator's sentences that a model's wording stands for."""
    claims: tuple[Claim, ...] = ()
    """What was found in a model's wording, and what the recording says to it."""

    @property
    def span(self) -> tuple[int, int]:
        """The evaluations, first and last, that its facts are about."""
        return min(fact.span[0] for fact in self.facts), max(fact.span[1] for fact in self.facts)


@dataclass(frozen=True)
class Draft:
    """A caption before it is shown: a heading, the span it covers, and its sentences."""

    heading: str
    span: tuple[int, int]
    sentences: tuple[Sentence, ...]
    headline: str = ""
    """What it comes to, in few words."""


def as_caption(draft: Draft) -> Caption:
    """Return the caption that a draft makes, with who wrote it and what was checked."""
    sentences = draft.sentences
    return Caption(
        " ".join(sentence.text for sentence in sentences),
        draft.span,
        tuple(dict.fromkeys(i for s in sentences for fact in s.facts for i in (fact.id, *fact.cites) if i)),
        next((s.source for s in sentences if s.source != BUILT_IN), BUILT_IN),
        _status(sentences),
        tuple(claim for sentence in sentences for claim in _claims(sentence)),
        draft.heading,
        _provenance(sentences),
        tuple(_wording(sentence) for sentence in sentences),
        draft.headline,
    )


def _provenance(sentences: Sequence[Sentence]) -> dict[str, str]:
    """Return what the words of a caption depend on, with one hash for the prompts of all its sentences."""
    found = [sentence.provenance for sentence in sentences if sentence.provenance]
    if not found:
        return {}
    prompts = digest_of([each["prompt"] for each in found])
    return {name: value for name, value in found[0].items() if name != "prompt"} | {"prompts": prompts}


def _claims(sentence: Sentence) -> tuple[Claim, ...]:
    words = " and ".join(fact.id for fact in sentence.facts if fact.id)
    return sentence.claims or (Claim(sentence.text, True, f"worded from {words or 'the whole recording'}"),)


def _wording(sentence: Sentence) -> WordedSentence:
    checked = "" if sentence.source == BUILT_IN else "in full"
    return WordedSentence(
        sentence.text,
        sentence.source,
        tuple(fact.id for fact in sentence.facts if fact.id),
        sentence.built_in or sentence.text,
        checked,
        sentence.dropped,
        _claims(sentence),
    )


def _status(sentences: Sequence[Sentence]) -> str:
    """Say in one short line who worded a caption and what was checked."""
    written = [sentence for sentence in sentences if sentence.source != BUILT_IN]
    if not written:
        dropped = any(sentence.dropped for sentence in sentences)
        return "built-in text" + (" · the model's wording did not match the recording" if dropped else "")
    count = sum(len(_claims(sentence)) for sentence in sentences)
    status = f"{count} of {count} claims match the recording" if count > 1 else "its claim matches the recording"
    rest = len(sentences) - len(written)
    words = f"{len(written)} sentence{'s' if len(written) > 1 else ''} by the model"
    return f"{status} · {words}" + (f", {rest} built-in" if rest else "")
