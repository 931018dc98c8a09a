"""Blocks of parameters that solvers move by turns: each call one of them, while the others stay where they are."""

from __future__ import annotations

from collections.abc import Sequence

from xinv_nb.facts.measures.players import arguments_of
from xinv_nb.recorded.leaves import Leaf
from xinv_nb.recorded.run import RecordedRun

_FEWEST = 3
"""Calls of solvers that moved a block."""


def blocks_of(run: RecordedRun) -> Sequence[Sequence[Leaf]]:
    """Return the arguments of an objective that calls of solvers move by turns; none where they do not.

    >>> blocks_of(RecordedRun())
    []
    """
    history = run.history
    calls, arguments = history.calls, list(arguments_of(run))
    if len(calls) < _FEWEST or len(arguments) < 2 or history.kept is not None:
        return []
    values, moves = history.values.array, list[int]()
    for call in calls:
        own = values[call.start : call.stop]
        moved = [
            k
            for k, leaves in enumerate(arguments)
            if (own[:, leaves[0].start : leaves[-1].end] != own[:1, leaves[0].start : leaves[-1].end]).any()
        ]
        if len(moved) > 1:
            return []
        moves += moved
    found = sorted(set(moves))
    return [arguments[k] for k in found] if len(moves) >= _FEWEST and len(found) > 1 else []
