"""What a text claims, and whether the recording supports it: the gate for words that a model, or a student, wrote.

A text is judged in three layers. Each claim in it is judged by the recording (`judging`). Words that neither name
something of the run nor stand in the reviewed vocabulary (`vocabulary`) are not understood, and nothing is said to be
right that stands beside them. A rewording of facts has, moreover, to make the same claims as they do (`sameness`).
Any doubt counts against the text: the sentence that it would replace is true, and at hand.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field

from xinv_nb.claims.domain import Domain
from xinv_nb.claims.interpretation import read
from xinv_nb.claims.judging import Judge
from xinv_nb.claims.reading import LONGEST, SILENT, Chunk, sentences
from xinv_nb.claims.statements import Reading, Statement
from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.fact import Fact
from xinv_nb.recorded.captions import Claim
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.words.glossary import glossary_of, without_explanations
from xinv_nb.words.narrator import outline
from xinv_nb.words.phrases import LEVELS, Phrases

_ARTICLE = re.compile(r"\b((?:the|an?) )$", re.IGNORECASE)
_ABOUT_THE_WHOLE = frozenset(["at", "begin", "end"])

# ---------------------------------------------------------------------- free text


def check(run: RecordedRun, text: str, span: tuple[int, int] | None = None) -> list[Claim]:
    """Return the claims found in `text`, each with whether the recording supports it, and why.

    Supported is what the arrays, events and phases of the run (within `span`) say as well, or what a fact says; what
    they say otherwise is contradicted; what they do not show, or what was not understood, is left open (None). Causes
    are left open, but for what the gradient asked and what moving a parameter did to the loss.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> with xi.record() as run:
    ...     for x in (4.0, 2.0, 1.0):
    ...         slope = grad(lambda x: x**2)(x)
    >>> [c.supported for c in run.check("The loss fell from 16 to 7.")]
    [True, False, True]
    >>> run.check("The loss was 5 at iteration 1.")[0].reason
    'the loss at iteration 1 was 4, not 5'
    """
    known = _known(run)
    judge = Judge(run, known.domain, span)
    claims: list[Claim] = []
    before: Sequence[str] = ()
    text = without_explanations(text, glossary_of(run))
    for sentence, chunks in sentences(text, known.domain):
        reading = read(chunks, before)
        before = reading.subjects
        found = _judged(judge, chunks, reading, sentence, text)
        if any(claim.supported is None for claim in found) and (fact := known.says(run, chunks, span)):
            found = [Claim(sentence, True, f"said in {fact}")]
        if sentence.endswith("?"):
            found = [Claim(sentence, None, "a question claims nothing")]
        claims += found
    if len(text) > LONGEST:
        claims.append(Claim("…", None, f"only the first {LONGEST} characters were read"))
    return claims or [Claim(text, None, "there is nothing to check")]


def _judged(judge: Judge, chunks: Sequence[Chunk], reading: Reading, sentence: str, text: str) -> list[Claim]:
    """Return the claims of one sentence of `text`."""
    whole = any(chunk.kind in _ABOUT_THE_WHOLE for chunk in chunks)
    ended = any(c.kind == "end" or (c.kind == "at" and c.value in ("end", "only")) for c in chunks)
    verdicts = judge.judge(reading.statements, whole=whole, ended=ended)
    strange = " ".join(dict.fromkeys(chunk.words for chunk in reading.unread if chunk.words)).strip()
    claims = []
    for statement, (supported, reason) in zip(reading.statements, verdicts, strict=True):
        if strange and supported is not None:
            supported, reason = None, f"“{strange}” was not understood, so this is left open; {reason}"
        claims.append(Claim(_said(text, statement) or sentence, supported, reason))
    if strange:
        claims.append(Claim(sentence, None, f"“{strange}” was not understood, or the recording does not show it"))
    return list(dict.fromkeys(claims)) or [Claim(sentence, None, "no claim that can be checked")]


def _said(text: str, statement: Statement) -> str:
    """Return the words of the text that make a statement."""
    start, stop = statement.place
    article = _ARTICLE.search(text, max(start - 4, 0), start)
    return text[article.start(1) if article else start : stop].strip(" ,;:()")


@dataclass(frozen=True)
class _Known:
    """What is looked up of a run as often as a text is checked."""

    facts: Sequence[Fact]
    domain: Domain
    keys: dict[tuple[object, ...], list[Fact]]

    worded: dict[tuple[object, ...], list[tuple[Fact, ...]]] = field(default_factory=dict)
    """The sentences of the built-in text, in all its wordings, once one was looked for."""

    def says(self, run: RecordedRun, chunks: Sequence[Chunk], span: tuple[int, int] | None) -> str:
        """Return the fact that says this sentence, or the facts that the built-in text words by it, if any."""
        key = _pieces(chunks)
        for fact in self.keys.get(key, ()):
            if _overlaps(fact, span):
                return fact.id
        if not self.worded:
            self.worded.update(_wordings(run, self.domain))
        for facts in self.worded.get(key, ()):
            if any(_overlaps(fact, span) for fact in facts):
                return " and ".join(fact.id for fact in facts)
        return ""


def _overlaps(fact: Fact, span: tuple[int, int] | None) -> bool:
    return span is None or (fact.span[0] <= span[1] and fact.span[1] >= span[0])


def _wordings(run: RecordedRun, domain: Domain) -> dict[tuple[object, ...], list[tuple[Fact, ...]]]:
    """Return all sentences in which the built-in text may word facts of `run`, for either reader."""
    found: dict[tuple[object, ...], list[tuple[Fact, ...]]] = {}
    for level in LEVELS:
        bank = Phrases(run, level)
        phrases = [phrase for caption in outline(run, level) for phrase in caption.phrases]
        for phrase in [*phrases, *map(bank.of, facts_of(run))]:
            for text in phrase.texts():
                for _, chunks in sentences(text, domain):
                    found.setdefault(_pieces(chunks), []).append(phrase.facts)
    return found


_KNOWN: weakref.WeakKeyDictionary[RecordedRun, _Known] = weakref.WeakKeyDictionary()


def _known(run: RecordedRun) -> _Known:
    facts = facts_of(run)
    known = _KNOWN.get(run)
    if known is None or known.facts is not facts:
        domain = Domain.of(run)
        keys: dict[tuple[object, ...], list[Fact]] = {}
        for fact in facts:
            for _, chunks in sentences(fact.text, domain):
                keys.setdefault(_pieces(chunks), []).append(fact)
        known = _KNOWN[run] = _Known(facts, domain, keys)
    return known


def domain_of(run: RecordedRun) -> Domain:
    """Return the names that a sentence about `run` may contain; made once for the run as it stands."""
    return _known(run).domain


def _pieces(chunks: Sequence[Chunk]) -> tuple[object, ...]:
    """Return what a sentence says piece by piece, but for words that say nothing by themselves."""
    return tuple(
        (c.kind, c.words if c.kind == "word" else c.value, c.number, c.times) for c in chunks if c.kind not in SILENT
    )
