"""Where parameters turned, how far they went past their goal, and whether they swing with a period.

Turning points are the extremes between which a value goes at least some distance (the hysteresis filter of rainflow
counting, Downing and Socie 1982), so that jitter is none. A swing is a stretch in which extremes follow each other
regularly: the period is twice their mean distance; the damping, the mean ratio of a swing to the one before, shows in
heavy-ball descent as the square root of the momentum for each iteration (Polyak 1964).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kinds.movement import subject, verb
from xinv_nb.facts.measures.iterates import Floats, Iterates, Track
from xinv_nb.language.quantities import number, pair, quantity, with_unit
from xinv_nb.recorded.run import RecordedRun

_LEAST = 0.05
"""Share of its range that a parameter goes at least between two turning points."""
_JITTER = 4.0
"""The same in usual steps: what noise does in a few steps is no turn."""
_TOLD_EACH = 2
"""Turning points that are told one by one."""
MOST_TURNS = 6
"""Turns up to which they are worth to be told; more are noise, or a swing."""
_BLOCKS = 256
"""Stretches of a long run of which the extremes are looked at."""
_VISIBLE = 0.01
"""Share of its range from which a swing of a parameter can be seen."""
_REGULAR = 0.35
"""Relative standard deviation of the distances of extremes up to which they are regular."""
_FEWEST_SWINGS = 5
_MOST = 4
_MOST_DETOURS = 2
_FAR = 3.0
"""Path length over net distance from which it is told."""


def turning(run: RecordedRun, iterates: Iterates) -> Iterator[Fact]:
    """Yield turning points and overshoot, regular swings, and paths that are much longer than the way they made."""
    last = run.evaluations - 1
    if len(iterates) < 4:
        return
    moved = [t for t in iterates.numbers if np.isfinite(t.range) and t.range > 0]
    moved = [t for t in moved if not t.wanders(0, len(iterates) - 1)]
    told = sorted(moved, key=lambda t: -(t.range * float(np.mean(np.abs(t.slopes)))))[: 3 * _MOST]
    swinging = [(track, swing) for track in told if (swing := swing_of(track.values))]
    yield from _swings(iterates, swinging)
    regular = {track.entry.name for track, _ in swinging}
    turned = [
        (track, turns)
        for track in told
        if track.entry.name not in regular and 0 < len(turns := turns_of(track.values, _LEAST)) <= MOST_TURNS
    ]
    for place, (track, turns) in enumerate(turned[:_MOST]):
        yield _turned(iterates, track, turns, last, 0.6 if place == 0 else 0.45)
    yield from _detours(told, last)


# ---------------------------------------------------------------------- turning points


def turning_points(values: Floats, least: float) -> list[int]:
    """Return the places of the first value, of the extremes between which it goes `least` or more, and of the last.

    >>> turning_points(np.array([0.0, 3.0, 2.9, 5.0, 1.0, 2.0]), 1.5)
    [0, 3, 5]
    >>> turning_points(np.array([0.0, 3.0, 2.9, 5.0, 1.0, 3.0]), 1.5)
    [0, 3, 4, 5]
    """
    places = _candidates(values)
    if len(places) < 3:
        return [0, len(values) - 1]
    kept = [0]
    extreme, direction = 0, 0
    for place, value in zip(places[1:].tolist(), values[places[1:]].tolist(), strict=True):
        gone = value - values[extreme]
        if direction == 0:
            if abs(value - values[0]) >= least:
                extreme, direction = place, 1 if value > values[0] else -1
        elif gone * direction >= 0:
            extreme = place
        elif abs(gone) >= least:
            kept.append(extreme)
            extreme, direction = place, -direction
    return [*kept, len(values) - 1]


def _candidates(values: Floats) -> NDArray[np.intp]:
    """Return the places of local extremes; in a long run, of those of each of some stretches."""
    count = len(values)
    if count > 4 * _BLOCKS:
        length = -(-count // _BLOCKS)
        padded = np.full(length * _BLOCKS, values[-1])
        padded[:count] = values
        blocks = padded.reshape(_BLOCKS, length)
        starts = np.arange(_BLOCKS) * length
        places = np.concatenate([starts + blocks.argmin(axis=1), starts + blocks.argmax(axis=1), [0, count - 1]])
        return np.unique(np.minimum(places, count - 1))
    return np.concatenate([[0], extremes(values), [count - 1]])


def extremes(values: Floats) -> NDArray[np.intp]:
    """Return the places at which the value turns, the first of those where it stays.

    >>> extremes(np.array([0.0, 2.0, 2.0, 1.0, 1.5]))
    array([1, 3])
    """
    changed = np.flatnonzero(np.diff(values))
    up = values[changed + 1] > values[changed]
    turns = np.flatnonzero(up[1:] != up[:-1])
    return np.asarray(changed[turns] + 1)


def turns_of(values: Floats, least: float) -> list[int]:
    """Return the places where a value turns to go at least that share of its range, and farther than it jitters."""
    jitter = _JITTER * float(np.median(np.abs(np.diff(values))))
    return turning_points(values, max(least * float(np.ptp(values)), jitter))[1:-1]


def _turned(iterates: Iterates, track: Track, turns: list[int], last: int, salience: float) -> Fact:
    entry, values, unit = track.entry, track.values, track.entry.parameter.unit
    text, found = way_with_turns(values, iterates.rows, turns, unit, lambda way: verb(entry, way))
    beyond = _overshoot(values)
    if beyond > _LEAST * track.range:
        found["overshoot"] = beyond
        text += f"; it went {quantity(beyond, unit)} past the value where it ended"
    found |= {"parameter": entry.name, "start": float(values[0]), "end": float(values[-1])}
    return Fact("", "turning", f"{subject(entry)} {text}.", found, (0, last), (), salience)


def way_with_turns(
    path: Floats, rows: NDArray[np.intp], turns: list[int], unit: str, verb: Callable[[float], str]
) -> tuple[str, dict[str, Any]]:
    """Return the way along `path` with its turns in words, and the numbers in them; `verb` words a part of the way."""
    at = [int(rows[place]) for place in turns]
    found: dict[str, Any] = {"turns": at, "values": [float(path[place]) for place in turns]}
    if len(turns) > _TOLD_EACH:
        where = int(np.argmin(path)), int(np.argmax(path))
        (low, high), (first, second) = (float(path[k]) for k in where), (int(rows[k]) for k in where)
        found |= {"low": low, "high": high}
        one, two = pair(low, high, unit)
        text = f"turned {len(turns)} times: the lowest value, {with_unit(one, unit)}, was at iteration {first}, "
        return text + f"the highest, {two}, at iteration {second}", found
    one, two = pair(float(path[0]), float(path[turns[0]]), unit)
    text = f"{verb(float(path[turns[0]] - path[0]))} from {one} to {two} until iteration {at[0]}"
    for k, (here, there) in enumerate(pairwise([*turns, len(path) - 1]), start=1):
        _, goal = pair(float(path[here]), float(path[there]), unit)
        text += f"{' and then' if k == len(turns) else ','} {verb(float(path[there] - path[here]))} to {goal}"
        text += f" until iteration {at[k]}" if k < len(turns) else ""
    return text, found


def _overshoot(values: Floats) -> float:
    """Return how far the value went beyond its last, as seen from its first."""
    way = float(values[-1] - values[0])
    if abs(way) <= _LEAST * float(np.ptp(values)):
        return 0.0  # it came back to where it began: no goal to go past
    return float(np.max((values - values[-1]) * np.sign(way)))


# ---------------------------------------------------------------------- swings


@dataclass(frozen=True)
class Swing:
    """A stretch in which a value goes to and fro regularly."""

    start: int
    """Place of its first extreme."""
    stop: int
    """Place of its last extreme."""
    period: float
    """Iterations of one to and fro."""
    ratio: float
    """Mean ratio of a swing, from one extreme to the next, to the one before."""
    first: float
    """Length of the first swing."""
    last: float


def swing_of(values: Floats) -> Swing | None:
    """Return the regular to and fro of a value; None where there is none.

    >>> k = np.arange(60)
    >>> swing = swing_of(0.95**k * np.cos(2 * np.pi * k / 10))
    >>> round(swing.period, 3), round(swing.ratio / 0.95**5, 2)
    (10.0, 1.0)
    """
    places = extremes(values)
    if len(places) < _FEWEST_SWINGS:
        return None
    lengths = np.abs(np.diff(values[places]))
    seen = np.flatnonzero(lengths >= _VISIBLE * float(np.ptp(values)))
    if len(seen) < _FEWEST_SWINGS - 1:
        return None
    a, b = int(seen[0]), int(seen[-1])
    lengths, apart = lengths[a : b + 1], np.diff(places[a : b + 2])
    regular = float(np.std(apart)) <= _REGULAR * float(np.mean(apart))
    if len(seen) < 0.8 * len(lengths) or not regular or not _smooth(lengths):
        return None
    order = np.arange(len(lengths))
    ratio = float(np.exp(np.polyfit(order, np.log(lengths), 1)[0]))
    period = 2 * float(np.mean(apart))
    return Swing(int(places[a]), int(places[b + 1]), period, ratio, float(lengths[0]), float(lengths[-1]))


def _smooth(lengths: Floats) -> bool:
    """Whether each swing is much like those beside it, as those of noise are not."""
    ratios = np.log(lengths[1:] / lengths[:-1])
    return bool(np.median(np.abs(ratios - np.median(ratios))) < 0.5)


def _swings(iterates: Iterates, swinging: list[tuple[Track, Swing]]) -> Iterator[Fact]:
    for place, (track, swing) in enumerate(swinging[:_MOST]):
        a, b = (int(iterates.rows[p]) for p in (swing.start, swing.stop))
        unit = track.entry.parameter.unit
        text = f"{subject(track.entry)} swung to and fro between iterations {a} and {b}"
        text += f" with a period of {number(swing.period)} iterations"
        if 0.99 < swing.ratio < 1.01:
            text += f", by about {quantity(swing.first, unit)} each time"
        else:
            first, final = (quantity(length, unit) for length in (swing.first, swing.last))
            kind = "less" if swing.ratio < 1 else "more"
            text += f" and {kind} each time: a swing was {number(swing.ratio)} times the one before, "
            text += f"{first} at first and {final} in the end"
        values = {"parameter": track.entry.name, "period": swing.period, "ratio": swing.ratio}
        values |= {"first": swing.first, "last": swing.last}
        yield Fact("", "swing", text + ".", values, (a, b), (), 0.7 if place == 0 else 0.45)


# ---------------------------------------------------------------------- length of the path


def _detours(tracks: list[Track], last: int) -> Iterator[Fact]:
    """Tell of the parameters that went much farther than they got."""
    told = 0
    for track in tracks:
        path, net = float(np.sum(np.abs(np.diff(track.values)))), abs(float(track.values[-1] - track.values[0]))
        if net > 0 and path > _FAR * net and told < _MOST_DETOURS:
            told += 1
            unit = track.entry.parameter.unit
            one, two = pair(path, net, unit)
            text = f"{subject(track.entry)} went {with_unit(one, unit)} in all, to and fro, and ended {two} from its "
            text += "start."
            values = {"parameter": track.entry.name, "path": path, "net": net}
            yield Fact("", "path", text, values, (0, last), (), 0.3)
