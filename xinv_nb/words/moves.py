"""Which parameters moved which way, in few words, as far as it is known that this lowered the loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xinv_nb.facts.fact import Fact
from xinv_nb.language.quantities import is_state
from xinv_nb.language.slots import Clause, Listed, Named, Said, Slot, Way
from xinv_nb.words.choosing import of_kind

_MOST = 3
"""Parameters named."""


def moves_of(
    facts: Sequence[Fact], span: tuple[int, int], *, of_any: bool = False
) -> Iterator[tuple[Listed, list[Fact]]]:
    """Yield the moves of which the reasons are known over a span, with the facts that say so; none where none is.

    Those that the domain has a name for; `of_any` others as well.

    >>> list(moves_of([], (0, 1)))
    []
    """
    known = [fact for fact in of_kind(facts, "reason") if fact.span == span and (of_any or is_of_domain(fact))]
    if known:
        yield moved(known[:_MOST]), known[:_MOST]


def moved(facts: Sequence[Fact]) -> Listed:
    """Return which way the parameters of some facts went, those that went one way together.

    >>> moved([]).items
    ()
    """
    ways: dict[tuple[object, ...], list[Fact]] = {}
    for fact in facts:
        way = fact.slots["went"]
        assert isinstance(way, Way)
        ways.setdefault((way.directions, way.change > 0), []).append(fact)
    parts: list[Slot] = []
    for place, together in enumerate(ways.values()):
        together.sort(key=lambda fact: (len(fact.values["parameter"]), fact.values["parameter"]))  # as in the program
        names, went = Listed(tuple(f.slots["parameter"] for f in together), shared=True), together[0].slots["went"]
        direction = _direction(went)
        if place and direction and _direction(next(iter(ways.values()))[0].slots["went"]):
            parts.append(Clause("headline, moved as well", {"names": names, "way": Said(direction)}))
        else:
            parts.append(Clause("headline, moved", {"names": names, "went": went}))
    return Listed(tuple(parts), closing=False)


def _direction(way: Slot) -> str:
    """Return where something moved in the directions of the domain; an empty text where it rose or became something."""
    if not isinstance(way, Way) or way.directions is None:
        return ""
    direction = way.directions[1 if way.change > 0 else 0]
    return "" if is_state(direction) else direction


def is_of_domain(fact: Fact) -> bool:
    """Whether the domain has a name for the parameter that a fact is about.

    >>> is_of_domain(Fact("", "movement", "went", {"parameter": Named("x", "bend")}, (0, 1)))
    True
    """
    parameter = fact.slots["parameter"]
    return isinstance(parameter, Named) and parameter.is_of_domain
