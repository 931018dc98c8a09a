"""Parameters that started equal and stay equal: units of a network that are copies of each other, and count as one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.names import named
from xinv_nb.language.slots import Count, Listed, Slot, Value
from xinv_nb.recorded.leaves import Leaf

Columns = tuple[int, ...]

_FEWEST = 8
"""Iterates from which on it is told."""
_SAME = 1e-9
"""Share of the largest value and of the way within which two parameters are equal: sums are not rounded alike."""
_NAMED = 4
_MOST = 5_000
"""Numbers up to which they are compared."""


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield the sets of parameters that are copies: two sets at least, of equally many parameters each.

    One set alone is told of nothing: each entry of an array often has the same part in the loss. Two sets of different
    values, such as the weights into and out of the units of a layer, are units with equal weights; in one flat array,
    of which nothing is known, it takes three.

    Examples
    --------
    >>> import autograd.numpy as np
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> def loss(w, v):
    ...     return (np.dot(np.tanh(w), v) - 1.0) ** 2
    >>> with xi.record() as run:
    ...     w, v = np.full(3, 0.5), np.full(3, 0.2)
    ...     for _ in range(12):
    ...         dw, dv = grad(loss, (0, 1))(w, v)
    ...         w, v = w - 0.1 * dw, v - 0.1 * dv
    >>> run.diagnosis[0].values["copies"]
    3
    """
    run, rows = evidence.run, evidence.iterates.rows
    history = run.history
    if len(rows) < _FEWEST or not history.is_real or not run.has_gradients or not 4 <= history.width <= _MOST:
        return
    if any(leaf.kept is not None for leaf in history.leaves) or not np.isfinite(run.loss[rows]).all():
        return
    sets, is_flat = _units(_sets(history.rows(rows)), history.leaves)
    if len(sets) < 2 + is_flat:
        return
    entries = {entry.column: entry for entry in run.entries() if entry.column is not None}
    first = [named(entries[column]) for column in sets[0] if column in entries][:_NAMED]
    others = [named(entries[columns[0]]) for columns in sets[1:] if columns[0] in entries][:_NAMED]
    if len(first) < 2 or not others:
        return
    slots: dict[str, Slot] = {
        "parameters": Listed(tuple(first)),
        "others": Listed(tuple(others)),
        "copies": Count(len(sets[0])),
        "start": Value(float(history.rows(rows[:1])[0, sets[0][0]])),
        "iterations": Count(run.evaluations),
        "sets": Count(len(sets) - 1),
    }
    size = len(sets[0])
    form = "copies" if size <= _NAMED else "many copies"
    data = {"columns": [list(columns) for columns in sets]}
    yield KIND.finding(form, (0, evidence.last), slots, data=data, severity="caution" if is_flat else None)


def _sets(values: NDArray[np.float64]) -> list[Columns]:
    """Return the columns that are equal in every row, in sets of two and more; those that stay as they are left out."""
    if not np.isfinite(values).all():
        return []
    way = np.ptp(values, axis=0)
    starts: dict[float, list[int]] = defaultdict(list)
    for column in np.flatnonzero(way > 0):
        starts[float(values[0, column])].append(int(column))
    found = []
    for columns in starts.values():
        while len(columns) > 1:
            block = values[:, columns]
            near = _SAME * (np.abs(block).max() + way[columns].max())
            same = np.abs(block - block[:, :1]).max(axis=0) <= near
            equal = tuple(column for column, is_same in zip(columns, same, strict=True) if is_same)
            if len(equal) > 1:
                found.append(equal)
            columns = [column for column, is_same in zip(columns, same, strict=True) if not is_same]
    return sorted(found)


def _units(sets: Sequence[Columns], leaves: Sequence[Leaf]) -> tuple[list[Columns], bool]:
    """Return the sets that lie along an axis in the same way, and whether that is within one flat array.

    In several arrays, or in several rows of one, they are at the same places along an axis of one length; in a flat
    array they are as far from each other. What mirrors itself is no copy.
    """
    is_flat = len(leaves) == 1 and len(leaves[0].shape) == 1
    found: dict[tuple[int, Columns], list[Columns]] = defaultdict(list)
    for columns in sets:
        key = (0, tuple(column - columns[0] for column in columns)) if is_flat else _along(columns, leaves)
        if key is not None:
            found[key].append(columns)
    mirrored = [key for key in found if len(key[1]) == 2 and sum(key[1]) == key[0] - 1]
    if len(mirrored) > 1:
        return [], is_flat
    return max(found.values(), key=lambda each: (len(each), len(each[0])), default=[]), is_flat


def _along(columns: Columns, leaves: Sequence[Leaf]) -> tuple[int, Columns] | None:
    """Return the length of the axis along which columns of one array differ, and where on it they are."""
    leaf = next(leaf for leaf in leaves if leaf.start <= columns[0] < leaf.stop)
    if columns[-1] >= leaf.stop or not leaf.shape:
        return None
    places = np.array(np.unravel_index(np.array(columns) - leaf.start, leaf.shape))
    (axes,) = np.nonzero(np.ptp(places, axis=1))
    return (leaf.shape[axes[0]], tuple(places[axes[0]].tolist())) if len(axes) == 1 else None


KIND = FindingKind(
    name="twins",
    severity="warning",
    rank=12,
    slots={
        "parameters": Listed,
        "others": Listed,
        "copies": Count,
        "start": Value,
        "iterations": Count,
        "sets": Count,
    },
    compute=compute,
    means="Units started with equal weights, get equal gradients and stay copies, which count as one.",
    seen_by="columns of parameters that are equal at every iteration, in two sets at least",
    example="all weights of a network set to 0.2",
    asked_with=r"\b(?:twins?|cop(?:y|ies)|the same values?|identical|equal)\b",
    silences=("minimum: reached", "advice: more iterations", "identifiability"),
)
