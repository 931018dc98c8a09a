"""Makes every sentence: a template of the bank, filled with slots."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping

from xinv_nb.language import english
from xinv_nb.language.bank import bank_of, small
from xinv_nb.language.slots import Clause, Count, Listed, LossNamed, Slot

_PART = re.compile(
    r"\[([^\]]*)\]|\{(\w+)(?::([^|{}]+)\|([^|{}]+))?\}|<(\w+)>|(\\?\b[Ii]teration)"
    r"|((?:\b[Tt]he |\b[Aa] )?(?<![\w.])loss(?![\w(=]))|\\(lower|higher)\b"
)

WHOLE = "whole"
"""The slot for what the facts are about, where that is not the run."""
COUNTED = "counted"
"""The slot for what a bank's "iteration" is where a run counts something else: a solver makes several evaluations each.

A backslash stands before what is counted along the points that the optimizer accepted: that is then a step.
"""
LOSS = "its loss"
"""The slot for what the domain calls the loss; a backslash stands before what compares two losses, as in `\\lower`."""
_STEP = "step"

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
    >>> fill("after {count:step|steps}", {"count": Count(1)})
    'after 1 step'
    >>> from xinv_nb.language.slots import Iteration, Word
    >>> fill("At iteration {at}", {"at": Iteration(3), "counted": Word("evaluation")})
    'At evaluation 3'
    """
    throughout = {name: slots[name] for name in (COUNTED, LOSS) if name in slots}

    def part(match: re.Match[str]) -> str:
        optional, name, one, many, term, noun, loss, compared = match.groups()
        if noun is not None:
            return _noun(noun, throughout.get(COUNTED))
        if loss is not None or compared is not None:
            known = throughout.get(LOSS)
            found = str(loss or compared)
            return english.said_of_loss(found, known) if isinstance(known, LossNamed) else found
        if optional is not None:
            return _PART.sub(part, optional) if all(n in slots for n in names_in(optional)) else ""
        if term is not None:
            return gloss(term) if gloss is not None else ""
        text = said(name, slots)
        if one is None:
            return text
        count = slots[name]
        return f"{text} {_PART.sub(part, one if isinstance(count, Count) and count.number == 1 else many)}"

    return _PART.sub(part, template)


def _noun(found: str, counted: Slot | None) -> str:
    """Return what the bank calls an iteration, or with a backslash an iterate, as the run counts it."""
    noun = found.removeprefix("\\")
    if counted is None:
        return noun
    other = english.said(counted) if noun is found else _STEP
    return _capital(other) if noun[0].isupper() else other


def said(name: str, slots: Mapping[str, Slot]) -> str:
    """Return what stands in a slot of a template; one that begins with a capital begins a sentence."""
    if name == WHOLE and name not in slots:
        return "run"
    begins = name not in slots
    throughout = {name: slots[name] for name in (COUNTED, LOSS) if name in slots}
    return _said(slots[small(name) if begins else name], throughout, begins=begins)


def _said(slot: Slot, throughout: Mapping[str, Slot], *, begins: bool = False) -> str:
    if isinstance(slot, Clause):
        template = bank_of().own[slot.kind, slot.form]
        if begins:
            template = f"{{{template[1].upper()}{template[2:]}" if template[0] == "{" else _capital(template)
        elif slot.kind != "clauses":  # a sentence within a sentence
            template = f"{template[0].lower()}{template[1:]}"
        return fill(template, {**slot.slots, **throughout})
    if isinstance(slot, Listed) and any(isinstance(item, Clause) for item in slot.items):
        parts = [_said(item, throughout, begins=begins and k == 0) for k, item in enumerate(slot.items)]
        return english.in_a_row(parts, closing=slot.closing)
    return english.said_first(slot) if begins else english.said(slot)


def _capital(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"


@functools.lru_cache(maxsize=4096)
def names_in(template: str) -> tuple[str, ...]:
    """Return the names of the slots in a template, in small letters, those in its brackets included.

    But for `whole`: what the facts are about, a run or one of its fits, which any sentence may say.
    """
    found = [name for _, name, *_ in _PART.findall(template.replace("[", "").replace("]", "")) if name]
    return tuple(dict.fromkeys(name for name in map(small, found) if name != WHOLE))
