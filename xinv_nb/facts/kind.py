"""The declaration of a kind of fact: all that there is to know of it beside its wordings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from xinv_nb.facts.fact import Fact
from xinv_nb.language.slots import Slot

if TYPE_CHECKING:
    from xinv_nb.facts.evidence import Evidence


class Question(Enum):
    """What facts answer, in the order in which a reader asks."""

    DIAGNOSIS = "What is wrong, and what to do?"
    LOSS = "What became of the loss?"
    SIMULATION = "What happened in the simulation?"
    MOVEMENT = "What moved, when, how far?"
    GRADIENT = "What did the gradient ask, and was it obeyed?"
    CREDIT = "What earned the fall?"
    SPEED = "How fast?"
    DETERMINATION = "Is the answer determined?"
    ENDING = "Why did it end, and what next?"
    COMPARISON = "What sets these runs apart?"


@dataclass(frozen=True)
class Kind:
    """A kind of fact.

    Its wordings are in `xinv_nb/language/banks/english/<name>.txt`, under the forms that `fact` is called with.
    """

    name: str
    question: Question
    rank: int
    """Of facts that would be missed equally, those of the lower rank come first; also the order of computation."""
    slots: Mapping[str, type[Slot] | tuple[type[Slot], ...]]
    """What its forms say, by name and type."""
    compute: Callable[[Evidence], Iterator[Fact]] | None = None
    """Yields its facts from what was recorded."""
    method: str = ""
    """By which method, with its source, for the table in the documentation."""
    asked_with: str = ""
    """Words by which a reader asks for it, as a regular expression; without, its facts answer the topics of `words`."""
    of_samples: bool = False
    """Whether it is told also where a loop draws samples, and minimizes nothing."""
    of_fits: bool = False
    """Whether it is about all fits of a recording, and computed when what the story tells is known."""
    wordings: str = ""
    """The kind whose part of the bank it shares, if not one of its own."""

    def fact(
        self,
        form: str,
        span: tuple[int, int],
        salience: float,
        slots: Mapping[str, Slot],
        *,
        cites: tuple[str, ...] = (),
        data: Mapping[str, Any] | None = None,
    ) -> Fact:
        """Return a fact of this kind; `data` is what it knows beside what its sentence says."""
        return Fact("", self.name, form, slots, span, cites, salience, data or {}, self.wordings)
