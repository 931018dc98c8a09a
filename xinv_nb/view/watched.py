"""Watched quantities as columns for the plots: one value an evaluation, or the least and the largest of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.measures.objective import watch_that_is_the_loss
from xinv_nb.recorded.columns import WatchColumns
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.view import protocol
from xinv_nb.view.wire import Body

MOST_WATCHED = 12
"""Quantities that travel to the browser: the first that the simulator names."""
_MOST_SHOWN = 4
"""Quantities drawn at first; the reader may add the others."""

Floats = NDArray[np.float64]


def watched_columns(
    run: RecordedRun, rows: NDArray[np.intp], body: Body, several: set[int]
) -> list[protocol.ColumnSpec]:
    """Append the columns of each watched quantity at the evaluations `rows`; returns their entries in the header.

    `several` gathers the keys of the quantities that had more than one number in an evaluation: these get a second
    column, of their largest numbers.
    """
    columns = []
    for key, watch in enumerate(_followed(run).values()):
        low, high, cotangent = by_evaluation(watch, rows)
        if bool((high > low).any()):
            several.add(key)
        columns.append(body.column(f"w{key}", "f8", low))
        if key in several:
            columns.append(body.column(f"h{key}", "f8", high))
        columns.append(body.column(f"d{key}", "f4", cotangent))
    return columns


def drawn_watches(run: RecordedRun) -> dict[str, WatchColumns]:
    """Return the quantities that are drawn at first, by name: the one that is the loss needs no second plot."""
    loss = watch_that_is_the_loss(run)
    others = {name: watch for name, watch in _followed(run).items() if name != loss}
    return dict(list(others.items())[:_MOST_SHOWN])


def describe_watched(run: RecordedRun, several: set[int]) -> list[protocol.Watched]:
    """Return what the plots need to know of each watched quantity."""
    drawn = drawn_watches(run)
    return [
        {"key": key, "name": name, "unit": watch.unit, "several": key in several, "shown": name in drawn}
        for key, (name, watch) in enumerate(_followed(run).items())
    ]


def by_evaluation(watch: WatchColumns, rows: NDArray[np.intp]) -> tuple[Floats, Floats, Floats]:
    """Return the least and the largest value of a quantity at each of these evaluations, and its strongest cotangent.

    NaN where the simulator did not come by. Where a long recording was thinned, what was kept before stands.
    """
    evaluation = watch.evaluation.array
    if len(evaluation) == 0 or len(rows) == 0:
        nothing = np.full(len(rows), np.nan)
        return nothing, nothing, nothing
    wanted = rows if watch.stride == 1 else np.where(rows == evaluation[-1], rows, rows - rows % watch.stride)
    begins, ends = np.searchsorted(evaluation, wanted), np.searchsorted(evaluation, wanted, side="right")
    low, high = _extremes(watch.values.between(int(begins[0]), int(ends[-1])), begins, ends)
    least, largest = _extremes(watch.cotangents.between(int(begins[0]), int(ends[-1])), begins, ends)
    return low, high, np.where(-least > largest, least, largest)


def _extremes(
    values: Floats | Sequence[Any], begins: NDArray[np.intp], ends: NDArray[np.intp]
) -> tuple[Floats, Floats]:
    """Return the least and the largest of the values of each evaluation; `values` are those from `begins[0]` on."""
    if isinstance(values, np.ndarray) and bool((ends - begins == 1).all()):
        once = values[begins - begins[0]]
        return once, once
    borders = np.stack([begins, ends], axis=1) - begins[0]
    if isinstance(values, np.ndarray):
        padded = np.append(values, np.nan)  # an evaluation without a value may lie behind the last one
        low = np.fmin.reduceat(padded, borders.ravel())[::2]
        high = np.fmax.reduceat(padded, borders.ravel())[::2]
        missing = begins == ends
        low[missing] = high[missing] = np.nan
        return low, high
    pairs = [_extremes_of(values[begin:end]) for begin, end in borders]
    both = np.array(pairs, dtype=np.float64)
    return both[:, 0], both[:, 1]


def _extremes_of(values: Sequence[Any]) -> tuple[float, float]:
    """Return the least and the largest number among numbers and arrays (of complex ones, the real part)."""
    arrays = [np.real(np.asarray(value)).ravel() for value in values]
    numbers = np.concatenate(arrays).astype(np.float64) if arrays else np.empty(0)
    finite = numbers[~np.isnan(numbers)]
    return (float(finite.min()), float(finite.max())) if len(finite) else (np.nan, np.nan)


def _followed(run: RecordedRun) -> dict[str, WatchColumns]:
    return dict(list(run.history.watches.items())[:MOST_WATCHED])
