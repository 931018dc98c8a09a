"""The declaration of a kind of query: how it is answered, and the facts that its answers are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from xinv_nb.facts.counting import counted
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.shifting import shifted
from xinv_nb.language.slots import Slot
from xinv_nb.words.queries.query import Query

Slots = Mapping[str, type[Slot] | tuple[type[Slot], ...]]


@dataclass(frozen=True)
class QueryKind:
    """A kind of query.

    Its reviewed examples are in `xinv_nb/words/queries/examples/<name>.txt`, its sentences in
    `xinv_nb/language/banks/english/answers/<name>.txt`, under the part `answer <name>`.
    """

    name: str
    answer: Callable[[Query], Sequence[Fact]]
    """Returns what answers a query; nothing where this kind has no answer to it."""
    slots: Slots = field(default_factory=dict)
    """What its own sentences say."""

    @property
    def kind(self) -> Kind:
        """The kind of fact that its own sentences tell."""
        return kind_of_answer(self.name, self.slots)


def kind_of_answer(name: str, slots: Slots) -> Kind:
    """Return the kind of fact that the sentences of a kind of query tell.

    >>> kind_of_answer("value", {}).name
    'answer value'
    """
    return Kind(name=f"answer {name}", question=Question.ENDING, rank=0, slots=slots)


def told(query: Query, name: str, form: str, slots: Mapping[str, Slot], span: tuple[int, int] | None = None) -> Fact:
    """Return an answer's own sentence as a fact, with evaluations as the whole recording counts them."""
    found = span or (0, max(query.run.evaluations - 1, 0))
    fact = Fact("", f"answer {name}", form, slots, found)
    if query.run is not query.whole:
        fact = shifted(fact, query.places)
    return counted(query.whole, [fact])[0]
