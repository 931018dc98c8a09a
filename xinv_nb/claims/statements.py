"""What a sentence states: a kind of statement, a quantity, what of it, and when."""

from __future__ import annotations

from dataclasses import dataclass, field

from xinv_nb.claims.numerals import Number
from xinv_nb.claims.reading import Chunk

Mark = tuple[str, int]
"""A moment: `("start", 0)`, `("end", 0)`, `("at", 7)`, `("first", 20)` (the last of the first 20) or `("some", 0)`."""

Span = tuple[Mark, Mark]

START, END, SOME = ("start", 0), ("end", 0), ("some", 0)


@dataclass(frozen=True)
class Statement:
    """One thing that a sentence states, and the words that say so."""

    kind: str
    quantity: str = ""
    what: tuple[str, ...] = ()
    number: Number | None = None
    since: Mark = START
    until: Mark = END
    negated: bool = False
    other: Number | None = None
    """The value of a second quantity at the same time."""
    words: str = field(default="", compare=False)
    place: tuple[int, int] = field(default=(0, 0), compare=False)
    """Where the clause that says so stands in the text."""


@dataclass(frozen=True)
class Reading:
    """What a sentence states, and the pieces of it that were not understood."""

    statements: tuple[Statement, ...]
    unread: tuple[Chunk, ...]
    subjects: tuple[str, ...] = ()
    """What the sentence was about at last: what "it" in the next one means."""
