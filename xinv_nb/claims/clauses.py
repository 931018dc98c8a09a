"""A sentence cut into clauses at its commas and conjunctions, each with its subject.

A clause may lack its subject, its verb or its time and take them from the one before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from xinv_nb.claims.reading import Chunk
from xinv_nb.claims.vocabulary import words_of

LOSS = "loss"


@dataclass
class Clause:
    """The chunks of a clause, and the keys of what it is about."""

    chunks: list[Chunk]
    subjects: list[str] = field(default_factory=list)
    sign: str = ""
    """The conjunction or mark before it."""
    place: tuple[int, int] = (0, 0)
    """Where its own words stand in the text."""
    inherited: bool = False
    """Whether the subject is that of the clause before."""


_MOST_BACK = 12
"""Clauses back from which a verb or a subject is taken over."""
_PREDICATES = words_of(
    "move begin end pattern crosses steady credit truth very-near near far over under state asked wants never extreme "
    "ending than times event"
)
_INHERITED = words_of("move begin end credit be asked way pattern")
_TIMES = words_of("time at all every then first path")
_SUBJECTS = words_of("quantity event")
_SILENT = words_of("harmless pronoun joint lead")


def clauses_of(chunks: Sequence[Chunk], before: Sequence[str] = ()) -> list[Clause]:
    """Return the clauses of a sentence; `before` is what the sentence before was about."""
    clauses = _clauses(chunks)
    _give_subjects(clauses, before)
    return [one for clause in clauses for one in _distributed(clause)]


def _segments(chunks: Sequence[Chunk]) -> Iterator[tuple[str, list[Chunk]]]:
    """Yield what stands between commas and conjunctions, with the sign before it."""
    sign = ""
    segment: list[Chunk] = []
    for chunk in chunks:
        cuts = chunk.kind in ("joint", "lead") or (chunk.kind == "asked" and _says(segment))
        if cuts:
            if segment:
                yield sign, segment
                segment = []
                sign = chunk.words
            elif chunk.words in (";", ":", "when"):
                sign = chunk.words
        if chunk.kind not in _SILENT or chunk.kind == "pronoun":
            segment.append(chunk)
    if segment:
        yield sign, segment


def _says(segment: Sequence[Chunk]) -> bool:
    return any(chunk.kind in _PREDICATES for chunk in segment)


def _names(segment: Sequence[Chunk]) -> bool:
    return any(chunk.kind in _SUBJECTS for chunk in segment)


def _clauses(chunks: Sequence[Chunk]) -> list[Clause]:
    """Return the clauses of a sentence."""
    clauses: list[Clause] = []
    pending: list[Chunk] = []
    plural: list[Chunk] = []
    for sign, segment in _segments(chunks):
        if all(c.kind in ("be", "pronoun") for c in segment):
            clauses.append(Clause([Chunk("word", "be", words=c.words) for c in segment]))
            continue
        here = [c for c in segment if c.kind != "pronoun"]
        if here and all(c.kind in ("quantity", "both", "not") for c in here) and sign != ";":
            plural += here
            continue
        if plural:
            plural += [Chunk("word", c.words, words=c.words) for c in plural if c.value == "run"]
            torn = sign not in ("and", "nor", "") and any(c.kind == "quantity" for c in plural)
            if torn and (not here or here[0].kind != "quantity"):  # "x, fell" is no sentence
                plural.append(Chunk("word", sign, words=sign))
            if here and here[0].kind == "quantity" and sign in ("and", "nor", "or", ","):
                segment = [*plural, *segment]
            elif clauses:
                clauses[-1].chunks += plural
            else:
                pending += plural
            plural = []
        named, says = _names(segment), _says(segment)
        weak = not named and not says and not any(c.kind == "pronoun" for c in segment)
        again = clauses and all(
            any(c.kind == "number" and c.value == "from" for c in s) for s in (segment, clauses[-1].chunks)
        )
        goes_on = any(c.kind == "then" for c in segment) or sign == ";" or bool(again)
        if weak or (not named and not says and clauses and not any(c.kind == "number" for c in segment)):
            if clauses and not pending and not goes_on:
                clauses[-1].chunks += segment
                continue
            if not (pending and any(c.kind == "number" for c in segment) and clauses) and not (
                goes_on and any(c.kind == "number" for c in segment) and clauses
            ):
                pending += segment
                continue
        clauses.append(Clause([*pending, *segment], sign=sign))
        pending = []
    rest = [*pending, *plural]
    if rest and clauses:
        clauses[-1].chunks += rest
    elif rest:
        clauses.append(Clause(rest))
    return clauses


def _give_subjects(clauses: list[Clause], before: Sequence[str]) -> None:
    """Give each clause its subjects, and the verb of the one before where it has none."""
    for k, clause in enumerate(clauses):
        places = [c.place for c in clause.chunks if c.place[1]]
        clause.place = (min(a for a, _ in places), max(b for _, b in places)) if places else (0, 0)
        compared = {id(two) for one, two in pairwise(clause.chunks) if one.kind == "limit" or one.value == "than"}
        subjects = [c for c in clause.chunks if c.kind in _SUBJECTS and id(c) not in compared]
        clause.subjects = list(dict.fromkeys(c.value for c in subjects))
        about_run = "run" in clause.subjects
        earlier = clauses[k - 1] if k else None
        if about_run and earlier and any(c.number and c.number.unit for c in clause.chunks):
            clause.subjects = earlier.subjects
        elif about_run:
            clause.subjects = [s for s in clause.subjects if s != "run"] or [LOSS]
        for other in reversed(clauses[max(k - _MOST_BACK, 0) : k]):
            if verb := _verb_of(other.chunks, clause.chunks):
                clause.chunks += verb
                break
        if not clause.subjects and earlier is not None:
            clause.subjects, clause.inherited = earlier.subjects, True
            if any(c.kind == "asked" for c in clause.chunks):
                clause.subjects = _moved_since(clauses[max(k - _MOST_BACK, 0) : k]) or earlier.subjects
        elif earlier is not None and clause.subjects == earlier.subjects:
            clause.inherited = True
    for k in range(len(clauses) - 2, -1, -1):  # "Swinging to and fro, x fell": the subject comes later
        if not clauses[k].subjects:
            clauses[k].subjects = clauses[k + 1].subjects
    for clause in clauses:
        general = any(c.kind == "pattern" and c.value in ("plateau", "divergence") for c in clause.chunks)
        clause.subjects = clause.subjects or list(before) or ([LOSS] if general else [])


def _distributed(clause: Clause) -> list[Clause]:
    """Return a clause for each of several subjects with its own number: "x and y ended at 3 and 4"."""
    count = len(clause.subjects)
    numbers = clause.chunks[-count:]
    is_one_each = (
        1 < count == len(numbers) and all(c.kind == "number" for c in numbers) and not any(c.value for c in numbers[1:])
    )
    others = [c.kind for c in clause.chunks[:-count]]
    if not is_one_each or "number" in others or "both" in others or numbers[0].value == "between":
        return [clause]
    own = [c for c in clause.chunks[:-count] if c.kind != "quantity"]
    names = {c.value: c for c in clause.chunks if c.kind == "quantity"}
    return [
        replace(clause, chunks=[names[s], *own, replace(n, value=numbers[0].value)], subjects=[s])
        for s, n in zip(clause.subjects, numbers, strict=True)
        if s in names
    ]


def _moved_since(earlier: Sequence[Clause]) -> list[str]:
    """Return what moved in the clauses since the gradient was last spoken of: all of it is what it asked for."""
    moved: list[str] = []
    for clause in reversed(earlier):
        if any(c.kind == "asked" for c in clause.chunks):
            break
        if any(c.kind in ("move", "begin", "end", "be", "pattern") for c in clause.chunks):
            moved = [*clause.subjects, *moved]
    return list(dict.fromkeys(s for s in moved if s not in (LOSS, "gradient")))


def _verb_of(earlier: Sequence[Chunk], chunks: Sequence[Chunk]) -> list[Chunk]:
    """Return the verb that a clause takes over: "x fell to 3, and y to 4"."""
    shared = any(c.kind == "number" and c.number and c.number.unit == "%" for c in chunks)
    if shared and any(c.kind == "credit" for c in earlier) and not any(c.kind in ("credit", "than") for c in chunks):
        return [c for c in earlier if c.kind == "credit"]
    if _says(chunks) or _has_plain_value(chunks):
        return []
    return [c for c in earlier if c.kind in _INHERITED]


def _has_plain_value(chunks: Sequence[Chunk]) -> bool:
    kinds = {c.kind for c in chunks}
    return bool(kinds & {"be", "reach"}) and "number" in kinds


_PASSIVE = words_of("raised lowered reduced brought cut increased decreased shifted moved changed brought down")


def _torn(before: Chunk, move: Chunk) -> bool:
    """Whether a verb does not go with the word before it: "x was fell", "x rose fell"."""
    if before.kind == "be":
        return move.words.split()[0] not in _PASSIVE and move.value in ("up", "down", "some")
    return before.kind == "move" and move.words not in ("up", "down")


def objects_of(chunks: Sequence[Chunk]) -> list[Chunk]:
    """Return what a verb acts on where that is not what the clause is about: "the weight lowered it"."""
    found = [
        Chunk("word", two.words, words=two.words)
        for one, two in pairwise(chunks)
        if one.kind == "move" and two.kind == "pronoun"
    ]
    kinds = [c.kind for c in chunks if c.kind not in ("harmless", "both")]
    names = [c for c in chunks if c.kind == "quantity"]
    once = {c.value: c for c in reversed(names)}
    found += [Chunk("word", c.words, words=c.words) for c in names if c is not once[c.value]]
    for one, two in pairwise(chunks):
        if (one.kind, two.kind) == ("be", "pronoun") or (one.words == "it" and two.kind == "quantity"):
            found.append(Chunk("word", two.words, words=two.words))
        acts = one.kind == "move" and one.words.split()[0] in _PASSIVE and "agent" not in kinds
        if acts and two.kind == "quantity":  # "which lowered x": what did?
            found.append(Chunk("word", one.words, words=f"{one.words} {two.words}"))
        if one.kind == "preposition" and one.value == "in" and two.kind == "quantity":
            found.append(Chunk("word", two.words, words=f"in {two.words}"))
        than = one.kind == "limit" or (one.kind == "preposition" and one.value == "than")
        if than and two.kind == "quantity" and "credit" not in kinds:
            found.append(Chunk("compared", two.value, words=f"than {two.words}"))
        part_of = one.kind == "times" and one.words.endswith(" of") and two.kind == "quantity"
        if part_of or (one.kind == "quantity" and two.words == "it") or (two.kind == "move" and _torn(one, two)):
            found.append(Chunk("word", two.words, words=two.words))
    places = [i for i, kind in enumerate(kinds) if kind == "quantity"]
    if any(c.kind == "compared" for c in found):
        places = places[:-1]
    apart = len(places) > 1 and places[-1] - places[0] >= len(places)
    verbs = [c for c in chunks if c.kind == "move" and c.words not in ("up", "down")]
    found += [Chunk("word", c.words, words=c.words) for c in verbs[1:]]
    if (
        verbs
        and "be" in kinds
        and not any(c.words.split()[0] in _PASSIVE or c.value in ("flat", "stay") for c in verbs)
    ):
        found += [Chunk("word", c.words, words=c.words) for c in chunks if c.kind == "be"]
    if len(set(places)) > 1 and not {"extreme", "ending"} & set(kinds):
        found += [Chunk("word", c.words, words=c.words) for c in chunks if c.kind == "quantity" and c.value == "run"]
    if apart and not ("credit" in kinds and {"than", "limit"} & set(kinds)):
        compared = {c.value for c in found if c.kind == "compared"}
        named = [c for c in chunks if c.kind == "quantity" and c.value not in (LOSS, "run", *compared)]
        own = LOSS in {c.value for c in chunks} and not {"credit", "extreme"} & set(kinds)
        found += [Chunk("word", c.words, words=c.words) for c in (named if own else named[1:])]
    return found
