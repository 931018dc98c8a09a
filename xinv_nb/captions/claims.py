"""What a text claims, and whether the recording supports it: the gate for words that a model, or a student, wrote.

A text is judged in three layers. Each claim in it is judged by the recording (`judging`). Words that neither name
something of the run nor stand in the reviewed vocabulary (`vocabulary`) are not understood, and nothing is said to be
right that stands beside them. A rewording of facts has, moreover, to make the same claims as they do (`same_claims`).
Any doubt counts against the text: the sentence that it would replace is true, and at hand.
"""

from __future__ import annotations

import re
import weakref
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from xinv_nb.captions.domain import Domain
from xinv_nb.captions.interpretation import read
from xinv_nb.captions.judging import Judge
from xinv_nb.captions.narrator import outline
from xinv_nb.captions.numerals import NUMBER, Number, numbers_in, value_of
from xinv_nb.captions.phrases import LEVELS, Phrases
from xinv_nb.captions.reading import LONGEST, Chunk, sentences
from xinv_nb.captions.statements import Reading, Statement
from xinv_nb.explanation import Claim, Fact
from xinv_nb.quantities import sentence_start
from xinv_nb.run import Run

__all__ = ["check", "numbers_in", "same_claims", "same_numbers"]

_SILENT = frozenset(["harmless", "joint", "lead", "pronoun"])
_MARKS = frozenset(",;:")
_TORN = re.compile(
    r"\b(?:and|but|while|whereas|although|though|when|where|which|that|who|what|as|having|its?|yet|however)\s*[.,;:)]"
    r"|^(?:and|but|which|that|who|what)\b|[,;:]\s*[,;:.]|\.\s+[,;:.]",
    re.IGNORECASE,
)
"""Conjunctions that join nothing."""
_ADDED = frozenset(["word", "cause", "pace", "pattern", "only", "agent"])
"""Chunks that stand out where they are in a rewording alone."""
_ARTICLE = re.compile(r"\b((?:the|an?) )$", re.IGNORECASE)
_ABOUT_THE_WHOLE = frozenset(["at", "begin", "end"])

# ---------------------------------------------------------------------- free text


def check(run: Run, text: str, span: tuple[int, int] | None = None) -> list[Claim]:
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

    def says(self, run: Run, chunks: Sequence[Chunk], span: tuple[int, int] | None) -> str:
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


def _wordings(run: Run, domain: Domain) -> dict[tuple[object, ...], list[tuple[Fact, ...]]]:
    """Return all sentences in which the built-in text may word facts of `run`, for either reader."""
    found: dict[tuple[object, ...], list[tuple[Fact, ...]]] = {}
    for level in LEVELS:
        bank = Phrases(run, level)
        phrases = [phrase for caption in outline(run, level) for phrase in caption.phrases]
        for phrase in [*phrases, *map(bank.of, run.facts)]:
            for text in phrase.texts():
                for _, chunks in sentences(text, domain):
                    found.setdefault(_pieces(chunks), []).append(phrase.facts)
    return found


_KNOWN: weakref.WeakKeyDictionary[Run, _Known] = weakref.WeakKeyDictionary()


def _known(run: Run) -> _Known:
    facts = run.facts
    known = _KNOWN.get(run)
    if known is None or known.facts is not facts:
        domain = Domain.of(run)
        keys: dict[tuple[object, ...], list[Fact]] = {}
        for fact in facts:
            for _, chunks in sentences(fact.text, domain):
                keys.setdefault(_pieces(chunks), []).append(fact)
        known = _KNOWN[run] = _Known(facts, domain, keys)
    return known


def domain_of(run: Run) -> Domain:
    """Return the names that a sentence about `run` may contain; made once for the run as it stands."""
    return _known(run).domain


def _pieces(chunks: Sequence[Chunk]) -> tuple[object, ...]:
    """Return what a sentence says piece by piece, but for words that say nothing by themselves."""
    return tuple(
        (c.kind, c.words if c.kind == "word" else c.value, c.number, c.times) for c in chunks if c.kind not in _SILENT
    )


def _wording(chunks: Sequence[Chunk]) -> tuple[object, ...]:
    """Return a sentence that was not understood as it is compared with another: word by word, but for commas."""
    return tuple(
        (c.kind, c.words if c.kind == "word" or c.kind in _SILENT else c.value, c.number, c.times)
        for c in chunks
        if c.words not in _MARKS
    )


# ---------------------------------------------------------------------- the same claims


