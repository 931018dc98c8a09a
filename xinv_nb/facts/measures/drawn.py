"""Whether the losses or the steps of a run are drawn at random, so that its ups and downs are no swings.

Method: the change of one smooth loss hardly ever lies outside of what the gradients at both ends of a step promise by
more than these promise together; that of a loss of which each draw is another does again and again, both ways, and
turns about as often as independent draws, after two of three steps (Bienaymé 1874). Steps of an optimizer follow from
the gradients and the step before; what is left of random ones turns as often, and does not follow from what was before.
"""

from __future__ import annotations

import numpy as np

from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.promises import Ways, is_whole
from xinv_nb.recorded.run import RecordedRun

_FEWEST = 24
"""Steps that it takes to tell chance from a rule."""
_AGAIN_AND_AGAIN, _BOTH_WAYS = 0.2, 0.05
"""Share of the steps over which a drawn loss does what it cannot of its own accord, and of those that go either way."""
_TURNS = (0.5, 0.82)
"""Shares of the steps after which draws turn: two thirds on average."""
_RANDOM = 0.1
"""Share of the length of the steps from which on what no rule tells of them counts."""
_ALIKE = 0.25
"""Correlation of successive values up to which they are draws."""
_MOST_COLUMNS, _MOST_ROWS = 10, 1000
"""Parameters and steps that are looked at."""


def are_losses_drawn(ways: Ways | None) -> bool:
    """Whether the later losses are draws: each of other data, say, so that single ones say little.

    >>> are_losses_drawn(None)
    False
    """
    if ways is None:
        return False
    late = ways[np.arange(len(ways)) >= len(ways) // 2]
    if len(late) < _FEWEST or not _turns_as_draws(late.change):
        return False
    outside = late.excess > np.abs(late.before) + np.abs(late.behind) + late.rounding
    rises = float(np.mean(late.change[outside] > 0)) if outside.any() else 0.0
    return float(np.mean(outside)) >= _AGAIN_AND_AGAIN and _BOTH_WAYS <= rises <= 1 - _BOTH_WAYS


def are_steps_drawn(run: RecordedRun) -> bool:
    """Whether the later steps are drawn in part, each by itself, as noise is that a program adds to them.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> dice = np.random.default_rng(0)
    >>> with xi.record() as run:
    ...     x = np.array([3.0, 1.0])
    ...     for _ in range(100):
    ...         run.add(x @ x, x, 2 * x)
    ...         x = x - 0.1 * x + 0.1 * dice.normal(size=2)
    >>> are_steps_drawn(run)
    True
    """
    if not is_whole(run) or not run.has_gradients:
        return False
    rows = np.flatnonzero(run.accepted)
    rows = rows[len(rows) // 2 :][: _MOST_ROWS + 1]
    points, slopes = run.history.values.array[rows], run.history.gradients.array[rows]
    if len(rows) < _FEWEST + 2 or not (np.isfinite(points).all() and np.isfinite(slopes).all()):
        return False
    steps = np.diff(points, axis=0)
    moved = np.flatnonzero(steps.any(axis=0))[:_MOST_COLUMNS]
    left = [_unexplained(slopes[:, j], steps[:, j]) for j in moved]
    return bool(left) and all(
        np.std(rest) > _RANDOM * np.std(step) and abs(_of_successive(rest)) <= _ALIKE and _turns_as_draws(np.diff(rest))
        for rest, step in zip(left, steps[1:, moved].T, strict=True)
    )


def _unexplained(slope: Floats, step: Floats) -> Floats:
    """Return what neither the gradients nor the step before tell of the steps of one parameter."""
    known = np.stack([slope[1:-1], np.sign(slope[1:-1]), slope[:-2], step[:-1], np.ones(len(step) - 1)], axis=1)
    scale = np.abs(known).max(axis=0)
    known = known / np.where(scale > 0, scale, 1.0)
    return np.asarray(step[1:] - known @ np.linalg.lstsq(known, step[1:], rcond=None)[0])


def _of_successive(values: Floats) -> float:
    return float(values[1:] @ values[:-1]) / max(float(values @ values), np.finfo(float).tiny)


def _turns_as_draws(changes: Floats) -> bool:
    """Whether changes turn about as often as those of independent draws."""
    return _TURNS[0] <= float(np.mean(changes[1:] * changes[:-1] < 0)) <= _TURNS[1]
