"""Which evaluations were trials of a search that tries several step lengths on one line and keeps the best of them.

Method: a line search that samples (Nocedal & Wright 2006, 3.5) tries points on one line in any order, and the next line
leads away from the one that it kept. Where that is another than the last, which a loop of single steps would go on
from, the program searches: its next points lie on a line through the kept one, or straight down the gradient there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

_ON_LINE = 1e-9
"""Sine of the angle up to which a point lies on a line, apart from its rounding."""
_OFF_LINE = 1e-6
"""Sine of the angle from which on a point clearly lies beside a line."""
_FEWEST = 2
"""Lines that show a search: one may be a look along a line, taken between two steps."""
_TURNED = 1e-3
"""Sine of the angle from which on a slope has clearly turned away from another."""
_UNEVEN = 1.1
"""Longest step as a multiple of the shortest from which on steps are uneven."""
_EQUAL = 1e-6
_NEARLY_ALL = 0.9
_ROUNDING = 8 * float(np.finfo(float).eps)
_LEAST_COSINE = 1 - 1e-14


def search_on_lines(points: Floats, loss: Floats, slopes: Floats | None, *, is_over: bool) -> dict[int, bool] | None:
    """Return of the rows of a search on lines whether each was kept; `None` where nothing shows a search.

    `is_over` tells that no more evaluations will come, so that the last line is whole.

    Examples
    --------
    >>> points = np.array([[0, 0], [1, 1], [2, 2], [4, 4], [2, 3], [2, 4], [2, 6], [3, 4], [4, 4.0]])
    >>> search_on_lines(points, np.array([9, 6, 5, 8, 4, 3, 7, 2, 1.0]), None, is_over=True)
    {1: False, 2: True, 3: False, 4: False, 5: True, 6: False, 7: False, 8: True}
    """
    firsts = np.flatnonzero(np.concatenate([[len(points) > 0], (points[1:] != points[:-1]).any(axis=1)]))
    ends = np.append(firsts[1:], len(points))
    points, loss, slopes = points[firsts], loss[firsts], None if slopes is None else slopes[firsts]
    if points.shape[1] < 2 or len(points) < 4 or not np.isfinite(points).all():
        return None
    straight = _straight_on(points)
    if straight.all() or are_on_a_lattice(np.diff(points, axis=0)):
        return None
    shown = (line for line in _lines(points, loss, slopes, straight) if line.shows_search)
    if len(list(islice(shown, _FEWEST))) < _FEWEST:
        return None
    found: dict[int, bool] = {}
    for line in _lines(points, loss, slopes, None):  # again: a program that searches does so at each step
        kept = line.kept
        if not is_over and line.stop + 1 >= len(points):
            break
        if kept is None:
            kept = _lowest(loss, line)
        elif kept == line.stop - 1 and not loss[kept] <= loss[line.base]:
            continue  # what it went on from is no lower: steps along one line
        for k in range(line.at, line.stop):
            found |= dict.fromkeys(range(firsts[k], ends[k]), np.array_equal(points[k], points[kept]))
    return found


@dataclass(frozen=True, slots=True)
class _Line:
    """Points `at` to `stop` on one line with `base`, that the program went on from at `kept`, if it did."""

    base: int
    at: int
    stop: int
    kept: int | None
    shows_search: bool = False


def _lines(points: Floats, loss: Floats, slopes: Floats | None, straight: NDArray[np.bool_] | None) -> Iterator[_Line]:
    """Yield the lines along which a program went; only those that begin `straight` on, until one shows a search."""
    base, at, is_shown = 0, 1, straight is None
    while at < len(points):
        if straight is not None and base == at - 1 and not is_shown:
            ahead = np.flatnonzero(straight[base:])
            if not len(ahead):
                return
            base = base + int(ahead[0])
            at = base + 1
        stop = _end_of_line(points, base, at)
        if stop == len(points):
            yield _Line(base, at, stop, None)
            return
        kept = _goes_on_from(points, slopes, base, at, stop)
        is_lower = base < kept < stop - 1 and loss[kept] < loss[base]  # else something was only looked at
        shows = is_lower or _returns(points, loss, base, stop) or _samples_the_slope(points, slopes, base, at, stop)
        is_shown = is_shown or shows
        yield _Line(base, at, stop, kept, shows)
        base, at = kept, stop


def are_on_a_lattice(steps: Floats, *, along_axes: bool = True) -> bool:
    """Whether nearly all steps are as long in each entry that moves, so that any three points may lie on a line.

    As of steps down the signs of a gradient; of steps that move one entry only where `along_axes`.
    """
    sizes = np.abs(steps)
    moved, largest = sizes > 0, sizes.max(axis=1, keepdims=True)
    equal = (~moved | (sizes > (1 - _EQUAL) * largest)).all(axis=1)
    if not along_axes:
        equal &= moved.sum(axis=1) > 1
    return bool(equal.mean() > _NEARLY_ALL)


def _straight_on(points: Floats) -> NDArray[np.bool_]:
    """Return at which points, of all but the last two, the next two lie on one line with them."""
    steps = np.diff(points, axis=0)
    sizes = np.linalg.norm(steps, axis=1)
    with np.errstate(all="ignore"):
        cosines = (steps[1:] * steps[:-1]).sum(axis=1) / (sizes[1:] * sizes[:-1])
    return np.asarray(np.abs(cosines) >= _LEAST_COSINE)


def _end_of_line(points: Floats, base: int, at: int) -> int:
    """Return the first point behind those that lie on one line with `base` and the point `at`."""
    way = points[at] - points[base]
    length = float(np.linalg.norm(way))
    stop = at + 1
    while stop < len(points):
        offset = points[stop] - points[base]
        if not length:  # `at` is the base again
            way, length = offset, float(np.linalg.norm(offset))
        if float(offset @ way) < 0:
            break  # a search goes down, while differences are taken to both sides
        if _beside(offset, way) > _ON_LINE + _rounding(points[stop], min(length, float(np.linalg.norm(offset)))):
            break
        stop += 1
    return stop


def _beside(offset: Floats, way: Floats) -> float:
    """Return the sine of the angle between two ways, 0 where one of them is none."""
    size, length = float(np.linalg.norm(offset)), float(np.linalg.norm(way))
    if not size or not length:
        return 0.0
    way = way / length
    return float(np.linalg.norm(offset - (offset @ way) * way)) / size


def _rounding(point: Floats, length: float) -> float:
    return _ROUNDING * float(np.abs(point).max()) / length if length else 0.0


def _goes_on_from(points: Floats, slopes: Floats | None, base: int, at: int, stop: int) -> int:
    """Return the point of a line that the points behind it lead away from: the last, where no other clearly is it."""
    last = stop - 1
    if stop - at < 2:
        return last
    tried = [base, *range(at, stop)]
    steps = [points[stop] - points[k] for k in tried]
    roundings = [_rounding(points[stop], float(np.linalg.norm(step))) for step in steps]
    ways: list[list[Floats]] = []
    if stop + 1 < len(points):
        ways.append([points[stop + 1] - points[stop]] * len(tried))
    if slopes is not None:  # of a quadratic, a step down from one point may lead where a step down from another does
        ways.append([-slopes[k] for k in tried])
    for onward in ways:
        off = [_beside(way, step) for way, step in zip(onward, steps, strict=True)]
        fits = [k for k, sine, least in zip(tried, off, roundings, strict=True) if sine <= _ON_LINE + least]
        near = [k for k, sine, least in zip(tried, off, roundings, strict=True) if sine <= _OFF_LINE + least]
        if fits:
            return fits[-1] if all(np.array_equal(points[k], points[fits[-1]]) for k in near) else last
    return last


def _returns(points: Floats, loss: Floats, base: int, stop: int) -> bool:
    """Whether the last point of a line is again one before it, lower than at least two others of the line."""
    again = (points[base:stop] == points[stop - 1]).all(axis=1)
    others = np.unique(points[base:stop][~again], axis=0)
    return bool(again[1:-2].any()) and len(others) > 1 and not (loss[base:stop][~again] <= loss[stop - 1]).any()


def _samples_the_slope(points: Floats, slopes: Floats | None, base: int, at: int, stop: int) -> bool:
    """Whether a line leads down the slope of its base alone, unevenly, so that no step follows from another."""
    if slopes is None or stop - at < 2:
        return False
    steps = np.diff(points[[base, *range(at, stop)]], axis=0)
    sizes = np.linalg.norm(steps, axis=1)
    is_down = float(steps[0] @ slopes[base]) < 0 and _beside(slopes[base], steps[0]) <= _ON_LINE
    turns = min(_beside(slopes[k], steps[0]) for k in range(at, stop))
    return is_down and turns > _TURNED and float(sizes.max()) > _UNEVEN * float(sizes.min())


def _lowest(loss: Floats, line: _Line) -> int:
    """Return the lowest of a line at which the program ended, with where it began."""
    least: int = min([line.base, *range(line.at, line.stop)], key=lambda k: loss[k] if np.isfinite(loss[k]) else np.inf)
    return least
