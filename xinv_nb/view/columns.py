"""The numbers of a run as columns for the plots: which evaluations, loss, parameters and gradients, and their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recorded.entries import Entry
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.view import protocol
from xinv_nb.view.thinning import telling_rows
from xinv_nb.view.watched import MOST_WATCHED, by_evaluation, drawn_watches, watched_columns
from xinv_nb.view.wire import Body

_MOST_SHOWN = 8
"""Series drawn at first; the reader may add the others."""
_MOST_OF_LARGE = 32
"""Entries of large arrays that travel to the browser, of all these arrays together."""
_MOST_ROWS_LOOKED_AT = 1000


def entries_to_draw(run: RecordedRun) -> list[Entry]:
    """Return what is followed of the parameters, and behind it the entries of large arrays that moved most.

    These are not drawn at first: the reader may choose them.
    """
    entries = run.entries()
    large = [entry.leaf for entry in entries if entry.column is None and entry.leaf.kept is None]
    values = run.history.values.array
    for leaf in large:
        rows = values[:: max(1, len(values) // _MOST_ROWS_LOOKED_AT), leaf.start : leaf.stop]
        ranges = np.ptp(np.real(rows), axis=0) + np.ptp(np.imag(rows), axis=0)
        moved = np.argsort(-ranges, kind="stable")
        found = run.entries_of(leaf, moved[: _MOST_OF_LARGE // len(large)].tolist())
        entries += [entry for entry in found if entry not in entries]
    return entries


def drawn_at_first(run: RecordedRun, entries: Sequence[Entry]) -> list[int]:
    """Return the keys of the entries that are drawn until the reader chooses others: those that moved most."""
    followed = entries[: len(run.entries())]
    if len(followed) <= _MOST_SHOWN:
        return list(range(len(followed)))
    spans = [float(np.ptp(column)) for column in map(run.column, followed)]
    return sorted(range(len(followed)), key=lambda i: -spans[i])[:_MOST_SHOWN]


def rows_to_send(run: RecordedRun, drawn: Sequence[Entry], start: int, stop: int, most: int) -> NDArray[np.intp]:
    """Return at most `most` of these evaluations: all where they fit, else the most telling of what is drawn at first.

    That takes a look at every evaluation: for a snapshot or a part of one, not for each message of a live run.
    """
    if stop - start <= most:
        return np.arange(start, stop)
    curves: list[NDArray[np.floating]] = []
    for entry in drawn:
        curves += [run.column(entry, of)[start:stop] for of in ("values", "gradients")]
    for watch in drawn_watches(run).values():
        curves += by_evaluation(watch, np.arange(start, stop))
    return start + telling_rows(stop - start, most, run.loss[start:stop], curves)


def bytes_per_row(run: RecordedRun, entries: Sequence[Entry]) -> int:
    """Return the bytes that an evaluation of `run` takes in a packet."""
    return 17 + 12 * len(entries) + 20 * min(MOST_WATCHED, len(run.history.watches))


def columns(
    run: RecordedRun, entries: Sequence[Entry], rows: NDArray[np.intp], body: Body, several: set[int]
) -> list[protocol.ColumnSpec]:
    """Append the numbers of these evaluations to `body`; returns their entries in the header.

    `several`: see `watched`.
    """
    found = [
        body.column("iteration", "f8", rows),
        body.column("loss", "f8", run.loss[rows]),
        body.column("accepted", "u1", run.accepted[rows]),
    ]
    if len(rows):
        numbers = zip(_by_entry(run, entries, rows, "values"), _by_entry(run, entries, rows, "gradients"), strict=True)
        for key, (values, gradient) in enumerate(numbers):
            found.append(body.column(f"p{key}", "f8", values))
            found.append(body.column(f"g{key}", "f4", gradient))
        found += watched_columns(run, rows, body, several)
    return found


def _by_entry(
    run: RecordedRun, entries: Sequence[Entry], rows: NDArray[np.intp], of: Literal["values", "gradients"]
) -> list[NDArray[np.float64]]:
    """Return the numbers of each entry at these evaluations, gathered at once: column by column takes twice as long."""
    places = [entry.place for entry in entries]
    held = np.array([place for place in places if place is not None], dtype=np.intp)
    gathered = iter(run.history.rows(rows, of, held).T)
    return [
        entry.part_of(next(gathered), of) if place is not None else run.column(entry, of)[rows]
        for entry, place in zip(entries, places, strict=True)
    ]


def series(entries: Sequence[Entry], drawn: Sequence[int]) -> list[protocol.Series]:
    """Return what the plots need to know of each parameter."""
    return [
        {
            "key": key,
            "name": entry.name,
            "label": entry.label,
            "unit": entry.parameter.unit,
            "description": entry.parameter.description,
            "group": entry.group,
            "bounds": entry.parameter.bounds,
            "truth": entry.parameter.truth,
            "statistic": entry.statistic,
            "shown": key in drawn,
        }
        for key, entry in enumerate(entries)
    ]


def groups(entries: Sequence[Entry]) -> list[protocol.Group]:
    """Return the groups in which parameters are drawn, each on one axis."""
    one_each = {entry.group: entry for entry in entries}
    return [{"key": group, "label": group, "unit": _unit(entries, entry)} for group, entry in one_each.items()]


def _unit(entries: Sequence[Entry], of: Entry) -> str:
    """Return the unit that all entries of a group share, or none."""
    units = {entry.parameter.unit for entry in entries if entry.group == of.group}
    return units.pop() if len(units) == 1 else ""
