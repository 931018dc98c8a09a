"""The path of the optimizer, and the gradients of the watched quantities along it, as far as they were recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.objective import told_of_loss, watch_that_is_the_loss
from xinv_nb.facts.measures.path import FollowedPath, Places, Quantity
from xinv_nb.facts.measures.watched import curves, is_loss
from xinv_nb.recorded.entries import entries_of
from xinv_nb.recorded.run import RecordedRun

LOSS = "loss"
"""What the loss is called among the quantities where nobody says."""
_KEPT = "followed path"
"""Where a run keeps its path, among what the layers above the recording keep beside it."""
_MOST_ENTRIES = 40
_SMALL = 4
"""Of more than `_MOST_ENTRIES` parameters, arrays of more entries than this stand as a whole."""


@dataclass(frozen=True)
class Unknown:
    """Why a path cannot be followed, in words."""

    text: str


@dataclass(frozen=True)
class Group:
    """One parameter, or an array as a whole, and the columns that hold its numbers."""

    name: str
    columns: tuple[int, ...]


def path_of(run: RecordedRun) -> FollowedPath | Unknown:
    """Return the path of a run that is one story, or why it cannot be followed; it is kept until the run grows."""
    state = run.history, run.evaluations, run.status, len(run.history.slopes)
    known, found = run.memo.get(_KEPT, (None, None))
    if known != state:
        run.memo[_KEPT] = state, (found := _path_of(run))
    return found  # type: ignore[no-any-return]


def _path_of(run: RecordedRun) -> FollowedPath | Unknown:
    history = run.history
    rows = _iterates(run)
    if len(rows) < 2:
        return Unknown("There are fewer than two accepted evaluations, so nothing moved.")
    if not history.is_real:
        return Unknown("The parameters are complex; pass the real and imaginary parts as parameters of their own.")
    sampled = [leaf.name for leaf in history.leaves if leaf.kept is not None]
    if sampled:
        return Unknown(f"Of {sampled[0]} only a sample of its entries was kept, so its moves do not add up.")
    found = [*_watched(run, rows), *_terms(run, rows), *_loss(run, rows)]
    if not found:
        return Unknown("Nothing is known of how the loss, or a watched quantity, depends on the parameters.")
    return FollowedPath(rows, history.rows(rows), tuple(found))


def grouped(run: RecordedRun) -> Sequence[Group]:
    """Return each entry of small arrays, and large arrays as a whole."""
    leaves = run.history.leaves
    is_few = run.history.width <= _MOST_ENTRIES
    found: list[Group] = []
    for leaf in leaves:
        columns = range(leaf.start, leaf.stop)
        if is_few or leaf.size <= _SMALL:
            entries = entries_of(leaf, range(leaf.size), {})
            found += [Group(entry.name, (column,)) for entry, column in zip(entries, columns, strict=True)]
        else:
            found.append(Group(leaf.name, tuple(columns)))
    return found


def _iterates(run: RecordedRun) -> Places:
    """Return the accepted evaluations whose parameters were kept."""
    rows = np.flatnonzero(run.accepted)
    kept = run.history.kept
    return rows if kept is None else np.intersect1d(rows, kept.array)


def _watched(run: RecordedRun, rows: Places) -> list[Quantity]:
    found = []
    for curve in curves(run.watches):
        slopes = run.history.slopes.get(curve.watch.name)
        if slopes is None or is_loss_throughout(run, curve.evaluations, curve.values):
            continue
        evaluations, gradients = slopes.arrays()
        places, inside = _placed(evaluations, rows)
        if not len(places) or not np.isfinite(gradients[inside]).all():
            continue
        values = np.full(len(rows), np.nan)
        mine, theirs = np.searchsorted(rows, curve.evaluations), np.isin(curve.evaluations, rows)
        values[mine[theirs]] = curve.values[theirs]
        found.append(Quantity(curve.watch.name, curve.watch.unit, values, places, gradients[inside]))
    return found


def _terms(run: RecordedRun, rows: Places) -> list[Quantity]:
    """Return the terms that the program's loss is written as a sum of, as far as they are not watched themselves."""
    evaluations, known = run.history.sums.arrays()
    there = np.isin(evaluations, rows)
    found = []
    for term, column in zip(run.history.sums.terms, known.T, strict=True):
        slopes = run.history.slopes.get(term.name)
        if term.is_watched or slopes is None or term.name in run.history.watches:
            continue
        read, gradients = slopes.arrays()
        places, inside = _placed(read, rows)
        if not len(places) or not np.isfinite(gradients[inside]).all():
            continue
        values = np.full(len(rows), np.nan)
        values[np.searchsorted(rows, evaluations[there])] = column[there]
        found.append(Quantity(term.name, "", values, places, gradients[inside], weight=term.weight))
    return found


def is_loss_throughout(run: RecordedRun, evaluations: Places, values: Floats) -> bool:
    """Whether a quantity is the loss itself, which stands among the quantities by its own name."""
    return is_loss(values, run.loss[evaluations])


def loss_among_quantities(run: RecordedRun) -> tuple[str, str]:
    """Return what the loss is called among the quantities, and its unit.

    >>> loss_among_quantities(RecordedRun())
    ('loss', '')
    """
    told = told_of_loss(run)
    name, unit = (LOSS, "") if told is None else (told.name, told.unit)
    taken = {*run.history.watches, *(term.name for term in run.history.sums.terms)}
    is_other = name in taken and name != watch_that_is_the_loss(run)
    return (f"whole {name}" if is_other else name), unit


def _loss(run: RecordedRun, rows: Places) -> list[Quantity]:
    gradients = run.history.rows(rows, "gradients")
    known = np.flatnonzero(np.isfinite(gradients).all(axis=1))
    if len(known) < len(rows) or not run.has_gradients:
        return []
    name, unit = loss_among_quantities(run)
    return [Quantity(name, unit, np.asarray(run.loss[rows]), known, gradients[known], is_loss=True)]


def _placed(evaluations: Places, rows: Places) -> tuple[Places, Places]:
    """Return the places among the iterates of those evaluations that are iterates, and which these are."""
    inside = np.flatnonzero(np.isin(evaluations, rows))
    return np.searchsorted(rows, evaluations[inside]), inside
