"""Makes every sentence: a template of the bank, filled with slots."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping

from xinv_nb.language import english
from xinv_nb.language.bank import bank_of, small
from xinv_nb.language.slots import Clause, Slot

CLAUSES = "clauses"
"""The part of a bank that holds parts of sentences with forms of their own."""

_PART = re.compile(r"\[([^\]]*)\]|\{(\w+)\}|<(\w+)>")

Gloss = Callable[[str], str]
"""Returns what a reader is told of a term where it stands; empty where nothing is."""


def rendered(kind: str, form: str, slots: Mapping[str, Slot]) -> str:
    """Return the own sentence of a form of a fact, in English; a form or a slot that is missing is a `KeyError`."""
    return fill(bank_of().own[kind, form], slots)


def fill(template: str, slots: Mapping[str, Slot], gloss: Gloss | None = None) -> str:
    """Return a template with its slots filled; raises `KeyError` where a slot outside of brackets is missing.

    >>> from xinv_nb.language.slots import Count, Named
    >>> fill("{Name} went up[ {times} times].", {"name": Named("range")})
    'Range went up.'
    """

    def part(match: re.Match[str]) -> str:
        optional, name, term = match.groups()
        if optional is not None:
            return _PART.sub(part, optional) if _has_all(optional, slots) else ""
        if term is not None:
            return gloss(term) if gloss is not None else ""
        return _said(name, slots)

    return _PART.sub(part, template)


def _said(name: str, slots: Mapping[str, Slot]) -> str:
    slot = slots.get(name)
    begins = slot is None
    if slot is None:
        slot = slots[small(name)]
    if isinstance(slot, Clause):
        text = rendered(CLAUSES, slot.form, slot.slots)
        return f"{text[0].upper()}{text[1:]}" if begins else text
    return english.said_first(slot) if begins else english.said(slot)


@functools.lru_cache(maxsize=1024)
def _names(template: str) -> tuple[str, ...]:
    return tuple(small(name) for _, name, _ in _PART.findall(template) if name)


def _has_all(template: str, slots: Mapping[str, Slot]) -> bool:
    return all(name in slots for name in _names(template))
