"""From a text to chunks: names, numbers, times and phrases of the vocabulary, sentence by sentence.

One pass from left to right, the longest phrase first; nothing is searched for twice, so that no text takes long.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from xinv_nb.claims.domain import Domain, stem
from xinv_nb.claims.numerals import NUMBER, Number, half_of, value_of
from xinv_nb.claims.vocabulary import (
    ARTICLES,
    HARMLESS,
    ITERATION,
    PREPOSITIONS,
    TABLE,
    TIMES,
    UNIT_ALIASES,
    WORDED_NUMBERS,
    ZERO,
)

_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*|\S")
LONGEST = 10_000
"""Characters of a text that are read; more is no explanation of a run."""
_BEFORE_NUMBERS = frozenset(["more", "less", "about", "roughly", "almost", "nearly", "around"])
SILENT = frozenset(["harmless", "joint", "lead", "pronoun"])
"""Kinds of chunks that say nothing by themselves."""
_STOPS = frozenset(".!?")


@dataclass(frozen=True)
class Chunk:
    """A piece of a sentence that means one thing."""

    kind: str
    value: str = ""
    number: Number | None = None
    times: tuple[int, ...] = ()
    """The iterations or counts of a time."""
    words: str = ""
    place: tuple[int, int] = field(default=(0, 0), compare=False)
    """Where it stands in the text."""


@dataclass(frozen=True)
class _Token:
    text: str
    kind: str
    start: int
    end: int
    number: Number | None = None


def sentences(text: str, domain: Domain) -> Iterator[tuple[str, list[Chunk]]]:
    """Yield each sentence of a text with its chunks."""
    text = text[:LONGEST]
    tokens: list[_Token] = []
    for token in [*_tokens(text, domain), _Token(".", "stop", len(text), len(text))]:
        if token.kind != "stop":
            tokens.append(token)
        elif tokens:
            yield text[tokens[0].start : token.end].strip(), _with_events(list(_chunks(tokens, domain)), domain)
            tokens = []


def _tokens(text: str, domain: Domain) -> Iterator[_Token]:
    """Yield names, numbers with their units, words and signs; articles are left out."""
    position, names = 0, domain.pattern
    next_name = names.search(text) if names else None
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        if next_name is not None and next_name.start() < position:
            next_name = names.search(text, position) if names else None
        named = next_name is not None and next_name.start() == position
        if named and next_name is not None and not _is_no_name(next_name.group(), text[next_name.end() :]):
            kind, key = domain.names[next_name.group()]
            is_word = kind == "word"  # of the loss, which phrases know by its general name
            yield _Token(key if is_word else next_name.group(), "word" if is_word else "name", *next_name.span())
            position = next_name.end()
            continue
        number = NUMBER.match(text, position)
        if number is not None and not (text[position].isascii() and text[position] in "-" and _joins(text, position)):
            end, unit = _unit(text, number.end(), domain)
            read = Number(value_of(number, text), half_of(number, text), unit)
            yield _Token(text[position:end], "number", position, end, read)
            position = end
            continue
        word = _WORD.match(text, position)
        if word is None:  # no text comes here, as every sign is matched
            position += 1
            continue
        said = word.group().lower().replace("’", "'")
        if said in _STOPS and (word.end() == len(text) or text[word.end()].isspace()):
            yield _Token(said, "stop", *word.span())
        elif said.endswith("n't") and len(said) > 3:
            yield _Token(said[:-3], "word", *word.span())
            yield _Token("not", "word", *word.span())
        elif said in ZERO:
            yield _Token(said, "number", *word.span(), Number(0.0, 0.5))
        elif said not in ARTICLES:
            yield _Token(said, "word", *word.span())
        position = word.end()


def _joins(text: str, position: int) -> bool:
    return position > 0 and text[position - 1].isalnum()


def _is_no_name(name: str, rest: str) -> bool:
    """Whether a name is none here: "a" before another word for a thing, "slope" where it is said to be the gradient."""
    if rest.startswith(" (the size of the gradient)"):
        return True
    if name.lower() not in ARTICLES:
        return False
    following = _WORD.match(rest.lstrip())
    return following is not None and following.group().lower() in (
        "higher", "lower", "larger", "smaller", "greater", "factor", "loss", "third", "half", "quarter", "tenth",
        "fifth", "plateau", "size", "minimum", "maximum", "gradient", "slope", "run",
    )  # fmt: skip


def _unit(text: str, position: int, domain: Domain) -> tuple[int, str]:
    """Return where a number with its unit ends, and the unit."""
    behind = position + (text[position : position + 1] in (" ", "\u00a0", "\u202f"))
    for start in dict.fromkeys((behind, position)):
        for unit in domain.known_units:
            if text.startswith(unit, start):
                end = start + len(unit)
                after = text[end : end + 1]
                if (after.isalnum() or after in ("/", "²", "³", "_")) and not (unit in "°%" and start == position):
                    continue
                if unit[0].isalnum() and start == position:
                    continue
                return end, UNIT_ALIASES.get(unit, domain.own_units.get(unit, unit))
    per_cent = re.compile(r" ?per cent\b").match(text, position)
    return (per_cent.end(), "%") if per_cent else (position, "")


# ---------------------------------------------------------------------- chunks


def _chunks(tokens: Sequence[_Token], domain: Domain) -> Iterator[Chunk]:
    """Yield the chunks of one sentence; a number has taken up what stands before it."""
    pending: list[Chunk] = []
    is_share = False
    is_behind_number = False
    for chunk in _pieces(tokens, domain):
        if is_share and chunk.kind == "limit":  # "82 % less than the 10 at the start"
            yield Chunk("than", "lower" if chunk.value == "less" else "higher", words=chunk.words)
            chunk = Chunk("preposition", "than", words="than")
        is_share = chunk.number is not None and chunk.number.unit == "%"
        torn = is_behind_number and chunk.kind == "number"
        is_behind_number = chunk.kind == "number"
        if torn:  # "from 3 2"
            yield Chunk("word", chunk.words, words=chunk.words)
        if chunk.kind in ("number", "times"):
            number, role = chunk.number or Number(float(chunk.value)), ""
            while pending:
                before = pending.pop()
                if before.kind == "approximate":
                    number = replace(number, about=True)
                elif before.kind == "limit":
                    number = replace(number, limit=before.value)
                elif before.kind == "preposition" and not role:
                    role = before.value
                else:
                    yield from (*pending, before)
                    pending = []
            if chunk.kind == "times" and role:
                yield Chunk("preposition", role, words=role)
            yield Chunk(chunk.kind, role, number, (), chunk.words, chunk.place)
            continue
        if chunk.kind in ("approximate", "limit", "preposition"):
            pending.append(chunk)
            continue
        yield from pending
        pending = []
        yield chunk
    yield from pending


def _with_events(chunks: list[Chunk], domain: Domain) -> list[Chunk]:
    """Put the event in the place of its words where they stand in another tense: "the ball flew over the wall"."""
    for key, wanted in domain.told.items():
        taken: list[int] = []
        first = 0
        for k, chunk in enumerate(chunks):
            if chunk.kind in ("joint", "lead", "event"):
                taken, first = [], k + 1
                continue
            stems = tuple(stem(word) for word in chunk.words.split())
            left = wanted[sum(len(chunks[i].words.split()) for i in taken) :]
            if stems and stems == left[: len(stems)]:
                taken.append(k)
                if len(stems) == len(left):
                    inside = {k for k in range(taken[0], taken[-1]) if chunks[k].kind == "harmless"} | set(taken)
                    event = Chunk("event", key, words=" ".join(chunks[i].words for i in taken))
                    told = next((i for i in range(first, len(chunks)) if _in_event(chunks[i], key, domain)), None)
                    out = inside | ({told} if told is not None else set())
                    head = [chunks[i] for i in range(taken[0]) if i not in out]
                    if told is None and NUMBER.search(key):
                        head.append(Chunk("only", words="without its number"))
                    return [*head, event, *(chunks[i] for i in range(taken[0], len(chunks)) if i not in out)]
    return chunks


def _in_event(chunk: Chunk, key: str, domain: Domain) -> bool:
    """Whether a number is one of those in the event's words, with the same unit."""
    number = chunk.number
    return number is not None and any(
        (value_of(match, key), _unit(key, match.end(), domain)[1]) == (number.value, number.unit)
        for match in NUMBER.finditer(key)
    )


