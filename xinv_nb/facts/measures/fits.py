"""The fits in a recording: one optimization by one optimizer from one start each, and what belongs to none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.measures.looks import Look, look_of
from xinv_nb.facts.measures.restarts import jumps, restarts
from xinv_nb.recorded.calls import OptimizerCall
from xinv_nb.recorded.run import RecordedRun

Floats = NDArray[np.float64]

_FEWEST = 3
"""Evaluations that a loop takes at least to be a fit, beside others."""
_MOST_JUMPS = 30
"""Places between which a grid is looked for."""
_SAME_RATE = 1e-6


@dataclass(frozen=True)
class Stretch:
    """Evaluations `start` up to `stop` that belong together: one fit, or, where `look` says so, a look at points."""

    start: int
    stop: int
    call: OptimizerCall | None = None
    look: Look = ""
    options: Mapping[str, Any] = field(default_factory=dict)


def stretches(run: RecordedRun) -> list[Stretch]:
    """Return the fits of the objective that is shown, and the looks between them, in order.

    Where nothing tells them apart, all evaluations are one fit.

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
    points, slopes = _points(run)
    calls = _innermost(run.history.calls, count)
    if not calls and points is None:
        return [Stretch(0, count)]
    found: list[Stretch] = []
    starts: list[Floats] = []
    for start, stop, call in _covered(calls, count):
        if call is not None:
            found.append(Stretch(start, stop, call, options=call.options))
        elif points is None:
            found.append(Stretch(start, stop))
        else:
            found += _of_loop(points, slopes, start, stop, starts, alone=not calls)
        if points is not None:
            starts += [points[each.start] for each in found[len(starts) :]]
    fits = [each for each in found if not each.look]
    return found if fits else [Stretch(0, count)]


def _points(run: RecordedRun) -> tuple[Floats | None, Floats | None]:
    """Return the points and the gradients as rows of real numbers; None where not all of them were kept."""
    history = run.history
    if history.kept is not None or history.width == 0:
        return None, None
    slopes = _real(history.gradients.array) if run.has_gradients else None
    return _real(history.values.array), slopes


def _real(rows: NDArray[Any]) -> Floats:
    return rows if rows.dtype.kind == "f" else np.concatenate([rows.real, rows.imag], axis=1)


def _innermost(calls: Sequence[OptimizerCall], count: int) -> list[tuple[int, int, OptimizerCall]]:
    """Return the calls that no other was made within, with their evaluations; of those around them nothing."""
    spans = [(call.start, count if call.stop is None else min(call.stop, count), call) for call in calls]
    spans = [span for span in spans if span[0] < span[1]]
    found: list[tuple[int, int, OptimizerCall]] = []
    for span in sorted(spans, key=lambda span: (span[1] - span[0], -span[0])):
        if all(span[1] <= start or stop <= span[0] for start, stop, _ in found):
            found.append(span)
    return sorted(found, key=lambda span: span[0])


def _covered(
    calls: Sequence[tuple[int, int, OptimizerCall]], count: int
) -> Iterator[tuple[int, int, OptimizerCall | None]]:
    """Yield the calls and, between them, what belongs to none."""
    at = 0
    for start, stop, call in calls:
        if at < start:
            yield at, start, None
        yield start, stop, call
        at = stop
    if at < count:
        yield at, count, None


def _of_loop(
    points: Floats, slopes: Floats | None, start: int, stop: int, starts: Sequence[Floats], *, alone: bool
) -> Iterator[Stretch]:
    """Yield the fits and the looks among evaluations that no known optimizer called for."""
    own = points[start:stop]
    grid = _grid(own, None if slopes is None else slopes[start:stop], points[:start])
    if grid is not None:
        first, last, look = grid
        if first:
            yield from _of_loop(points, slopes, start, start + first, starts, alone=alone)
        yield Stretch(start + first, start + last, look=look)
        if last < len(own):
            yield from _of_loop(points, slopes, start + last, stop, starts, alone=alone)
        return
    cuts = [0, *restarts(own, None if slopes is None else slopes[start:stop], starts), len(own)]
    for a, b in pairwise(cuts):
        first, last = start + a, start + b
        look = look_of(points[first:last], None if slopes is None else slopes[first:last], points[:first])
        if not look and last - first < _FEWEST and not (alone and len(cuts) == 2):
            look = "few"
        rate = None if look or slopes is None else step_size(points[first:last], slopes[first:last])
        yield Stretch(first, last, look=look, options={} if rate is None else {"step_size": rate})


def _grid(points: Floats, slopes: Floats | None, known: Floats) -> tuple[int, int, Look] | None:
    """Return the longest part, between two jumps, that is a grid or the like."""
    count = len(points)
    if count < _FEWEST:
        return None
    places = [0, *sorted(jumps(points, None)), count]
    ends = sorted({*places[:_MOST_JUMPS], *places[-_MOST_JUMPS:]})
    for length in sorted({b - a for a in ends for b in ends if b - a >= _FEWEST}, reverse=True):
        for a in ends:
            if a + length in ends:
                part = slice(a, a + length)
                before = np.concatenate([known, points[:a]])
                look = look_of(points[part], None if slopes is None else slopes[part], before)
                if look:
                    return a, a + length, look
    return None


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
