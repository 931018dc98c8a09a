"""Has a model reword drafts and keeps only what passes the check.

Unchecked words are never shown: until a sentence has passed, the narrator's stands. One try each.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from xinv_nb.claims.claims import check, domain_of
from xinv_nb.claims.sameness import same_claims
from xinv_nb.models.alignment import Place, aligned
from xinv_nb.models.language_model import LanguageModel, too_long
from xinv_nb.models.prompt import MOST_SENTENCES
from xinv_nb.models.trial import Manner
from xinv_nb.recorded.captions import Claim
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.words.draft import Draft, Sentence

_UNSAID = "no sentence of the model says the same"


@dataclass(frozen=True)
class _Checked:
    """What is said against a wording, and what was found in it where nothing is."""

    objection: str
    claims: tuple[Claim, ...] = ()


def reword(run: RecordedRun, draft: Draft, model: LanguageModel, manner: Manner, question: str = "") -> Iterator[Draft]:
    """Yield the draft anew each time that one more of its sentences is the model's, or was dropped.

    What is wrong with a run, what to do about it, and why something moved, no model words: see `NOT_REWORDED`.
    """
    if manner == "none":
        return
    parts = [(is_left, tuple(part)) for is_left, part in itertools.groupby(draft.sentences, key=_is_left)]
    told = [part for _, part in parts]
    for k, (is_left, part) in enumerate(parts):
        for worded in () if is_left else _reworded(run, part, model, manner, question):
            told[k] = worded
            yield replace(draft, sentences=tuple(itertools.chain(*told)))


NOT_REWORDED = frozenset(
    ["finding", "reason", "brought about", "turned because", "at rest", "push", "along", "stopping tests"]
)
"""Kinds of facts that no model words: advice and reasons are no claims that a check could judge."""


def _is_left(sentence: Sentence) -> bool:
    return any(fact.kind in NOT_REWORDED or fact.kind.startswith("answer ") for fact in sentence.facts)


def _reworded(
    run: RecordedRun, sentences: tuple[Sentence, ...], model: LanguageModel, manner: Manner, question: str
) -> Iterator[tuple[Sentence, ...]]:
    if manner == "paragraphs" and len(sentences) > 1:
        yield from _by_paragraph(run, sentences, model, question)
        return
    for i, sentence in enumerate(sentences):
        sentences = (*sentences[:i], _by_sentence(run, sentence, model), *sentences[i + 1 :])
        yield sentences


def _by_sentence(run: RecordedRun, sentence: Sentence, model: LanguageModel) -> Sentence:
    text, provenance = model.sentence(sentence.text)
    if too_long(text, sentence.text):
        return replace(sentence, dropped="it is too long")
    found = _checked(run, text, [sentence])
    if found.objection:
        return replace(sentence, dropped=found.objection)
    return _worded(text, [sentence], model, provenance, found.claims)


def _by_paragraph(
    run: RecordedRun, sentences: tuple[Sentence, ...], model: LanguageModel, question: str
) -> Iterator[tuple[Sentence, ...]]:
    """Have the model word a dozen sentences at a time; what it does not say, the narrator says."""
    parts = [sentences[i : i + MOST_SENTENCES] for i in range(0, len(sentences), MOST_SENTENCES)]
    for k, part in enumerate(parts):
        for worded in _paragraph(run, part, model, question):
            parts[k] = worded
            yield tuple(itertools.chain(*parts))


def _paragraph(
    run: RecordedRun, sentences: Sequence[Sentence], model: LanguageModel, question: str
) -> Iterator[tuple[Sentence, ...]]:
    texts = [sentence.text for sentence in sentences]
    wordings, provenance = model.sentences(texts, question)
    came: list[str] = []
    claims: dict[str, tuple[Claim, ...]] = {}

    def coming() -> Iterator[str]:
        for wording in wordings:
            came.append(wording)
            yield wording

    def objection(text: str, block: Sequence[str]) -> str:
        found = _checked(run, text, [sentence for sentence in sentences if sentence.text in block])
        claims[text] = found.claims
        return found.objection

    places: dict[Place, Sentence] = {}
    with contextlib.closing(wordings):
        for place, text in aligned(texts, coming(), objection):
            block = [sentences[i] for i in place]
            places[place] = _worded(text, block, model, provenance, claims[text])
            yield _put_together(sentences, places)
    taken = {i for place in places for i in place}
    own = len(came) == len(texts)  # then its sentences and the narrator's stand side by side
    for i, sentence in enumerate(sentences):
        if i not in taken:
            reason = _checked(run, came[i], [sentence]).objection if own else ""
            places[(i,)] = replace(sentence, dropped=reason or _UNSAID)
    yield _put_together(sentences, places)


def _put_together(sentences: Sequence[Sentence], places: Mapping[Place, Sentence]) -> tuple[Sentence, ...]:
    """Return the sentences in the narrator's order, with those that stand for some of them in their place."""
    begins = {place[0]: sentence for place, sentence in places.items()}
    inside = {i for place in places for i in place[1:]}
    return tuple(begins.get(i, sentence) for i, sentence in enumerate(sentences) if i not in inside)


def _checked(run: RecordedRun, text: str, block: Sequence[Sentence]) -> _Checked:
    """Judge a wording of the sentences in `block`: does it claim the same, and what does the recording say to it."""
    source = " ".join(sentence.text for sentence in block)
    if text == source:
        return _Checked("")
    domain = domain_of(run)
    if objection := same_claims(text, source, domain):
        return _Checked(objection)
    span = min(s.span[0] for s in block), max(s.span[1] for s in block)
    claims = check(run, text, span)
    if contradicted := next((claim.reason for claim in claims if claim.supported is False), ""):
        return _Checked(contradicted)
    words = " and ".join(fact.id for sentence in block for fact in sentence.facts)
    # What cannot be judged by the recorded numbers alone is as true as the facts that claim the same.
    known = (c if c.supported else replace(c, supported=True, reason=f"the same as {words}") for c in claims)
    return _Checked("", tuple(known))


def _worded(
    text: str, block: Sequence[Sentence], model: LanguageModel, provenance: Mapping[str, str], claims: tuple[Claim, ...]
) -> Sentence:
    source = " ".join(sentence.text for sentence in block)
    facts = tuple(dict.fromkeys(fact.id for sentence in block for fact in sentence.facts))
    by_id = {fact.id: fact for sentence in block for fact in sentence.facts}
    found = replace(block[0], text=text, facts=tuple(by_id[i] for i in facts))
    if text == source:
        return found
    return replace(found, source=model.name, provenance=provenance, built_in=source, claims=claims)