def _pieces(tokens: Sequence[_Token], domain: Domain) -> Iterator[Chunk]:
    i = 0
    while i < len(tokens):
        found, end = _next_pieces(tokens, i, domain)
        place = (tokens[i].start, tokens[end - 1].end)
        yield from (replace(chunk, place=place) for chunk in found)
        i = end


def _next_pieces(tokens: Sequence[_Token], i: int, domain: Domain) -> tuple[list[Chunk], int]:
    """Return what begins at token `i`, the longest first, and where it ends."""
    token = tokens[i]
    if token.kind == "name":
        kind, key = domain.names[token.text]
        return [Chunk(kind, key, words=token.text)], i + 1
    if (parameters := _all_parameters(tokens, i, domain)) is not None:
        return parameters
    if token.text in _BECOMING and i + 1 < len(tokens) and tokens[i + 1].text in domain.ways:
        return [Chunk("move", "some", words=token.text)], i + 1  # "the wall became thicker"
    for read in (_time, _phrase):
        if (found := read(tokens, i)) is not None:
            return [found[0]], found[1]
    return [_one(tokens, i, domain)], i + 1


def _all_parameters(tokens: Sequence[_Token], i: int, domain: Domain) -> tuple[list[Chunk], int] | None:
    """Return the names that "both parameters", "all three parameters" or "the parameters" stand for."""
    at, count = i, len(domain.parameters)
    is_both = tokens[at].text == "both"
    if tokens[at].text in ("all", "both"):
        at += 1
        if at < len(tokens) and not is_both and WORDED_NUMBERS.get(tokens[at].text) == count:
            at += 1
    if at >= len(tokens) or tokens[at].text != "parameters" or not 2 <= count <= _MOST_AT_ONCE:
        return None
    if is_both and count != 2:
        return None
    names = [Chunk("quantity", key, words=key.partition(" ")[2]) for key in domain.parameters]
    joined = [c for name in names for c in (name, Chunk("joint", "and", words="and"))][:-1]
    return joined, at + 1


