"""Whether a rewording makes the same claims as the sentences that it would stand for, with no look at the recording."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from xinv_nb.claims.domain import Domain
from xinv_nb.claims.interpretation import read
from xinv_nb.claims.numerals import Number
from xinv_nb.claims.reading import LONGEST, SILENT, Chunk, sentences
from xinv_nb.claims.statements import Statement

_MARKS = frozenset(",;:")
_TORN = re.compile(
    r"\b(?:and|but|while|whereas|although|though|when|where|which|that|who|what|as|having|its?|yet|however)\s*[.,;:)]"
    r"|^(?:and|but|which|that|who|what)\b|[,;:]\s*[,;:.]|\.\s+[,;:.]",
    re.IGNORECASE,
)
"""Conjunctions that join nothing."""
_ADDED = frozenset(["word", "cause", "pace", "pattern", "only", "agent"])
"""Chunks that stand out where they are in a rewording alone."""

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
        if s.kind == "count":  # "over", "within" or "all" as many iterations as the run had; evaluations are others
            s = replace(s, what=(s.what[0], *(how for how in s.what[1:] if how == "evaluations")))
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


def _wording(chunks: Sequence[Chunk]) -> tuple[object, ...]:
    """Return a sentence that was not understood as it is compared with another: word by word, but for commas."""
    return tuple(
        (c.kind, c.words if c.kind == "word" or c.kind in SILENT else c.value, c.number, c.times)
        for c in chunks
        if c.words not in _MARKS
    )
