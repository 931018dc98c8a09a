"""The fits in a recording: one optimization by one optimizer from one start each, and what belongs to none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from xinv_nb.facts.measures import looks
from xinv_nb.facts.measures.anew import starts_among
from xinv_nb.facts.measures.interrupted import put_together
from xinv_nb.facts.measures.looks import Look
from xinv_nb.facts.measures.restarts import restarts
from xinv_nb.facts.measures.stretch import Floats, Rows, Stretch, accepted_in, goes_on
from xinv_nb.recorded.calls import OptimizerCall
from xinv_nb.recorded.columns import in_real_numbers
from xinv_nb.recorded.run import RecordedRun

_FEWEST = 3
"""Evaluations that a loop takes at least to be a fit, beside others."""
_LOOK_FIRST = ("SHGO", "Brute force")
"""Searches that look at many points and start others from the best of them."""
_MOST_SETS, _FEWEST_OF_BATCH = 5, 10
"""Data that change more often than that, and each after fewer evaluations, are drawn anew for one optimization."""
_SAME_RATE = 1e-6


def stretches(run: RecordedRun) -> list[Stretch]:
    """Return the fits of the objective that is shown, and the looks between them, in order.

    Where nothing tells them apart, all evaluations are one fit; where all are points of a plot, there is none.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for rate in (0.1, 0.4):
    ...         x = 4.0
    ...         for _ in range(8):
    ...             run.add(x**2, x, 2 * x)
    ...             x -= rate * 2 * x
    >>> [(each.start, each.stop) for each in stretches(run)]
    [(0, 8), (8, 16)]
    """
    count = run.evaluations
    if count == 0:
        return []
    rows = _rows(run)
    points = None if rows is None else rows.points
    searches = _searches(run.history.calls)
    calls = _told_apart([call for call in run.history.calls if call not in searches], count)
    if not calls and not searches and points is None:
        return [Stretch(0, count)]
    found: list[Stretch] = []
    starts: list[Floats] = []
    for start, stop, call in _covered(calls, count, searches):
        if call is not None and call in searches:
            found.append(Stretch(start, stop, call, look="search"))
        elif call is not None:
            found.append(Stretch(start, stop, call, options=call.options))
        elif rows is None:
            found.append(Stretch(start, stop))
        else:
            found += _of_loop(rows, start, stop, starts, alone=not calls)
        if points is not None:
            starts += [points[each.start] for each in found[len(starts) :]]
    if rows is not None:
        found = put_together(rows, found)
    is_plot = all(each.look == "grid" for each in found)
    return found if is_plot or not all(each.look for each in found) else [Stretch(0, count)]


def _rows(run: RecordedRun) -> Rows | None:
    """Return the evaluations as rows of numbers; None where not all of them were kept."""
    history = run.history
    if history.kept is not None or history.width == 0:
        return None
    slopes = in_real_numbers(history.gradients.array) if run.has_gradients else None
    points, changes = in_real_numbers(history.values.array), changes_of_data(run)
    return Rows(points, slopes, run.accepted, run.loss, history.anew, changes, history.handed)


def changes_of_data(run: RecordedRun) -> list[int]:
    """Return the evaluations at which the objective begins to hold other data, for some evaluations each time.

    >>> changes_of_data(RecordedRun())
    []
    """
    rows = [row for row, _ in run.history.held]
    stays = np.diff([*rows, run.evaluations]) if rows else np.zeros(0)
    if len(rows) < 2 or float(stays.min()) < _FEWEST:
        return []
    are_batches = len(rows) > _MOST_SETS and float(np.median(stays)) < _FEWEST_OF_BATCH
    return [] if are_batches else rows[1:]


def _searches(calls: Sequence[OptimizerCall]) -> list[OptimizerCall]:
    """Return the calls that only look where to start others, which they do."""
    within = {call.options.get("within") for call in calls if call.optimizer not in _LOOK_FIRST}
    return [call for call in calls if call.optimizer in _LOOK_FIRST and call.optimizer in within]


def _told_apart(calls: Sequence[OptimizerCall], count: int) -> list[tuple[int, int, OptimizerCall]]:
    """Return the calls that are fits, with their evaluations, none within another.

    Where a call does nothing but make others (basin hopping), those are the fits; one that evaluates by itself between
    them (dual annealing) is one fit with them.
    """
    spans = [(call.start, count if call.stop is None else min(call.stop, count), call) for call in calls]
    spans = sorted((span for span in spans if span[0] < span[1]), key=lambda span: (span[0] - span[1], span[0]))
    found: list[tuple[int, int, OptimizerCall]] = []
    for place, (start, stop, call) in enumerate(spans):  # the longest first
        if any(a <= start and stop <= b for a, b, _ in found):
            continue
        inner = {row for a, b, _ in spans[place + 1 :] if start <= a and b <= stop for row in range(a, b)}
        if len(inner) < stop - start and all(stop <= a or b <= start for a, b, _ in found):
            found.append((start, stop, call))
    return sorted(found, key=lambda span: span[0])


def _covered(
    calls: Sequence[tuple[int, int, OptimizerCall]], count: int, searches: Sequence[OptimizerCall]
) -> Iterator[tuple[int, int, OptimizerCall | None]]:
    """Yield the calls and, between them, what searches looked at for their starts, and what belongs to none."""
    at = 0
    for start, stop, call in [*calls, (count, count, None)]:
        for search in searches:
            first, last = max(at, search.start), min(start, count if search.stop is None else search.stop)
            if first < last:
                if at < first:
                    yield at, first, None
                yield first, last, search
                at = last
        if at < start:
            yield at, start, None
        if start < stop:
            yield start, stop, call
        at = stop


def _of_loop(rows: Rows, start: int, stop: int, starts: Sequence[Floats], *, alone: bool) -> list[Stretch]:
    """Return the fits and the looks among evaluations that no known optimizer called for."""
    points, slopes = rows.points, rows.slopes
    own, down = points[start:stop], None if slopes is None else slopes[start:stop]
    plots: dict[tuple[int, int], Look] = dict.fromkeys(looks.grids(own), "grid")
    others: tuple[tuple[list[tuple[int, int]], Look], ...] = (
        (looks.lines(own, down), "line"),
        (looks.checks(own), "check"),
    )
    for spans, look in others:
        for a, b in spans:
            if all(b <= c or d <= a for c, d in plots):
                plots[a, b] = look
    found = list[Stretch]()
    pieces = list[tuple[int, int]]()
    for a, b, is_plot in looks.between(sorted(plots), len(own)):
        if is_plot:
            found.append(Stretch(start + a, start + b, look=plots[a, b]))
            continue
        end, behind = _looks_of(rows, start + a, start + b)
        pieces += [(start + a, end)] if start + a < end else []
        found += behind
    for each in _rejoined(rows, pieces):
        is_all = alone and each == [(0, len(points))]
        found += _of_steps(rows, each, starts, alone=is_all)
    return _with_looks_within(sorted(found, key=lambda each: (each.start, -each.stop)))


def _looks_of(rows: Rows, start: int, stop: int) -> tuple[int, list[Stretch]]:
    """Return where the steps end among evaluations without plots, and the looks at known points behind them."""
    points, slopes = rows.points, rows.slopes
    own, before = points[start:stop], points[:start]
    if start > 0:
        if looks.are_known(own, before):
            return start, [Stretch(start, stop, look="again")]
        if looks.is_check(own, before):
            return start, [Stretch(start, stop, look="check")]
        if looks.is_scan(own, None if slopes is None else slopes[start:stop], before):
            return start, [Stretch(start, stop, look="scan")]
    end, look = looks.look_behind(own)
    if end < _FEWEST or end == len(own) or (look == "check" and looks.takes_differences(own)):
        return stop, []
    return start + end, [Stretch(start + end, stop, look=look)]


def _rejoined(rows: Rows, pieces: Sequence[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Return the pieces between looks, those together of which each goes on from where the one before it was."""
    found = list[list[tuple[int, int]]]()
    for piece in pieces:
        if found and goes_on(rows, found[-1], piece):
            found[-1].append(piece)
        else:
            found.append([piece])
    return found


