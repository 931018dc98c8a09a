"""Between which bounds the parameters may lie: of the problem, of the optimizer, and those they were seen to reach."""

from __future__ import annotations

import numpy as np

from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.recorded.calls import OptimizerCall
from xinv_nb.recorded.run import RecordedRun


def told_bounds(call: OptimizerCall, count: int) -> list[set[float]]:
    """Return the bounds that an optimizer was given: a pair for each parameter, or all lower and all upper ones.

    >>> told_bounds(OptimizerCall("L-BFGS-B", 0, options={"bounds": [[0, 1], [2, 5], [3, 4]]}), 3)
    [{0.0, 1.0}, {2.0, 5.0}, {3.0, 4.0}]
    """
    try:
        told = [
            [np.nan if b is None else float(b) for b in np.ravel(part)] for part in call.options.get("bounds") or ()
        ]
    except (TypeError, ValueError):
        return []
    pairs = [told] if len(told) == count and all(len(pair) == 2 for pair in told) else []
    if len(told) == 2 and all(len(side) in (1, count) for side in told):
        low, high = (side * count if len(side) == 1 else side for side in told)
        pairs.append([list(pair) for pair in zip(low, high, strict=True)])
    return [{bound for reading in pairs for bound in reading[column]} for column in range(count)] if pairs else []


def limits(run: RecordedRun, points: Floats) -> tuple[Floats, Floats]:
    """Return the lowest and the highest value that each parameter may have, infinite where there is no bound.

    Of the bounds that are known, those that `points` keep to.
    """
    count = run.history.width
    known: list[set[float]] = [set() for _ in range(count)]
    for entry in run.entries():
        if entry.column is not None and entry.parameter.bounds:
            known[entry.column] |= {float(bound) for bound in entry.parameter.bounds if bound is not None}
    for event in run.events_as_recorded():
        if event.kind == "bound" and event.column is not None:
            known[event.column].add(float(event.values["bound"]))
    for call in run.history.calls:
        for column, told in enumerate(told_bounds(call, count)):
            known[column] |= told
    low, high = np.full(count, -np.inf), np.full(count, np.inf)
    for column, bounds in enumerate(known):
        below = [bound for bound in bounds if bound <= points[:, column].min()]
        above = [bound for bound in bounds if bound >= points[:, column].max()]
        low[column], high[column] = max(below, default=-np.inf), min(above, default=np.inf)
    return low, high
