"""What the gradient asked for."""

from __future__ import annotations

from xinv_nb.claims.readers.bag import Bag
from xinv_nb.claims.reading import Chunk
from xinv_nb.claims.statements import END, START


def asked(bag: Bag) -> None:
    """Read that the gradient asked for what happened, or for the opposite."""
    asked = bag.take("asked")
    if asked is None:
        return
    what = asked.value
    if what == "open":
        of_what = bag.take("preposition", "for") or bag.take("preposition", "to")
        move = bag.take("move", "up") or bag.take("move", "down") or bag.take("way")
        than = bag.take("than", "higher") or bag.take("than", "lower")
        if move:
            what = move.value
            bag.take("move", "some")
        elif than:
            what = "up" if than.value == "higher" else "down"
        else:
            what = "this"
            if of_what:
                bag.rest.append(of_what)
    if what in ("this", "opposite"):
        bag.rest += [Chunk("word", name, words=name) for name in bag.named]  # "the gradient asked for x"
    extent = bag.take("time", "extent")
    how: tuple[str, ...]
    if extent is not None:
        how = (f"{extent.times[0]} of {extent.times[1]}",) if len(extent.times) > 1 else (f"0 of {extent.times[0]}",)
    else:
        how = ("every",) if bag.take("every") or bag.take("all") else ()
    bag.add("asks", what, *how, over=bag.span if bag.timed else (START, END))


def wants(bag: Bag) -> None:
    """Read that more or less of something would lower the loss."""
    if not bag.has("wants"):
        return
    than, way = bag.take("than", "higher") or bag.take("than", "lower"), bag.take("way")
    if way and bag.take("move", "some"):
        direction = way.value
    elif than and not way:
        direction = "up" if than.value == "higher" else "down"
    else:
        bag.rest += [c for c in (than, way) if c]
        return
    bag.take("wants")
    bag.add("wants", direction, *(("all",) if bag.take("all") else ()))
