"""The chunks of a clause about one quantity, taken out as they are understood."""

from __future__ import annotations

from collections.abc import Sequence

from xinv_nb.claims.clauses import objects_of
from xinv_nb.claims.numerals import Number
from xinv_nb.claims.reading import Chunk
from xinv_nb.claims.statements import END, START, Mark, Span, Statement
from xinv_nb.claims.vocabulary import words_of

_VERBS = words_of(
    "move be begin end reach pattern credit asked wants event ending never cause state times crosses steady"
)


class Bag:
    """The chunks of a clause about one quantity, taken out as they are understood.

    The order of what stands in a clause says little in English, as each number carries its preposition. Whatever is
    left in the bag was not understood.
    """

    def __init__(self, subject: str, chunks: Sequence[Chunk], inherited: Span | None, previous: Span | None) -> None:
        self.subject = subject
        self.rest = [c for c in chunks if c.kind not in ("quantity", "pronoun", "both", "harmless")]
        self.rest += objects_of(chunks)
        self.named = [c.value for c in chunks if c.kind == "quantity"]
        self.words = " ".join(c.words for c in chunks if c.words)
        self.found: list[Statement] = []
        self.inherited, self.previous = inherited, previous
        self.span: Span = (START, END)
        self.timed = False
        self.governing: Span | None = None
        """The time of a clause before, which is meant here too unless another is given."""
        self.is_event = False
        self.has_verb = any(c.kind in _VERBS for c in chunks)
        self.paired: dict[int, Mark] = {}
        """From the identity of a number to the moment right behind it."""

    def take(self, kind: str, value: str | None = None) -> Chunk | None:
        """Take out the first chunk of a kind, and return it."""
        for chunk in self.rest:
            if chunk.kind == kind and (value is None or chunk.value == value):
                self.rest.remove(chunk)
                return chunk
        return None

    def has(self, kind: str, value: str | None = None) -> bool:
        """Whether a chunk of a kind is left."""
        return any(c.kind == kind and (value is None or c.value == value) for c in self.rest)

    def numbers(self, *roles: str) -> list[Chunk]:
        """Return the numbers that are left in some of the roles."""
        return [c for c in self.rest if c.kind == "number" and c.value in roles]

    def take_number(self, *roles: str) -> Chunk | None:
        """Take out the first number in one of the roles."""
        for chunk in self.numbers(*roles):
            self.rest.remove(chunk)
            return chunk
        return None

    def add(
        self, kind: str, *what: str, number: Number | None = None, at: Mark | None = None, over: Span | None = None
    ) -> None:
        """State something of the subject, over the span of the clause unless another is given."""
        since, until = over or ((at, at) if at else self.span)
        self.found.append(Statement(kind, self.subject, what, number, since, until, words=self.words))
