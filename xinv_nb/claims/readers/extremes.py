"""States, extremes and bounds."""

from __future__ import annotations

from xinv_nb.claims.readers.bag import Bag
from xinv_nb.claims.reading import Chunk
from xinv_nb.claims.statements import END


def state(bag: Bag) -> None:
    """Read that something was not a number."""
    if state := bag.take("state"):
        bag.take("be")
        extent = ("every",) if bag.take("every") else ()
        bag.take("all")
        bag.add("state", state.value, *extent)


def extreme(bag: Bag) -> None:
    """Read that something was lowest or highest, when, and what it was then."""
    if not bag.has("extreme") or bag.has("move"):
        return
    which = bag.take("extreme")
    bag.take("be"), bag.take("reach")
    number = bag.take_number("", "at", "of")
    at = bag.paired.get(id(number), bag.span[1] if bag.timed or bag.span[0] == bag.span[1] else None)
    if bag.timed and bag.span[0] != bag.span[1]:  # lowest in that stretch, or at its end?
        bag.rest.append(Chunk("word", "extreme", words=which.words if which else ""))
    if at is None and bag.inherited and bag.inherited[0] == bag.inherited[1]:
        at = bag.inherited[1]
    if bag.take("end"):
        at = at or END
    bag.take("preposition", "at"), bag.take("reach"), bag.take("be")
    if at is not None:
        bag.add("extreme", which.value if which else "", at=at)
    if number is not None:
        bag.add(
            "value",
            number=number.number,
            at=at or ("lowest" if which and which.value == "lowest" else "highest", 0),
        )
    elif at is None and which is not None:
        bag.rest.append(which)


def never(bag: Bag) -> None:
    """Read that something never went beyond a bound."""
    while never := bag.take("never"):
        bag.take("be"), bag.take("preposition", "than")
        number = bag.take_number("", "than")
        if number is not None:
            bag.add("limit", never.value, number=number.number)
        elif bag.span[0] == bag.span[1]:
            bag.add("extreme", "lowest" if never.value == "lower" else "highest", at=bag.span[0])
        else:
            bag.rest.append(Chunk("word", "never", words=never.words))
