"""What the fall of the loss is due to, and true values."""

from __future__ import annotations

from dataclasses import replace

from xinv_nb.claims.clauses import LOSS
from xinv_nb.claims.numerals import Number
from xinv_nb.claims.readers.bag import Bag
from xinv_nb.claims.reading import Chunk
from xinv_nb.claims.statements import END, START, Statement


def several(bag: Bag) -> bool:
    """Whether a clause that names several quantities is about each of them."""
    first, *others = dict.fromkeys(bag.named)
    if "run" in bag.named or first == bag.subject == LOSS:
        others = [name for name in others if name not in ("run", LOSS)]
    if bag.has("credit") and (bag.has("than") or bag.has("limit")) and bag.subject == first:
        for kind in ("than", "preposition", "limit", "of", "credit", "move"):
            bag.take(kind)
        bag.add("credit more", others[0] if others else "")
        for role, subject in (("", first), ("against", others[0] if others else "")):
            if (share := bag.take_number(role)) and subject:
                bag.found.append(Statement("credit", subject, (), share.number, words=bag.words))
        return False
    return True


def credit(bag: Bag) -> None:
    """Read what share of the fall of the loss is due to something."""
    order = [c.value if c.kind == "credit" else "share" for c in bag.rest if c.kind in ("credit", "number")]
    if bag.numbers("for") or bag.has("times") or bag.has("most"):
        order = []  # "and y for 4 %", "half of it came from x"
    if not bag.has("credit") or order[:2] in (["by", "share"], ["share", "for"]):
        return
    share = bag.take_number("", "for", "of", "by")
    if share is None and (half := bag.take("times")) and half.number:
        share = Chunk("number", "", replace(half.number, value=100 * half.number.value, unit="%"))
    if share is None and bag.take("most"):
        share = Chunk("number", "", Number(50, 0.0, "%", "more"))
        bag.rest.append(Chunk("of", "fall"))
    if share is None or share.number is None or share.number.unit != "%":
        bag.rest += [share] if share else []
        return
    while bag.take("credit") or bag.take("of"):
        pass
    bag.take("move", "some")
    bag.take("be")
    bag.take("preposition", "from")
    bag.take("preposition", "by")
    bag.take("preposition", "to")
    bag.add("credit", number=share.number, over=(START, END))


def truth(bag: Bag) -> None:
    """Read what the true value is, or how near to it something ended."""
    for kind in ("very-near", "near", "far", "over", "under"):
        if bag.take(kind, "truth"):
            bag.add("truth is", kind, over=(END, END))
            bag.take("end"), bag.take("be"), bag.take("reach")
            if number := bag.take_number("of"):
                bag.add("truth", number=number.number, over=(END, END))
            return
    if bag.has("at", "truth"):
        return
    if bag.take("truth"):
        bag.take("be")
        number = bag.take_number("", "of", "at")
        if number is None and not bag.rest:
            bag.add("truth is", "at", over=(END, END))
        elif number is None:
            bag.rest.append(Chunk("word", "true value", words="true value"))
        else:
            bag.add("truth", number=number.number, over=(END, END))