def same_claims(rewording: str, source: str, names: Iterable[str] | Domain) -> str:
    """Return why `rewording` may not stand for `source`, or an empty string if it makes the same claims.

    `names` are the domain's names (parameters, watched quantities), or the domain with its units and events. Sentences
    that were understood may be put in any order, split and joined, as long as all say the same in the end; others
    have to stand as they do in the source.

    >>> same_claims("In 9 iterations the loss dropped from 3 to 2.", "The loss fell from 3 to 2 over 9 iterations.", [])
    ''
    >>> same_claims("The loss dropped from 3 to 1.", "The loss fell from 3 to 2.", [])
    'its numbers are not those of the facts'
    """
    if not rewording.strip():
        return "it is empty"
    if rewording == source:
        return ""
    if len(rewording) > LONGEST:
        return "it is too long"
    if not rewording.isprintable():
        return "it contains characters that no text has"
    domain = names if isinstance(names, Domain) else Domain.of_names(names)
    own, theirs = (_Said(text, domain) for text in (rewording, source))
    if own.claims != theirs.claims or own.unread != theirs.unread:
        return _difference(own, theirs)
    if own.added - theirs.told:
        return "it repeats itself"
    if own.begins_with_a_pronoun and not theirs.begins_with_a_pronoun:
        return "it does not name what it speaks of"  # between other sentences it would speak of what they name
    if own.is_ambiguous:
        return "it cannot be told which of its numbers belong together"
    if not _odd(rewording) <= _odd(source) or rewording.count("(") != rewording.count(")"):
        return "its words do not make a sentence"
    return ""


class _Said:
    """All that a text says, so that two texts that say the same agree."""

    def __init__(self, text: str, domain: Domain) -> None:
        self.chunks: list[Chunk] = []
        self.unread: Counter[tuple[object, ...]] = Counter()
        self.added: Counter[Statement] = Counter()
        """Changes that stand in clauses of their own, which other sentences may imply."""
        statements: list[Statement] = []
        before: Sequence[str] = ()
        for _, chunks in sentences(text, domain):
            self.chunks += chunks
            reading = read(chunks, before)
            before = reading.subjects
            if reading.unread or not reading.statements or any(s.kind == "cause" for s in reading.statements):
                self.unread[_wording(chunks)] += 1
            else:
                statements += reading.statements
                full = {s.words for s in reading.statements if s.kind != "change"}
                self.added.update(s for s in reading.statements if s.words not in full)
        self.told = Counter(s for s in statements if s.kind == "change")
        self.claims = Counter(_complete(statements))
        moments = Counter((c.kind, c.quantity, c.until) for c in self.claims if c.kind == "value")
        self.is_ambiguous = any(count > 1 for count in moments.values())

    @property
    def begins_with_a_pronoun(self) -> bool:
        """Whether something is called “it” before anything is named."""
        first = next((chunk.kind for chunk in self.chunks if chunk.kind in ("pronoun", "quantity")), "")
        return first == "pronoun"

    def pieces(self, *kinds: str) -> Counter[tuple[str, Number | None]]:
        """Return the chunks of some kinds, to tell in what two texts differ."""
        return Counter((c.value, c.number and replace(c.number, about=False)) for c in self.chunks if c.kind in kinds)


def _complete(statements: Sequence[Statement]) -> list[Statement]:
    """Put in what others imply: the unit of the second number of a pair, the change between two values."""
    units = {s.quantity: s.number.unit for s in statements if s.kind == "value" and s.number and s.number.unit}
    found: list[Statement] = []
    for s in statements:
        if s.kind == "count":  # "over", "within" or "all" as many iterations as the run had
            s = replace(s, what=s.what[:1])
        if s.kind == "value" and s.number and not s.number.unit and s.quantity in units:
            s = replace(s, number=replace(s.number, unit=units[s.quantity]))
        if s.kind != "value" or not any(
            o == s and o.words != s.words for o in found
        ):  # one phase ends with the value that the next begins with
            found.append(s)
    changes = {(s.quantity, s.since, s.until): s.what[0] for s in found if s.kind == "change" and not s.negated}
    values = {(s.quantity, s.until): s.number for s in found if s.kind == "value" and s.number and not s.negated}
    for (quantity, since), first in list(values.items()):
        for (other, until), second in list(values.items()):
            if other != quantity or not _is_before(since, until) or not _next(values, quantity, since, until):
                continue
            way = "up" if second.value > first.value else "down" if second.value < first.value else ""
            if way and (quantity, since, until) not in changes:
                changes[quantity, since, until] = way
                found.append(Statement("change", quantity, (way,), None, since, until))
    resolved = []
    for s in found:
        if s.kind == "asks" and s.what[0] in ("up", "down"):
            ways = {way for (quantity, *_), way in changes.items() if quantity == s.quantity and way in ("up", "down")}
            if len(ways) == 1:
                s = replace(s, what=("this" if s.what[0] in ways else "opposite", *s.what[1:]))
        resolved.append(s)
    return resolved


