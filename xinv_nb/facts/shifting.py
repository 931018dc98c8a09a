"""Facts that were computed of a stretch, in the numbers of the whole recording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from xinv_nb.facts.fact import Fact, Phase
from xinv_nb.language.renderer import WHOLE
from xinv_nb.language.slots import Clause, Iteration, Listed, Slot, Word
from xinv_nb.recorded.excerpt import Places

EVALUATIONS = frozenset({"from", "to", "first", "last", "since", "turns", "half"})
"""What evaluations are called in the data of facts, where they are whole numbers, alone or in lists and dicts."""


_FIT = Word("fit")


def shifted(fact: Fact, by: Places) -> Fact:
    """Return a fact about one fit of a recording, with every evaluation in it in the numbers of the recording.

    >>> from xinv_nb.recorded.excerpt import Places
    >>> from xinv_nb.language.slots import Count
    >>> fact = Fact("F1", "gap", "once", {"first": Iteration(2), "count": Count(2)}, (2, 4), data={"last": 4})
    >>> moved = shifted(fact, Places(10))
    >>> moved.span, moved.values
    ((12, 14), {'first': 12, 'count': 2, 'whole': 'fit', 'last': 14})
    """
    span = (by.back(fact.span[0]), by.back(fact.span[1]))
    return replace(fact, slots=shifted_slots(fact.slots, by), data=shifted_data(fact.data, by), span=span)


def shifted_slots(slots: Mapping[str, Slot], by: Places) -> dict[str, Slot]:
    """Return slots with every iteration in the numbers of the recording, that say the fit instead of the run."""
    return {name: _slot(slot, by) for name, slot in slots.items()} | {WHOLE: _FIT}


def shifted_data(data: Mapping[str, Any], by: Places) -> dict[str, Any]:
    """Return data with every evaluation in the numbers of the recording."""
    return {name: _numbers(value, by) if name in EVALUATIONS else value for name, value in data.items()}


def shifted_phase(phase: Phase, by: Places) -> Phase:
    """Return a phase of a fit in the numbers of the recording."""
    last = None if phase.last is None else by.back(phase.last)
    return replace(phase, start=by.back(phase.start), stop=by.back(phase.stop - 1) + 1, last=last)


def _slot(slot: Slot, by: Places) -> Slot:
    if isinstance(slot, Iteration):
        return Iteration(by.back(slot.number))
    if isinstance(slot, Listed):
        return replace(slot, items=tuple(_slot(item, by) for item in slot.items))
    if isinstance(slot, Clause):
        return replace(slot, slots={name: _slot(inner, by) for name, inner in slot.slots.items()} | {WHOLE: _FIT})
    return slot


def _numbers(value: Any, by: Places) -> Any:
    if isinstance(value, Mapping):
        return {key: _numbers(item, by) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_numbers(item, by) for item in value)
    return by.back(int(value)) if isinstance(value, (int, np.integer)) and not isinstance(value, bool) else value
