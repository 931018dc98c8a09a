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
from xinv_nb.facts.measures.tape import tape_events
from xinv_nb.language.slots import Count, Listed, Slot, Value
from xinv_nb.recorded.leaves import Leaf

Columns = tuple[int, ...]

_FEWEST = 3
"""Iterates from which on it is told."""
_SAME = 1e-6
"""Share of the largest value and of the way within which two parameters are equal: sums are not rounded alike, and what
is rounded grows where the loss falls to either side."""
_EXACT = 1e-9
"""Share of its fall to which a loss has come that can hardly become lower: entries may be equal there by right."""
_NAMED = 4
_MOST = 5_000
"""Numbers up to which they are compared."""


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield the sets of parameters that are copies, unless each adds a part of its own to the loss.

    Two sets of different values in arrays of different shapes, such as the weights into and out of the units of a
    layer, are units with equal weights. In arrays of one shape, or in one flat array, they may be so by right: there it
    is told that the run does not show whether the loss is lower where they differ. One set alone is told of where the
    tape shows that the loss combines its entries, and by no more than a caution.

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
    if len(rows) < _FEWEST or not history.is_real or not run.has_gradients or not 2 <= history.width <= _MOST:
        return
    if evidence.players is not None:
        return  # each side of a game may well be even
    if any(leaf.kept is not None for leaf in history.leaves) or not np.isfinite(run.loss[rows]).all():
        return
    apart = {column for event in tape_events(evidence, "entrywise") for column in event.values.get("columns", ())}
    all_sets = [columns for columns in _sets(history.rows(rows)) if not apart.issuperset(columns)]
    sets, is_flat = _units(all_sets, history.leaves)
    is_sure = not is_flat and len({len(_leaf_of(columns, history.leaves).shape) for columns in sets}) > 1
    if not sets or not (is_sure or _may_be_lower(evidence, len(sets) - is_flat)):
        return
    entries = {entry.column: entry for entry in run.entries() if entry.column is not None}
    first = [named(entries[column]) for column in sets[0] if column in entries][:_NAMED]
    others = [named(entries[columns[0]]) for columns in sets[1:] if columns[0] in entries][:_NAMED]
    if len(first) < 2:
        return
    slots: dict[str, Slot] = {
        "parameters": Listed(tuple(first)),
        "others": Listed(tuple(others)),
        "copies": Count(len(sets[0])),
        "start": Value(float(history.rows(rows[:1])[0, sets[0][0]])),
        "iterations": Count(run.evaluations),
        "sets": Count(len(sets) - 1),
    }
    form = "copies" if len(sets[0]) <= _NAMED else "many copies"
    if not is_sure:
        form = form.replace("copies", "equal, alone" if not others else "equal")
    data = {"columns": [list(columns) for columns in sets]}
    yield KIND.finding(form, (0, evidence.last), slots, data=data, severity=None if is_sure else "caution")


def _may_be_lower(evidence: Evidence, sets: int) -> bool:
    """Whether sets that may be equal by right are worth a word: not at the lowest loss, or where a constraint holds."""
    loss = evidence.run.loss[evidence.iterates.rows]
    if evidence.held_at_end.any() or abs(loss[-1]) <= _EXACT * (loss[0] - loss[-1]):
        return False
    return sets >= 2 or bool(tape_events(evidence, "combined"))


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


def _leaf_of(columns: Columns, leaves: Sequence[Leaf]) -> Leaf:
    return next(leaf for leaf in leaves if leaf.start <= columns[0] < leaf.stop)


def _along(columns: Columns, leaves: Sequence[Leaf]) -> tuple[int, Columns] | None:
    """Return the length of the axis along which columns of one array differ, and where on it they are."""
    leaf = _leaf_of(columns, leaves)
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
