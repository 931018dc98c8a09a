"""Puts histories of one function together that hold what it was given as one argument and as another.

Rows are made anew in the order of the passes; of an argument that was only handed over at the time, the numbers are
those under the same mark elsewhere, or the mark itself where it holds them all.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recorded.columns import WatchColumns
from xinv_nb.recorded.events import Event
from xinv_nb.recorded.history import History
from xinv_nb.recorded.leaves import SAMPLE, Leaf, leaves_of, rms
from xinv_nb.recorded.writer import RunWriter
from xinv_nb.recording.arguments import Argument, Mark, Marks, Part, mark, order_of
from xinv_nb.recording.structure import leaf_names, names_of_arguments

Floats = NDArray[Any]

_ROUNDING = 1e-9
"""Share of the largest loss by which it may differ at one point: what is differentiated is computed in another way."""


def put(
    part: Part, values: Floats, gradient: Floats, known: NDArray[np.bool_], loss: float, site: Hashable = None
) -> tuple[int, bool]:
    """Add a pass to a history: to the latest evaluation, where it is at the same point, or as a new one.

    Returns the evaluation, and whether it is new.
    """
    history, last = part.history, part.history.values.rows - 1
    if math.isfinite(loss):
        part.largest_loss = max(part.largest_loss, abs(loss))
    if last >= 0 and _are_same(values, history.values.block[last]):
        latest = len(history) - 1
        twice, before = known & part.known, float(history.loss.block[latest])
        same_loss = _are_same(loss, before) or abs(loss - before) <= _ROUNDING * part.largest_loss
        agrees = same_loss and _are_same(gradient[twice], history.gradients.block[last, twice])
        if (known & ~part.known).any():
            is_more = agrees or not (twice.any() or part.has_one_loss)
            if is_more:
                part.has_one_loss |= same_loss
                part.known = part.known | known
                history.gradient_known(gradient, known, wholly=bool(part.known.all()))
        else:
            is_more = agrees and site is not None and site not in part.sites  # looked at once more, from elsewhere
        if is_more:
            part.sites.add(site)
            return latest, False
    part.sites = {site}
    if known.all():
        row = history.append(loss, values, gradient)
    else:
        row = history.append(loss, values, None)
        history.gradient_known(gradient, known, wholly=False)
    part.known = known
    return row, True


def _are_same(one: Any, other: Any) -> bool:
    """Whether numbers are the same, or none in the same places."""
    return bool(np.array_equal(one, other, equal_nan=True))


def join(parts: Sequence[Part], now: Mapping[int, Any], writer: RunWriter) -> Part | None:
    """Make one history of several, in the place of the first; None where some numbers are not known any more.

    `now` are arguments as they are at this moment, by position.
    """
    found = _empty(parts)
    rows = _Rows(parts, found, now)
    passes = sorted((moment, i, row) for i, part in enumerate(parts) for row, moment in enumerate(part.moments))
    places: list[list[tuple[int, bool]]] = [[] for _ in parts]
    for moment, i, row in passes:
        values = rows.values(parts[i], row)
        if values is None:
            return None
        place, is_new = put(found, values, *rows.gradient(parts[i], row), float(parts[i].history.loss.array[row]))
        places[i].append((place, is_new))
        if is_new:
            found.moments.append(moment)
            for position in set().union(*(part.others for part in parts)) - found.arguments.keys():
                found.others.setdefault(position, Marks()).note(place, parts[i].mark_at(position, row))
            found.note_held(place)
    if not _may_go_on(parts, places):
        return None
    _take_over(found.history, parts[0].history)
    put_beside(
        {part.history: Moved(where, _columns_of(part, found)) for part, where in zip(parts, places, strict=True)},
        found.history,
        writer,
    )
    found.history.last_signs = np.sign(np.real(found.history.gradients.array[-1]))
    return found


def _may_go_on(parts: Sequence[Part], places: Sequence[Sequence[tuple[int, bool]]]) -> bool:
    """Whether an optimizer of these parts can be followed on: the first part has all the rows, in their places."""
    if not any(part.history.calls for part in parts):
        return True
    first, *others = places
    return [place for place, _ in first] == list(range(len(first))) and not any(new for one in others for _, new in one)


def _take_over(history: History, first: History) -> None:
    """Let the optimizer of a history work on the one in its place, where it is the one that has all the rows."""
    if first.calls:
        history.calls, history.optimizer = first.calls, first.optimizer
        for row, accepted in enumerate(first.accepted.array):
            history.set_accepted(row, accepted=bool(accepted))


def _empty(parts: Sequence[Part]) -> Part:
    """Return a part without rows that holds the arguments of all."""
    of = {position: part for part in parts for position in sorted(part.arguments)}
    positions = sorted(of)
    outlines = [of[p].arguments[p].outline for p in positions]
    names = names_of_arguments(outlines, [of[p].names[p] for p in positions])
    old = [leaf for p in positions for leaf in of[p].arguments[p].leaves]
    complex_ones = [name for name, leaf in zip(names, old, strict=True) if leaf.is_complex]
    dtype = np.result_type(*(part.history.dtype for part in parts))
    new = leaves_of([(name, leaf.shape) for name, leaf in zip(names, old, strict=True)], complex_ones)
    history = History(parts[0].history.objective, new, dtype, tuple(outlines))
    leaves = iter(history.leaves)
    arguments = {
        p: Argument(outline, of[p].arguments[p].shape, [next(leaves) for _ in leaf_names(outline, "")])
        for p, outline in zip(positions, outlines, strict=True)
    }
    return Part(history, arguments, {name: part.names[name] for part in parts for name in part.names})


class _Rows:
    """The rows of several histories, in the columns of one."""

    def __init__(self, parts: Sequence[Part], found: Part, now: Mapping[int, Any]) -> None:
        self._found = found
        self._known: dict[tuple[int, Mark | None], Floats] = {}
        """Rows of which the columns of an argument hold the numbers under a mark."""
        for part in parts:
            for position in part.arguments:
                for row in range(len(part.moments)):
                    self._known.setdefault(
                        (position, part.mark_at(position, row)), self._own(part, part.history.values.array[row])
                    )
        for position, value in now.items():
            if position in found.arguments:
                self._known.setdefault((position, mark(value)), found.row_at({position: value}))

    def _own(self, part: Part, row: Floats) -> Floats:
        values = np.full(self._found.history.width, np.nan, dtype=self._found.history.dtype)
        for position, argument in part.arguments.items():
            for old, new in zip(argument.leaves, self._found.arguments[position].leaves, strict=True):
                _copy(old, row, new, values)
        return values

    def values(self, part: Part, row: int) -> Floats | None:
        """Return a point; None where not all of it is known."""
        values = self._own(part, part.history.values.array[row])
        for position, argument in self._found.arguments.items():
            if position in part.arguments:
                continue
            under = part.mark_at(position, row)
            source = self._known.get((position, under))
            if source is None and (under is None or (source := self._told_by(under, position)) is None):
                return None
            for leaf in argument.leaves:
                values[leaf.start : leaf.end] = source[leaf.start : leaf.end]
        return values

    def _told_by(self, under: Mark, position: int) -> Floats | None:
        """Return a row with the numbers of an argument that its mark holds all of."""
        argument = self._found.arguments[position]
        row = np.full(self._found.history.width, np.nan, dtype=self._found.history.dtype)
        for place, piece in zip(order_of(argument.outline), under, strict=True):
            leaf, numbers = argument.leaves[place], np.frombuffer(piece, dtype=complex)
            if leaf.size > SAMPLE or leaf.size != len(numbers):
                return None
            row[leaf.start : leaf.stop] = numbers if row.dtype.kind == "c" else numbers.real
        return row

    def gradient(self, part: Part, row: int) -> tuple[Floats, NDArray[np.bool_]]:
        """Return what is known of a gradient, and in which columns."""
        gradient = self._own(part, part.history.gradients.array[row])
        known = self._found.columns_of(list(part.arguments))
        if part.history.without_gradient is not None and row in part.history.without_gradient.array:
            known &= ~np.isnan(gradient)
        return gradient, known


def _copy(old: Leaf, row: Floats, new: Leaf, into: Floats) -> None:
    """Copy an array from the columns of one layout into those of another."""
    if new.kept is None or old.kept is not None:
        into[new.start : new.end] = row[old.start : old.end]
        return
    whole = row[old.start : old.stop]
    into[new.start : new.stop], into[new.rms_column] = whole[new.kept], rms(whole)


def _columns_of(part: Part, found: Part) -> dict[int, int]:
    """Return where the columns of a part have gone in the one that was put together."""
    return {
        old.start + i: new.start + i
        for position, argument in part.arguments.items()
        for old, new in zip(argument.leaves, found.arguments[position].leaves, strict=True)
        if old.kept is new.kept is None
        for i in range(old.size)
    }


def put_beside(moved: Mapping[History, Moved], new: History, writer: RunWriter) -> None:
    """Put one history in the place of several, with what was watched in them and their events."""
    for name in dict.fromkeys(name for history in moved for name in history.watches):
        new.watches[name] = _watches(name, moved)
    writer.join_histories(list(moved), new, lambda old, event: moved[old].event(event))


class Moved:
    """Where the rows and the columns of a history have gone."""

    def __init__(self, places: Sequence[tuple[int, bool]], columns: Mapping[int, int]) -> None:
        self.places = places
        """Of each row: where it is now, and whether it is there for the first time."""
        self._columns = columns

    def event(self, event: Event) -> Event | None:
        """Return an event beside its evaluation; None if the evaluation has it from another pass."""
        place, is_new = self.places[event.evaluation]
        if not is_new and event.column is None and event.kind != "tape":
            return None
        column = None if event.column is None else self._columns[event.column]
        values = event.values
        if event.kind == "tape" and "columns" in values:
            pairs = zip(values["columns"], values["strengths"], strict=True)
            there = {self._columns[old]: strength for old, strength in pairs if old in self._columns}
            values = {**values, "columns": list(there), "strengths": list(there.values())}
        return replace(event, evaluation=place, column=column, values=values)


def _watches(name: str, moved: Mapping[History, Moved]) -> WatchColumns:
    """Return what was recorded of a watched quantity, from the first pass of each evaluation that told of it."""
    rows: dict[int, tuple[WatchColumns, int, int]] = {}
    for history, each in moved.items():
        columns = history.watches.get(name)
        if columns is None:
            continue
        evaluations = columns.evaluation.array
        for row in np.unique(evaluations):
            place, is_new = each.places[row]
            if is_new or place not in rows:
                start, stop = np.searchsorted(evaluations, [row, row + 1])
                rows[place] = columns, int(start), int(stop)
    found = WatchColumns(next(history.watches[name].unit for history in moved if name in history.watches))
    for place in sorted(rows):
        columns, start, stop = rows[place]
        values, cotangents = columns.values.between(start, stop), columns.cotangents.between(start, stop)
        found.extend(place, list(values), list(cotangents), columns.at[start:stop])
    return found