_BECOMING = frozenset(["became", "become", "becomes", "becoming", "got", "gets", "get", "getting", "grew"])
_MOST_AT_ONCE = 12
"""Parameters that are spoken of at once."""


def _one(tokens: Sequence[_Token], i: int, domain: Domain) -> Chunk:
    """Return the chunk of a single token that begins no phrase."""
    token = tokens[i]
    if token.kind == "number":
        return Chunk("number", "", token.number, (), token.text)
    word = token.text
    if (
        word == "or"
        and i + 1 < len(tokens)
        and (tokens[i + 1].kind == "number" or tokens[i + 1].text in _BEFORE_NUMBERS)
    ):
        return Chunk("joint", "and", words=word)  # "0.4, or 3 % of the 12 at the start"
    dangling = i + 1 == len(tokens) or (tokens[i + 1].kind == "word" and not tokens[i + 1].text[0].isalnum())
    if word in domain.ways:
        return Chunk("way", domain.ways[word], words=word)
    if word.endswith("'s") and word[:-2] in domain.words:
        return Chunk("only", words=word)
    if word == "only" and not dangling and (tokens[i + 1].kind == "number" or tokens[i + 1].text in PREPOSITIONS):
        return Chunk("only", words=word)
    if (
        word == "only"
        and not dangling
        and i
        and any(kind == "move" for _, kind, _ in TABLE.get(tokens[i + 1].text, ()))
    ):
        return Chunk("only", "verb", words=word)  # "it only rose from 3 to 4"
    if word == "of" and not dangling and (tokens[i + 1].kind == "number" or tokens[i + 1].text in _BEFORE_NUMBERS):
        return Chunk("preposition", word, words=word)
    if word in PREPOSITIONS and not dangling:
        return Chunk("preposition", word, words=word)
    of_what = word == "of" and i > 0 and _is_thing(tokens[i - 1])
    in_what = word == "in" and (i == 0 or tokens[i - 1].text not in _CHANGES)
    if (of_what or in_what) and not dangling and _is_thing(tokens[i + 1]):
        return Chunk("preposition", word, words=word)
    if word in HARMLESS and not dangling:
        return Chunk("harmless", word, words=word)
    return Chunk("word", word, words=word)


