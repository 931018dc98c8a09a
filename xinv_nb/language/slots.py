"""The types of what stands in the slots of a sentence: plain data that knows its unit, and no words of any language.

`plain` is the bare number, name or list, as `Fact.values` shows it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from xinv_nb.language.quantities import pair as said_apart

Directions = tuple[str, str]
"""What less and more of a quantity are called in the domain, such as south and north."""


class Slot:
    """What may stand in a slot."""

    @property
    def plain(self) -> Any:
        """The bare number, name or list."""
        raise NotImplementedError


@dataclass(frozen=True)
class Value(Slot):
    """A number with its unit, told with so many digits that it can be told apart from the one `beside` it, if any.

    `in_powers`: below 0.001 with a power of ten, as step sizes are compared, of which the order is what matters.
    """

    number: float
    unit: str = ""
    beside: float | None = None
    digits: int = 3
    in_powers: bool = False

    @property
    def plain(self) -> float:
        """The number."""
        return self.number

    def looks_like(self, other: Value) -> bool:
        """Whether both are written with the same digits, however many are told."""
        return said_apart(self.number, other.number)[0] == said_apart(self.number, other.number)[1]


@dataclass(frozen=True)
class LossValue(Value):
    """A value of the loss, or a part of its change; it gets its unit where a fact is told: see `LossNamed`.

    `leads`: another one follows in the same words, and the unit stands there.
    """

    leads: bool = False


@dataclass(frozen=True)
class Uncertain(Slot):
    """A number with its standard error and its unit, told to two digits of the error."""

    number: float
    error: float
    unit: str = ""

    @property
    def plain(self) -> float:
        """The number."""
        return self.number


@dataclass(frozen=True)
class Count(Slot):
    """How many there are of something: iterations, steps, times."""

    number: int

    @property
    def plain(self) -> int:
        """The number."""
        return self.number


@dataclass(frozen=True)
class Iteration(Count):
    """The number of an iteration."""


@dataclass(frozen=True)
class Ordinal(Count):
    """Which one in a row it is, from 1."""


@dataclass(frozen=True)
class SolverIterations(Count):
    """How many iterations a solver itself counts, told with the noun: they are no evaluations."""


@dataclass(frozen=True)
class Share(Slot):
    """A part of a whole, told in percent."""

    part: float

    @property
    def plain(self) -> float:
        """The part, 1 for the whole."""
        return self.part


@dataclass(frozen=True)
class Way(Slot):
    """Which way something went: up or down, or in the directions of the domain."""

    change: float
    directions: Directions | None = None

    @property
    def plain(self) -> float:
        """The change; its sign is the way."""
        return self.change


@dataclass(frozen=True)
class Named(Slot):
    """A parameter or a watched quantity: its name in the program, what the reader calls it, its unit and directions."""

    name: str
    label: str = ""
    unit: str = ""
    directions: Directions | None = None
    is_of_domain: bool = True
    """Whether the label is the domain's, and not a name out of the program, which keeps its letters."""

    @property
    def plain(self) -> str:
        """The name in the program."""
        return self.name


@dataclass(frozen=True)
class LossNamed(Slot):
    """What the loss is called in the domain, its unit, and what a lower and a higher one are called."""

    name: str
    unit: str = ""
    lower: str = "lower"
    higher: str = "higher"

    @property
    def plain(self) -> str:
        """The name."""
        return self.name


@dataclass(frozen=True)
class Asked(Slot):
    """What a derivative of the loss asks of a quantity: more of it, less of it, or nothing."""

    label: str
    cotangent: float
    directions: Directions | None = None
    loss: str = ""
    """What the loss is called, where it has a name in the domain."""

    @property
    def plain(self) -> float:
        """The derivative."""
        return self.cotangent


@dataclass(frozen=True)
class Word(Slot):
    """A word out of a small set that the banks know, such as `lower` or `not a number`."""

    key: str

    @property
    def plain(self) -> str:
        """The word's key, its English form."""
        return self.key


@dataclass(frozen=True)
class Said(Slot):
    """Words of the user's own or of another program, which stand as they are in every language."""

    text: str

    @property
    def plain(self) -> str:
        """The words."""
        return self.text


@dataclass(frozen=True)
class Listed(Slot):
    """Several slots in a row: `a, b and c`, or `a, b, c` where it is not `closing`.

    `shared`: the words that all begin or end with are said once, as in `the first and second point`.
    """

    items: tuple[Slot, ...]
    closing: bool = True
    shared: bool = False

    @property
    def plain(self) -> list[Any]:
        """The bare items."""
        return [item.plain for item in self.items]


@dataclass(frozen=True)
class Clause(Slot):
    """A part of a sentence that has a form and slots of its own, out of a part of the bank."""

    form: str
    slots: Mapping[str, Slot]
    kind: str = "clauses"
    """The part of the bank: `clauses`, or a kind of fact, of which a whole sentence is told within another."""

    @property
    def plain(self) -> dict[str, Any]:
        """The bare slots by their names."""
        return {name: slot.plain for name, slot in self.slots.items()}


def words_of_the_user(slots: Iterable[Slot]) -> Iterator[str]:
    """Yield the names and the words in slots that are the user's own, wherever in them.

    >>> list(words_of_the_user([Named("x", "bend"), Value(1.0), Listed((Said("the ball lands"),))]))
    ['bend', 'the ball lands']
    """
    for slot in slots:
        if isinstance(slot, Named):
            yield slot.label or slot.name
        elif isinstance(slot, LossNamed):
            yield from (slot.name, slot.lower, slot.higher)
        elif isinstance(slot, Said):
            yield slot.text
        elif isinstance(slot, Listed):
            yield from words_of_the_user(slot.items)
        elif isinstance(slot, Clause):
            yield from words_of_the_user(slot.slots.values())


def pair(first: float, second: float, unit: str = "", *, both: bool = False) -> tuple[Value, Value]:
    """Return two numbers as slots that can be told apart, the unit on the second, or on both.

    >>> pair(1.0, 2.0, "km")[1]
    Value(number=2.0, unit='km', beside=1.0, digits=3, in_powers=False)
    """
    return Value(first, unit if both else "", second), Value(second, unit, first)


def loss_pair(first: float, second: float, *, both: bool = False) -> tuple[LossValue, LossValue]:
    """Return two values of the loss that can be told apart, the unit on the second, or on both.

    >>> loss_pair(1.0, 2.0)[0].leads
    True
    """
    return LossValue(first, beside=second, leads=not both), LossValue(second, beside=first)


def named_in(slots: Mapping[str, Slot], loss: LossNamed) -> dict[str, Slot]:
    """Return slots in which values of the loss have its unit, and what is asked for its sake names it.

    >>> named_in({"end": LossValue(2.0)}, LossNamed("total cost", "M€"))["end"].unit
    'M€'
    """
    return {name: _named_in(slot, loss) for name, slot in slots.items()}


def _named_in(slot: Slot, loss: LossNamed) -> Slot:
    if isinstance(slot, LossValue):
        return slot if slot.leads or not math.isfinite(slot.number) else replace(slot, unit=loss.unit)
    if isinstance(slot, Asked):
        return replace(slot, loss=loss.name)
    if isinstance(slot, Listed):
        return replace(slot, items=tuple(_named_in(item, loss) for item in slot.items))
    if isinstance(slot, Clause):
        return replace(slot, slots=named_in(slot.slots, loss))
    return slot
