"""Which events of the simulation grew or shrank from their first to their last time: in a number, or in how often."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.events import EventGroup, said_of_all, words_of
from xinv_nb.language.slots import Count, Iteration, Said, Slot

_MOST = 6
_FEWEST = 5
"""Times that an event happened from which on it may have a trend."""
_FEWEST_TIMES = 3
"""Times within one evaluation from which on it is told how often an event happened."""
_CHANGE = 0.25
"""Share of its range that a number in an event changes from first to last, from which it is told."""
_SAMPLE = 500
"""Times that an event happened of which the numbers are looked at."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield the events whose numbers, or whose counts within an evaluation, changed from first to last.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> def loss(x):
    ...     xi.event("the ball lands at {x:.0f} m", x=x)
    ...     return x**2
    >>> with xi.record() as run:
    ...     slopes = [grad(loss)(x) for x in (8.0, 7.0, 6.0, 5.0, 4.0)]
    >>> next(fact for fact in run.facts if fact.kind == "trend").text
    'At iteration 0: the ball lands at 8 m; at iteration 4: the ball lands at 4 m.'
    """
    found = [fact for group in evidence.event_groups if (fact := _trend(group))]
    yield from found[:_MOST]


def _trend(group: EventGroup) -> Fact | None:
    if len(group.events) < _FEWEST or not words_of(group.first):
        return None
    low, high = sorted((group.first.count, group.final.count))
    if high >= 2 * low and high >= _FEWEST_TIMES:
        return _more_or_less_often(group)
    return _in_a_number(group)


def _more_or_less_often(group: EventGroup) -> Fact:
    first, final = group.first, group.final
    form = "from once" if first.count == 1 else "to once" if final.count == 1 else "how often"
    slots: dict[str, Slot] = {"said": said_of_all(group)}
    slots |= {"first": Iteration(first.evaluation), "last": Iteration(final.evaluation)}
    slots |= {"first_count": Count(first.count), "last_count": Count(final.count)}
    return _fact(group, form, slots, {"counts": (first.count, final.count)})


def _in_a_number(group: EventGroup) -> Fact | None:
    """Tell of a number in an event that went from one end of its range away."""
    first, final = group.first, group.final
    sample = [*group.events[:: len(group.events) // _SAMPLE + 1], final]
    for key, value in first.values.items():
        numbers = [event.values.get(key) for event in sample] if _is_number(value) else []
        if not numbers or not all(map(_is_number, numbers)):
            continue
        series = np.array(numbers, dtype=float)
        change, whole = abs(float(series[-1] - series[0])), float(np.ptp(series))
        if np.isfinite(whole) and whole > 0 and change >= _CHANGE * whole and words_of(first) != words_of(final):
            slots: dict[str, Slot] = {"said": Said(words_of(first)), "said_last": Said(words_of(final))}
            slots |= {"first": Iteration(first.evaluation), "last": Iteration(final.evaluation)}
            return _fact(group, "in a number", slots, {"name": key, "values": (series[0], series[-1])})
    return None


def _fact(group: EventGroup, form: str, slots: dict[str, Slot], data: dict[str, object]) -> Fact:
    first, final = group.first, group.final
    span = first.evaluation, final.evaluation
    return KIND.fact(form, span, 0.45, slots, cites=(first.id, final.id), data=data)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


KIND = Kind(
    name="trend",
    question=Question.SIMULATION,
    rank=51,
    slots={
        "said": Said,
        "said_last": Said,
        "first": Iteration,
        "last": Iteration,
        "first_count": Count,
        "last_count": Count,
    },
    compute=compute,
    method="an event's first and last numbers against their range, and its counts within an iteration",
)
