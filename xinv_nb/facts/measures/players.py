"""Games: objectives that move each other, or one loss that some parameters lower and others raise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.measures.iterates import Iterates
from xinv_nb.recorded.entries import Entry
from xinv_nb.recorded.leaves import Leaf
from xinv_nb.recorded.run import RecordedRun

_FEWEST = 8
"""Steps that it takes to tell who lowers a loss and who raises it."""
_NEARLY_ALL = 0.9


@dataclass(frozen=True)
class Players:
    """Who plays: the names of the other objectives, or which parameters lower the one loss and which raise it."""

    others: Sequence[str] = ()
    lowering: Sequence[Entry] = ()
    raising: Sequence[Entry] = ()


def players_of(run: RecordedRun, iterates: Iterates) -> Players | None:
    """Return who plays a game in this run; None where nobody does."""
    if run.history.moved_by:
        return Players(others=run.history.moved_by)
    arguments = list(arguments_of(run))
    if len(arguments) < 2 or len(iterates) <= _FEWEST:
        return None
    steps = np.diff(iterates.earned, axis=1) if run.has_gradients else _by_turns(iterates)
    sides: tuple[list[Entry], list[Entry]] = [], []
    for leaves in arguments:
        own = [k for k, track in enumerate(iterates.tracks) if track.entry.leaf in leaves]
        earned = steps[own].sum(axis=0)
        moved = np.count_nonzero(earned)
        if moved < _FEWEST:
            return None
        lowered = np.count_nonzero(earned < 0) / moved
        if 1 - _NEARLY_ALL < lowered < _NEARLY_ALL:
            return None
        sides[int(lowered <= 1 - _NEARLY_ALL)].extend(iterates.tracks[k].entry for k in own)
    return Players(lowering=sides[0], raising=sides[1]) if all(sides) else None


def _by_turns(iterates: Iterates) -> NDArray[np.float64]:
    """Return what the steps of each track change the loss by, each of which is taken where its gradient is known."""
    tracks = iterates.tracks
    # Of an array of which a sample is kept, a size is no step.
    products = [np.diff(t.values) * (np.nan if t.entry.statistic else t.slopes[:-1]) for t in tracks]
    return np.nan_to_num(np.array(products))


def arguments_of(run: RecordedRun) -> Iterator[list[Leaf]]:
    """Yield the leaves of each argument of the objective; nothing where it takes one.

    >>> list(arguments_of(RecordedRun()))
    []
    """
    outline = run.history.outline
    if not isinstance(outline, tuple):
        return
    leaves = iter(run.history.leaves)
    for argument in outline:
        yield [next(leaves) for _ in range(_count(argument))]


def _count(outline: object) -> int:
    if isinstance(outline, dict):
        return sum(map(_count, outline.values()))
    return sum(map(_count, outline)) if isinstance(outline, (list, tuple)) else 1