def _with_looks_within(found: Sequence[Stretch]) -> list[Stretch]:
    """Return the stretches in order, the looks that lie within a fit as parts of it."""
    outer = list[Stretch]()
    for each in found:
        if outer and each.start < outer[-1].stop:
            outer[-1] = replace(outer[-1], looks=(*outer[-1].looks, each))
        else:
            outer.append(each)
    return outer


def _of_steps(
    rows: Rows, pieces: Sequence[tuple[int, int]], starts: Sequence[Floats], *, alone: bool
) -> Iterator[Stretch]:
    """Yield the fits among the evaluations of some pieces, which looks interrupted."""
    points, slopes = rows.points, rows.slopes
    iterates = accepted_in(rows, pieces)  # a trial is no start
    down = None if slopes is None else slopes[iterates]
    anew = np.searchsorted(iterates, [row for row in rows.anew if row in set(iterates.tolist())]).tolist()
    counted = starts_among(anew, points[iterates], down, rows.loss[iterates])
    found = {int(iterates[row]) for row in counted or restarts(points[iterates], down, starts)}
    found -= set(rows.handed)
    found |= {row for a, b in pieces for row in rows.changes if a < row < b}
    every = np.concatenate([np.arange(a, b) for a, b in pieces])
    cuts = [0, *np.searchsorted(every, sorted(found)).tolist(), len(every)]
    for a, b in pairwise(cuts):
        own = every[a:b]
        is_few = len(own) < _FEWEST and not alone
        is_part = not alone or len(cuts) > 2
        if is_part and looks.are_scattered(points[own], None if slopes is None else slopes[own]):
            yield Stretch(int(own[0]), int(own[-1]) + 1, look="scatter")
            continue
        rate = None if is_few or slopes is None else step_size(points[own], slopes[own])
        options = {} if rate is None else {"step_size": rate}
        yield Stretch(int(own[0]), int(own[-1]) + 1, look="few" if is_few else "", options=options)


def step_size(points: Floats, slopes: Floats) -> float | None:
    """Return the step size of a loop of plain steps down the gradient; None where it takes other steps.

    >>> import numpy as np
    >>> way = 4 * 0.5 ** np.arange(8.0)[:, None]
    >>> step_size(way, 2 * way)
    0.25
    """
    if len(points) < _FEWEST:
        return None
    steps, down = np.diff(points, axis=0), -slopes[:-1]
    size = float(np.vdot(down, down).real)
    if not 0 < size < np.inf:
        return None
    rate = float(np.vdot(down, steps).real) / size
    apart = np.linalg.norm(steps - rate * down, axis=1)
    scale = np.linalg.norm(steps, axis=1) + _SAME_RATE * np.abs(points[:-1]).max(axis=1)
    return float(f"{rate:.9g}") if rate > 0 and (apart <= _SAME_RATE * scale).all() else None