def _phrase(tokens: Sequence[_Token], i: int) -> tuple[Chunk, int] | None:
    token = tokens[i]
    if token.number is not None and i + 1 < len(tokens) and tokens[i + 1].text == "times" and not token.number.unit:
        return Chunk("times", repr(token.number.value), words=token.text), i + 2
    if token.kind != "word":
        return None
    if tokens[i].text in WORDED_NUMBERS and i + 1 < len(tokens) and tokens[i + 1].text == "times":
        return Chunk("times", repr(WORDED_NUMBERS[tokens[i].text]), words=tokens[i].text), i + 2
    for words, kind, value in TABLE.get(tokens[i].text, ()):
        end = i + len(words)
        if end <= len(tokens) and all(
            t.text == w and (t.kind == "word" or w in ZERO) for t, w in zip(tokens[i:end], words, strict=True)
        ):
            return Chunk(kind, value, words=" ".join(words)), end
    return None


def _time(tokens: Sequence[_Token], i: int) -> tuple[Chunk, int] | None:
    """Return the time that begins at token `i`: a pattern of words, whole numbers and words for iteration."""
    first = tokens[i]
    if first.kind == "word" and first.text not in _TIME_STARTS:
        return None
    bare = i == 0 or tokens[i - 1].kind != "number"
    for kind, pattern in TIMES:
        at, times = i, []
        if pattern[0] == "ITER" and not bare:  # "0.2 iteration 3"
            continue
        for element in pattern:
            here = tokens[at] if at < len(tokens) else None
            wanted = element.rstrip("?")
            whole = here is not None and here.number is not None and _whole(here)
            if wanted in ("N", "K"):
                fits = whole
                if fits and here is not None and here.number is not None:
                    times.append(int(here.number.value))
            elif here is None or here.kind != "word":
                fits = False
            elif wanted == "ITER":
                fits = here.text in ITERATION
            else:
                fits = here.text in wanted.split("|")
            if fits:
                at += 1
            elif not element.endswith("?"):
                break
        else:
            words = " ".join(t.text for t in tokens[i:at])
            return Chunk("time", kind, None, tuple(times), words), at
    return None


def _is_thing(token: _Token) -> bool:
    """Whether a token is the name of a quantity."""
    return token.kind == "name" or any(kind == "quantity" for _, kind, _ in TABLE.get(token.text, ()))


_CHANGES = frozenset(["change", "drop", "fall", "rise", "decrease", "increase", "reduction", "growth", "decline"])
"""Words behind which "in" says of what."""

_TIME_STARTS = (
    frozenset(
        word
        for _, pattern in TIMES
        for word in (w for e in pattern[:1] for w in e.split("|"))
        if word not in ("N", "ITER")
    )
    | ITERATION
)


def _whole(token: _Token) -> bool:
    number = token.number
    if number is None or number.unit or not 0 <= number.value < 1e15:
        return False
    return number.value == int(number.value) and re.fullmatch(r"[0-9,]+", token.text) is not None
