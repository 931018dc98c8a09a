"""How slots are said in English."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xinv_nb.language.quantities import (
    asked,
    in_powers,
    is_state,
    listed,
    number,
    pair,
    plus_minus,
    sentence_start,
    share,
    with_unit,
)
from xinv_nb.language.slots import (
    Asked,
    Count,
    Listed,
    LossNamed,
    Named,
    Ordinal,
    Said,
    Share,
    Slot,
    SolverIterations,
    Uncertain,
    Value,
    Way,
    Word,
)

_ORDINALS = tuple(
    f"the {word}"
    for word in ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]
)


def said(slot: Slot) -> str:
    """Return a slot as it stands within a sentence.

    >>> said(Value(2.794, "km")), said(Share(0.41)), said(Way(-1.0, ("south", "north")))
    ('2.79 km', '41 %', 'moved south')
    >>> said(Way(1.0, ("thinner", "thicker")))
    'became thicker'
    """
    if isinstance(slot, Value):
        return _value(slot)
    if isinstance(slot, Uncertain):
        return plus_minus(slot.number, slot.error, slot.unit)
    if isinstance(slot, SolverIterations):
        return f"{slot.number} iteration{'' if slot.number == 1 else 's'}"
    if isinstance(slot, Ordinal):
        return _ORDINALS[slot.number - 1] if 0 < slot.number <= len(_ORDINALS) else f"number {slot.number}"
    if isinstance(slot, Count):
        return str(slot.number)
    if isinstance(slot, Share):
        return share(slot.part)
    if isinstance(slot, Way):
        return _way(slot)
    if isinstance(slot, Named):
        return slot.label or slot.name
    if isinstance(slot, LossNamed):
        return slot.name
    if isinstance(slot, Asked):
        return asked(slot.label, slot.cotangent, slot.directions, slot.loss)
    if isinstance(slot, Listed):
        parts = [said(item) for item in slot.items]
        return with_shared_words(parts) if slot.shared else in_a_row(parts, closing=slot.closing)
    if isinstance(slot, Word):
        return slot.key
    if isinstance(slot, Said):
        return slot.text
    raise TypeError(f"{type(slot).__name__} cannot be said")


def said_first(slot: Slot) -> str:
    """Return a slot as a sentence begins with it.

    >>> said_first(Named("travel time")), said_first(Named("theta", is_of_domain=False))
    ('Travel time', 'theta')
    """
    text = said(slot)
    if isinstance(slot, Named):
        return sentence_start(text) if slot.is_of_domain else text
    if isinstance(slot, Listed):
        return sentence_start(text)
    return f"{text[:1].upper()}{text[1:]}"


def said_of_loss(found: str, loss: LossNamed) -> str:
    """Return what the domain calls a loss where the bank has `found`: "the loss", "a loss", "lowest loss", "lower".

    >>> cost = LossNamed("the total cost", lower="cheaper")
    >>> said_of_loss("The loss", cost), said_of_loss("a loss", cost), said_of_loss("lower", cost)
    ('The total cost', 'a total cost', 'cheaper')
    """
    if found in ("lower", "higher"):
        return loss.lower if found == "lower" else loss.higher
    article, _, _ = found.rpartition(" ")
    if article in ("the", "The"):
        return sentence_start(loss.name) if article == "The" else loss.name
    bare = re.sub(r"^(?:the|an?) ", "", loss.name, flags=re.IGNORECASE)
    if not article:
        return bare
    return f"{article[0]}{'n' if bare[0].lower() in 'aeiou' else ''} {bare}"


def with_shared_words(parts: Sequence[str]) -> str:
    """Return parts as a list in which the words that all begin or end with are said once.

    >>> with_shared_words(["the first point", "the second point"]), with_shared_words(["width", "strength"])
    ('the first and second point', 'width and strength')
    """
    words = [part.split(" ") for part in parts]
    most = min(map(len, words), default=0) - 1
    begin = next((n for n in range(most) if len({each[n] for each in words}) > 1), max(most, 0))
    end = next((n for n in range(most - begin) if len({each[-1 - n] for each in words}) > 1), max(most - begin, 0))
    if len(parts) < 2 or len({tuple(each) for each in words}) < len(parts):
        return listed(parts)
    own = [" ".join(each[begin : len(each) - end]) for each in words]
    return " ".join([*words[0][:begin], listed(own), *words[0][len(words[0]) - end :]])


def in_a_row(parts: Sequence[str], *, closing: bool = True) -> str:
    """Return parts of a sentence as a list."""
    return listed(parts) if closing else ", ".join(parts)


def _value(slot: Value) -> str:
    text = pair(slot.number, slot.beside)[0] if slot.beside is not None else number(slot.number, slot.digits)
    if slot.in_powers:
        text = in_powers(slot.number, slot.digits)
    return with_unit(text, slot.unit)


def _way(slot: Way) -> str:
    if slot.directions:
        direction = slot.directions[1 if slot.change > 0 else 0]
        return f"{'became' if is_state(direction) else 'moved'} {direction}"
    return "rose" if slot.change > 0 else "fell"
