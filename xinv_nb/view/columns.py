"""The numbers of a run as columns for the plots: which evaluations, loss, parameters and gradients, and their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.run import Entry, Run
from xinv_nb.view.watched import MOST_WATCHED, watched_columns
from xinv_nb.view.wire import Body

_MOST_SHOWN = 8
"""Series drawn at first; the reader may add the others."""


def chosen_rows(run: Run, start: int, stop: int, stride: int) -> NDArray[np.intp]:
    """Return evaluations from `start` on, about one in `stride`; the last one, and each spike of the loss, among them.

    Of each stretch the first evaluation and those with the least and the largest loss; NaN counts as the largest.
    """
    rows = np.arange(start, stop)
    if stride == 1 or start >= stop:
        return rows
    begins = rows[:: 3 * stride]
    loss = np.where(np.isnan(run.loss[start:stop]), np.inf, run.loss[start:stop])
    stretches = np.append(loss, np.full(-len(loss) % (3 * stride), loss[-1])).reshape(len(begins), -1)
    chosen = np.concatenate([begins, begins + stretches.argmin(axis=1), begins + stretches.argmax(axis=1), [stop - 1]])
    return np.unique(np.minimum(chosen, stop - 1))


def bytes_per_row(run: Run) -> int:
    """Return the bytes that an evaluation of `run` takes in a packet."""
    return 17 + 12 * len(run.entries()) + 20 * min(MOST_WATCHED, len(run.history.watches))


def columns(run: Run, rows: NDArray[np.intp], body: Body, several: set[int]) -> dict[str, Any]:
    """Append the numbers of these evaluations to `body`; returns their part of the header. `several`: see `watched`."""
    found = [
        body.column("iteration", "f8", rows),
        body.column("loss", "f8", run.loss[rows]),
        body.column("accepted", "u1", run.accepted[rows]),
    ]
    for key, entry in enumerate(run.entries() if len(rows) else []):
        found.append(body.column(f"p{key}", "f8", run.column(entry)[rows]))
        found.append(body.column(f"g{key}", "f4", run.column(entry, "gradients")[rows]))
    found += watched_columns(run, rows, body, several) if len(rows) else []
    return {"rows": len(rows), "columns": found}


def series(run: Run) -> dict[str, Any]:
    """Return what the plots need to know of each parameter, and in which groups they are drawn."""
    entries = run.entries()
    shown = set(_most_moved(run, entries))
    groups = {
        entry.group: {"key": entry.group, "label": entry.group, "unit": _unit(entries, entry)} for entry in entries
    }
    described = [
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
            "shown": key in shown,
        }
        for key, entry in enumerate(entries)
    ]
    return {"series": described, "groups": list(groups.values())}


def _unit(entries: Sequence[Entry], of: Entry) -> str:
    """Return the unit that all entries of a group share, or none."""
    units = {entry.parameter.unit for entry in entries if entry.group == of.group}
    return units.pop() if len(units) == 1 else ""


def _most_moved(run: Run, entries: Sequence[Entry]) -> list[int]:
    if len(entries) <= _MOST_SHOWN:
        return list(range(len(entries)))
    spans = [float(np.ptp(column)) for column in map(run.column, entries)]
    return sorted(range(len(entries)), key=lambda i: -spans[i])[:_MOST_SHOWN]