def _is_before(one: tuple[str, int], two: tuple[str, int]) -> bool:
    if "at" == one[0] == two[0]:
        return one[1] < two[1]
    order = {"start": 0, "at": 1, "first": 1, "end": 2}
    return one[0] in order and two[0] in order and order[one[0]] < order[two[0]]


def _next(
    values: dict[tuple[str, tuple[str, int]], Number], quantity: str, one: tuple[str, int], two: tuple[str, int]
) -> bool:
    """Whether no other known value of the quantity lies between two moments."""
    between = [m for q, m in values if q == quantity and m not in (one, two)]
    return not any(_is_before(one, m) and _is_before(m, two) for m in between)


def _odd(text: str) -> set[str]:
    """Return doubled words, shouted words, and marks that make no plain statement."""
    found = set(re.findall(r"\b([^\W\d]+) \1\b", text.lower()))
    found |= {match.group() for match in _TORN.finditer(text)}
    found |= set(re.findall(r"\b[A-Z]{3,}\b", text))  # nobody shouts
    return found | (set(text) & set('!?<>{}[]|`\\*_#~^=+“”"«»'))


def _difference(own: _Said, theirs: _Said) -> str:
    """Say in words where a rewording leaves its source."""
    if own.pieces("number", "time", "times") != theirs.pieces("number", "time", "times") and {
        n for _, n in own.pieces("number")
    } != {n for _, n in theirs.pieces("number")}:
        return "its numbers are not those of the facts"
    kinds = ("quantity", "event", "broken by")
    if set(own.pieces(*kinds)) != set(theirs.pieces(*kinds)):
        return "its names are not those of the facts"
    known = {c.words for c in theirs.chunks}
    strange = [c.words for c in own.chunks if c.kind in _ADDED and c.words not in known]
    if strange:
        return f"“{strange[0]}” is not in the facts"
    words = {c.words for c in own.chunks}
    missing = [c.words for c in theirs.chunks if c.kind == "word" and c.words not in words]
    if missing:
        return f"“{missing[0]}” is missing"
    extra = own.claims - theirs.claims
    if extra and not theirs.claims - own.claims and set(extra) <= set(theirs.claims):
        return "it repeats itself"
    return "it does not say the same as the facts"


def contradiction(run: Run, text: str, span: tuple[int, int] | None = None) -> str:
    """Return what the recording says against `text`, or an empty string."""
    return next((claim.reason for claim in check(run, text, span) if claim.supported is False), "")


# ---------------------------------------------------------------------- other languages

_NAME = "\ue000{}\ue001"
"""A name of the domain while a sentence is compared: private characters that no text contains."""


def _masked(text: str, names: Iterable[str]) -> str:
    """Put a sign in the place of each name, longest first; a sentence may begin with a name's capital."""
    known: dict[str, str] = {}
    for i, name in enumerate(sorted({n for n in names if n.strip()}, key=lambda n: (-len(n), n))):
        known[name] = _NAME.format(i)
    for name in list(known):
        known.setdefault(sentence_start(name), known[name])
    if not known:
        return text
    pattern = "|".join(re.escape(name) for name in sorted(known, key=len, reverse=True))
    return re.sub(rf"(?<![\w.])(?:{pattern})(?!\w|\.\d)", lambda match: known[match.group()], text)


def same_numbers(rewording: str, source: str, names: Iterable[str]) -> str:
    """Return why a sentence in another language may not stand for `source`: its numbers, percent signs and names."""
    if not rewording.strip():
        return "it is empty"
    strange = set(re.sub("\ue000\\d+\ue001", "", _masked(rewording, names))) & set("<>{}[]|`\\") - set(source)
    if strange or not rewording.isprintable() or "://" in rewording:
        return "it is not one plain sentence"
    own, theirs = _masked(rewording, names), _masked(source, names)
    if sorted(_tagged(own)) != sorted(_tagged(theirs)):
        return "its numbers are not those of the facts"
    if sorted(re.findall("\ue000.*?\ue001", own)) != sorted(re.findall("\ue000.*?\ue001", theirs)):
        return "its names are not those of the facts"
    if len(rewording) > 3 * len(source) + 40:
        return "it is too long"
    return ""


def _tagged(text: str) -> list[tuple[float, bool]]:
    """Return the numbers of a text, each with whether a percent sign follows."""
    bare = re.sub("\ue000\\d+\ue001", " ", text)
    return [(value_of(m, bare), bare[m.end() :].lstrip()[:1] == "%") for m in NUMBER.finditer(bare)]
