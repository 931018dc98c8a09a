"""What occurred: events, and how the run ended."""

from __future__ import annotations

from xinv_nb.claims.readers.bag import Bag
from xinv_nb.claims.reading import Chunk
from xinv_nb.claims.statements import END, START


def event(bag: Bag) -> None:
    """Read that an event happened, the first or the last time."""
    first, last = bag.take("first-time"), bag.take("last-time")
    event = bag.take("event")
    if event is None:
        bag.rest += [c for c in (first, last) if c]
        return
    which = "first" if first else "last" if last else "at"
    if not bag.timed:
        bag.rest.append(event)
        return
    bag.add("event", which)
    bag.is_event = True


def ending(bag: Bag) -> None:
    """Read how the run ended."""
    if ending := bag.take("ending"):
        bag.subject = "run"
        bag.rest += [Chunk("word", name, words=name) for name in bag.named if name != "run"]
        broken = bag.take("broken by") or bag.take("broken")
        bag.add("ending", ending.value, broken.value if broken else "", over=(START, END))
        bag.take("be")
        bag.take("preposition", "with")
        bag.take("preposition", "by")
