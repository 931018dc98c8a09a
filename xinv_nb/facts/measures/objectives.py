"""Which of several objectives were minimized each by itself, and not as a part, a player or a step of another one."""

from __future__ import annotations

import numpy as np

from xinv_nb.recorded.history import History
from xinv_nb.recorded.run import RecordedRun

_FEWEST = 3
"""Evaluations from which on a solver has done something."""


def by_themselves(run: RecordedRun) -> list[RecordedRun]:
    """Return the objectives of which a known optimizer made all evaluations, the one that is shown first.

    >>> by_themselves(RecordedRun())
    []
    """
    histories = run.histories
    if len(histories) < 2 or any(each.nested or each.is_within or each.moved_by or each.handed for each in histories):
        return []
    if len({each.objective for each in histories}) < len(histories):
        return []  # of one name may be what is one objective
    return [each for each in run.objectives.values() if _is_of_optimizers(each.history) and len(each.iterates)]


def _is_of_optimizers(history: History) -> bool:
    covered = np.zeros(len(history), dtype=bool)
    for call in history.calls:
        covered[call.start : call.stop] = True
    return len(history) >= _FEWEST and bool(covered.all())
