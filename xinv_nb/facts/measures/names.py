"""Parameters and watched quantities as they stand in the slots of facts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xinv_nb.language.slots import Clause, Count, Listed, Named, Slot, Value
from xinv_nb.recorded.entries import Entry
from xinv_nb.recorded.watch import Watch

_MOST_NAMES = 4


def named(entry: Entry) -> Named:
    """Return an entry by what the reader calls it; an array of which the size is followed by the array's name.

    >>> from xinv_nb.recorded.leaves import whole_leaf
    >>> from xinv_nb.recorded.problem import Parameter
    >>> named(Entry("x", "bend", "bend", Parameter("bend", "km"), whole_leaf("x", (), 0), 0)).unit
    'km'
    """
    known = entry.parameter
    label = entry.group if entry.statistic else entry.label
    return Named(entry.name, label, known.unit, known.directions, bool(known.name))


def watched(watch: Watch) -> Named:
    """Return a watched quantity by its name."""
    return Named(watch.name, watch.name, watch.unit)


def named_optimizer(optimizer: str) -> Named:
    """Return an optimizer's name: within a sentence, one that is several plain words loses its capital.

    >>> named_optimizer("Basin hopping").label, named_optimizer("BFGS").label
    ('basin hopping', 'BFGS')
    """
    several = re.match(r"[A-Z][a-z]+ ", optimizer) is not None
    return Named(optimizer, f"{optimizer[0].lower()}{optimizer[1:]}" if several else optimizer, is_of_domain=several)


def listed(names: Sequence[Slot]) -> Listed:
    """Return several in a row, the last of many as a number.

    >>> len(listed([Named(name, name) for name in "abcdefg"]).items)
    5
    """
    rest = len(names) - _MOST_NAMES
    if rest > 1:
        names = [*names[:_MOST_NAMES], Clause("others", {"count": Count(rest)})]
    return Listed(tuple(names))


def values_of(point: Sequence[tuple[Entry, float]]) -> Listed:
    """Return the parameters of a point with their values; of many, the first.

    >>> values_of([]).items
    ()
    """
    parts: list[Slot] = [
        Clause("parameter at", {"parameter": named(entry), "value": Value(value, entry.parameter.unit)})
        for entry, value in point[:_MOST_NAMES]
    ]
    if len(point) > _MOST_NAMES:
        parts.append(Clause("others, as well", {"count": Count(len(point) - _MOST_NAMES)}))
    return Listed(tuple(parts))


def data_point(label: str, is_its_own: bool, point: int, count: int) -> Slot:
    """Return a data point by its name; by its place, counted from 1, where it has none, or shares it with another.

    >>> data_point("Monday", True, 0, 7)
    Named(name='Monday', label='Monday', unit='', directions=None, is_of_domain=True)
    """
    if label and is_its_own:
        return Named(label, label)
    place: dict[str, Slot] = {"number": Count(point + 1), "count": Count(count)}
    return Clause("data point of", place | {"label": Named(label, label)}) if label else Clause("data point", place)
