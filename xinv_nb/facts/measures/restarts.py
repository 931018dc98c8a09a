"""Where a loop that no optimizer's call surrounds begins anew: back at a start, or by a jump that no step explains."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_FEWEST = 3
"""Evaluations that a fit takes at least, before a jump and after it."""
_OUT_OF_SCALE = 5.0
"""A jump is that many times as long as the longest of the latest steps."""
_OUT_OF_RATE = 10.0
"""And that many times as long, for its gradient, as they were for theirs."""
_FLUNG = 100.0
"""Times that a jump from where a fit came to rest is as long for its gradient as any step of the fit."""
_LATEST = 10
_FEWEST_BY_RULE = 8
"""Evaluations of a fit from which on its momentum and its rate are known for certain."""
_ALONG = 1e-6
"""Sine of the angle to the gradient up to which a step goes along it."""
_SETTLED = 1e-3
"""Share of its largest gradient, or of its largest step, at which a fit has come to rest."""


def restarts(points: Floats, slopes: Floats | None, starts: Sequence[Floats] = ()) -> list[int]:
    """Return the rows at which a loop starts again; `starts` are points from which fits before this one started.

    A row is a start if it is back at the very point of an earlier one, and no step along the gradient leads there; or
    if it is reached by a jump far out of scale with the steps before, in length and for the gradient there, from where
    the loop had come to rest, or went straight down the gradient at each step, or had made as many evaluations as
    between all other starts.

    Examples
    --------
    >>> import numpy as np
    >>> way = 4 * 0.5 ** np.arange(8.0)[:, None]
    >>> restarts(np.concatenate([way, way]), np.concatenate([2 * way, 2 * way]))
    [8]
    """
    count = len(points)
    if count < 2 * _FEWEST:
        return []
    steps = np.diff(points, axis=0)
    lengths = np.linalg.norm(steps, axis=1)
    off = _off_the_rule(steps, slopes)
    far = jumps(points, slopes) | off
    known = [start for start in starts if start.shape == points[0].shape] + [points[0]]
    back = {row for start in known for row in _at(points, start)}
    broken = _behind_a_break(points, slopes)
    found: list[int] = []
    begin = 0
    while candidates := [
        row for row in back | far | broken if row - begin >= _FEWEST and (lengths[row - 1] > 0 or row in broken)
    ]:
        row = min(candidates)
        back.discard(row)
        far.discard(row)
        is_start = any(np.array_equal(points[row], start) for start in known)
        is_new = is_start or row in off or row in broken or _has_settled(lengths, slopes, begin, row)
        is_new = is_new or _leaves_descent(steps, slopes, begin, row)
        if is_new and not _is_step(steps, slopes, row, begin):
            found.append(row)
            known.append(points[row])
            back |= _at(points, points[row])
            begin = row
        broken.discard(row)
    if even := _evenly_spaced(sorted({*found, *jumps(points, slopes)}), count):
        found = even
    return [row for row in found if count - row >= _FEWEST]


def _at(points: Floats, point: Floats) -> set[int]:
    """Return the rows that are at a point, to the bit."""
    return set(np.flatnonzero((points == point).all(axis=1)).tolist())


def _behind_a_break(points: Floats, slopes: Floats | None) -> set[int]:
    """Return the rows of numbers behind points that are none, but for steps from an earlier point: ways back to it."""
    finite: NDArray[np.bool_] = np.asarray(np.isfinite(points).all(axis=1))
    found = set()
    for row in (np.flatnonzero(finite[1:] & ~finite[:-1]) + 1).tolist():
        before = np.flatnonzero(finite[:row])
        ways = points[row] - points[before]
        is_back = bool((ways == 0).all(axis=1).any())
        if slopes is not None and not is_back:
            down = -slopes[before]
            sizes = np.linalg.norm(ways, axis=1) * np.linalg.norm(down, axis=1)
            is_back = bool(((ways * down).sum(axis=1) >= (1 - _ALONG) * sizes).any())
        if not is_back:
            found.add(row)
    return found


def jumps(points: Floats, slopes: Floats | None) -> set[int]:
    """Return the rows that are reached by a jump out of scale with the steps before, and for their gradients.

    >>> jumps(np.array([[0.0], [1.0], [2.0], [3.0], [50.0]]), None)
    {4}
    """
    lengths = np.linalg.norm(np.diff(points, axis=0), axis=1)
    if len(lengths) < _FEWEST:
        return set()
    before = _largest_before(lengths)
    far = (lengths > _OUT_OF_SCALE * before) & (before > 0)
    if slopes is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            rates = lengths / np.linalg.norm(slopes[:-1], axis=1)
        far &= rates > _OUT_OF_RATE * _largest_before(np.where(np.isnan(rates), 0.0, rates))
    far[: _FEWEST - 1] = False
    return set((np.flatnonzero(far & np.isfinite(lengths)) + 1).tolist())


def _largest_before(values: Floats) -> Floats:
    """Return for each value the largest of the latest ones before it."""
    padded = np.concatenate([np.zeros(_LATEST), values[:-1]])
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, _LATEST).max(axis=1))


def _is_step(steps: Floats, slopes: Floats | None, row: int, begin: int) -> bool:
    """Whether the step to a row goes straight down the gradient; of one parameter, as far for it as the one before."""
    if slopes is None or row - 1 == begin:
        return False
    rates = []
    for k in (row - 1, row - 2):
        step, slope = steps[k], slopes[k]
        size = float(np.linalg.norm(step) * np.linalg.norm(slope))
        inner = -float((slope * step).sum())
        if not size or not inner > 0 or 1 - (inner / size) ** 2 > _ALONG**2:
            return False
        if steps.shape[1] > 1:
            return True
        rates.append(float(np.linalg.norm(step) / np.linalg.norm(slope)))
    return abs(rates[0] - rates[1]) <= _ALONG * max(rates)


def _has_settled(lengths: Floats, slopes: Floats | None, begin: int, row: int) -> bool:
    """Whether a loop had come to rest before a row: its gradient, or its steps, small beside the largest."""
    own = lengths[begin : row - 1]
    if len(own) >= _FEWEST and own[-_FEWEST:].min() > 0 and own[-_FEWEST:].max() <= _SETTLED * own.max():
        return True
    if slopes is None:
        return False
    sizes = np.linalg.norm(slopes[begin:row], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = lengths[begin:row] / sizes
    is_flung = not rates[-1] <= _FLUNG * np.fmax.reduce(rates[:-1], initial=0.0)  # or a step of Newton's from a saddle
    return bool(sizes[-1] <= _SETTLED * np.fmax.reduce(sizes) and is_flung)


def _leaves_descent(steps: Floats, slopes: Floats | None, begin: int, row: int) -> bool:
    """Whether all steps before a jump, and the next ones after it, go straight down the gradient, as no jump does."""
    if slopes is None or row - begin <= _FEWEST or len(steps) - row < _FEWEST - 1:
        return False
    own = [*range(begin, row - 1), *range(row, row + _FEWEST - 1)]
    step, down = steps[own], -slopes[own]
    lengths, sizes = np.linalg.norm(step, axis=1), np.linalg.norm(down, axis=1)
    if not (lengths * sizes > 0).all():
        return False
    if steps.shape[1] > 1:
        return bool(((step * down).sum(axis=1) >= (1 - _ALONG) * lengths * sizes).all())
    rates = (step / down)[:, 0]
    return bool(np.ptp(rates) <= _ALONG * rates.min())


def _off_the_rule(steps: Floats, slopes: Floats | None) -> set[int]:
    """Return the rows that are reached by a far jump out of a descent with momentum, which no other step leaves.

    Each step is the one before times the momentum, less the gradient times the rate; after a jump it begins at rest.
    """
    if slopes is None or len(steps) < 2 * _FEWEST_BY_RULE:
        return set()
    lengths = np.linalg.norm(steps, axis=1)
    before = _largest_before(lengths)
    far = np.flatnonzero((lengths > _OUT_OF_SCALE * before) & (before > 0)) + 1
    edges = [0, *(row for row in far.tolist() if row >= _FEWEST_BY_RULE), len(steps) + 1]
    steepest = np.abs(slopes).max()
    if not 0 < steepest < np.inf:
        return set()
    down = slopes * (lengths.max() / steepest)  # the unit of the loss decides nothing
    laws = [_law(steps[a : b - 1], down[a : b - 1]) for a, b in pairwise(edges)]
    is_one = all(law is not None and np.allclose(law, laws[0] or (), rtol=_ALONG, atol=0.0) for law in laws)
    return set(edges[1:-1]) if is_one else set()


def _law(steps: Floats, slopes: Floats) -> tuple[float, float] | None:
    """Return momentum and rate of steps that follow them to rounding, from rest; None where they do not."""
    if len(steps) < _FEWEST_BY_RULE - 1:
        return None
    past = np.concatenate([np.zeros((1, steps.shape[1])), steps[:-1]])
    terms = np.stack([past.reshape(-1), -slopes.reshape(-1)], axis=1)
    if not np.isfinite(terms).all() or not steps.any():
        return None
    found, *_ = np.linalg.lstsq(terms, steps.reshape(-1), rcond=None)
    missed = np.linalg.norm((terms @ found).reshape(steps.shape) - steps, axis=1)
    is_met = bool((missed <= _ALONG * np.abs(steps).max()).all()) and _ALONG < found[0] < 1 and found[1] > 0
    return (float(found[0]), float(found[1])) if is_met else None


def _evenly_spaced(rows: Sequence[int], count: int) -> list[int]:
    """Return the jumps if they cut the loop into parts of one length, as loops within loops do."""
    parts = {b - a for a, b in pairwise([0, *rows, count])}
    return list(rows) if rows and len(parts) == 1 else []
