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
_MOST = 24
"""Parameters up to which each may play by itself."""
_BENT = 1e-3
_SEEN, _SAME = 1e-8, 1e-6
"""Share of a parameter below which a step of it is rounding, and of a step size up to which two are the same."""


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
    if len(iterates) <= _FEWEST:
        return None
    if len(arguments) < 2:
        return _within_one_argument(run, iterates)
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


def _within_one_argument(run: RecordedRun, iterates: Iterates) -> Players | None:
    """Return the entries of one array that step down their own slopes, and those that step up theirs, all of them.

    Each step is one and the same multiple of the slope, to many digits: a solver that uses the curvature goes up the
    slope of a parameter, too.
    """
    tracks = iterates.tracks
    if (
        not run.has_gradients
        or not run.history.is_real
        or len(tracks) > _MOST
        or any(t.entry.statistic for t in tracks)
    ):
        return None
    sides: tuple[list[Entry], list[Entry]] = [], []
    ways: list[NDArray[np.float64]] = []
    for track in tracks:
        steps, slopes = np.diff(track.values), track.slopes[:-1]
        seen = np.abs(steps) > _SEEN * np.abs(track.values[1:])
        if np.count_nonzero(seen) < _FEWEST or not slopes[seen].all():
            return None
        rates = steps[seen] / slopes[seen]
        if not np.ptp(rates) <= _SAME * abs(float(rates[0])):
            return None
        sides[int(rates[0] > 0)].append(track.entry)
        ways.append(slopes / np.abs(slopes).max())
    # Along one straight line any direction is a multiple of the slope, parameter by parameter.
    is_bent = any(np.ptp(np.abs(way) - np.abs(ways[0])) > _BENT for way in ways)
    return Players(lowering=sides[0], raising=sides[1]) if all(sides) and is_bent else None


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
