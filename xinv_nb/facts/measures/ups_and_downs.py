"""A loss that goes up and down: whether that is the work of its steps, and whether it comes down meanwhile.

Method: over each step the change of one smooth loss lies between gradient times step at the two ends, or next to that;
of a loss that is drawn anew each time (a mini-batch, say) it lies outside for most steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from xinv_nb.facts.fact import Phase
from xinv_nb.facts.measures.iterates import Floats, Iterates
from xinv_nb.facts.measures.promises import Ways

_WITHIN, _NEARLY_ALL = 0.1, 0.95
"""Share of what both ends promise by which a change may lie outside of it, and of how many steps it has to."""
_ESTIMATED, _MOSTLY = 0.4, 0.5
"""Share of a change by which an estimate of what a step brings about may miss it, and of how many steps it has to."""
_LOWER = 0.5
"""How high the last quarter rises above the lowest loss, as a share of how high the second does, if it comes down."""
_FEWEST = 4


def is_by_steps(ways: Ways | None, iterates: Iterates) -> bool:
    """Whether the steps bring about what a loss does, so that its ups and downs are no noise.

    Of arrays of which a sample is kept, what the steps bring about is an estimate.

    >>> from xinv_nb.facts.measures.iterates import iterates_of
    >>> from xinv_nb.recorded.run import RecordedRun
    >>> is_by_steps(None, iterates_of(RecordedRun()))
    False
    """
    if ways is None:
        run = iterates.run
        if len(iterates) < _FEWEST or not run.has_gradients:
            return False
        change = np.diff(run.loss[iterates.rows])
        missed = np.abs(change - np.diff(iterates.earned.sum(axis=0)))
        return bool(np.mean(missed <= _ESTIMATED * np.abs(change)) > _MOSTLY)
    allowed = _WITHIN * (np.abs(ways.before) + np.abs(ways.behind)) + ways.rounding
    return bool(np.mean(ways.excess <= allowed) >= _NEARLY_ALL)


def without_noise(phases: Sequence[Phase]) -> list[Phase]:
    """Return phases in which a loss goes up and down by steps, its own or those of others: that is no noise.

    >>> without_noise([Phase(0, 9, "descent", "noisy descent", noisy=True)])[0].label
    'oscillation'
    """
    return [
        replace(phase, noisy=False, kind="oscillation", label="oscillation") if phase.noisy else phase
        for phase in phases
    ]


def comes_down(loss: Floats) -> bool:
    """Whether a loss that goes up and down comes down clearly meanwhile, and goes on to, from quarter to quarter.

    >>> k = np.arange(80.0)
    >>> comes_down(0.9**k * (1.5 + np.cos(k))), comes_down(1.5 + np.cos(k))
    (True, False)
    """
    if len(loss) < 2 * _FEWEST or not loss[-1] < loss[0]:
        return False
    lowest = loss.min()
    second, last = (part.max() - lowest for part in np.array_split(loss, 4)[1::2])
    return bool(last < _LOWER * second)


def height_of_late(loss: Floats) -> float:
    """Return how high the last quarter of a loss rises above the lowest of it.

    >>> height_of_late(np.array([9.0, 1.0, 5.0, 2.0, 4.0, 1.5, 3.0, 2.5]))
    2.0
    """
    late = loss[-max(len(loss) // 4, 1) :]
    return float(late.max() - loss.min())
