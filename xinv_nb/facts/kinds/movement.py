"""Which parameters moved, how far, in what order, and whether the gradient asked for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.fact import Fact, Phase
from xinv_nb.facts.measures.iterates import Iterates, Track
from xinv_nb.facts.measures.phases import last_of
from xinv_nb.language.quantities import listed, number, pair, sentence_start, with_unit
from xinv_nb.recorded.entries import Entry
from xinv_nb.recorded.run import RecordedRun

_MOVERS = 2
"""Parameters told of in each phase."""
_MOST = 12
"""Parameters told of over the whole run."""
_MOVED = 0.05
"""Share of a parameter's range over the whole run from which a move in one phase is told."""
_MOST_IN_ORDER = 4
_ON_REQUEST = 0.2
"""Salience of a move that noise alone may have made."""
_MAIN = 3
"""Parameters that are the main story of a run."""
_APART = 1.5
"""Factor between the first and the last half-way from which the order is worth to be told."""

Floats = NDArray[np.float64]


def movement(run: RecordedRun, iterates: Iterates, phases: Sequence[Phase]) -> Iterator[Fact]:
    """Yield the moves of the parameters over the whole run, and in each phase of those that changed the loss most.

    The order of the parameters is by the move times the mean size of the gradient: in units of the loss, which
    parameters of different units share.
    """
    if run.evaluations < 2 or not len(iterates):
        return
    last = run.evaluations - 1
    end = iterates.at(last)
    tracks = sorted(iterates.tracks, key=lambda track: -track.weight(0, end))[:_MOST]
    for place, track in enumerate(tracks):
        if fact := _moved(iterates, track, (0, last), 0.8 if place == 0 else 0.7 if place < _MAIN else 0.4):
            yield fact
    yield from _order(iterates, tracks, last)
    for phase in phases if len(phases) > 1 else ():
        yield from moves_in(iterates, phase, run.loss)


def moves_in(iterates: Iterates, phase: Phase, loss: Floats) -> Iterator[Fact]:
    """Yield the moves of those parameters that changed the loss most in one stretch of the run."""
    span = phase.start, last_of(phase, loss)
    i, j = iterates.at(span[0]), iterates.at(span[1])
    told = [track for track in iterates.tracks if i < j and track.share(i, j) > _MOVED]
    for place, track in enumerate(sorted(told, key=lambda track: -track.weight(i, j))[:_MOVERS]):
        if fact := _moved(iterates, track, span, 0.6 if place == 0 else 0.45):
            yield fact


def subject(entry: Entry) -> str:
    """Return an entry as a sentence begins with it; a name out of the program keeps its letters."""
    name = name_of(entry)
    return sentence_start(name) if entry.parameter.name else name


def name_of(entry: Entry) -> str:
    """Return what the reader calls an entry; an array of which the size is followed by the array's name."""
    return entry.group if entry.statistic else entry.label


def _moved(iterates: Iterates, track: Track, span: tuple[int, int], salience: float) -> Fact | None:
    a, b = span
    i, j = iterates.at(a), iterates.at(b)
    entry = track.entry
    start, end = float(track.values[i]), float(track.values[j])
    if not np.isfinite(end - start):
        return None
    values = {"parameter": entry.name, "start": start, "end": end, "from": a, "to": b, "share": track.share(i, j)}
    salience = _ON_REQUEST if track.wanders(i, j) else salience
    if entry.statistic:
        return _array_changed(iterates, entry, (i, j), values, salience)
    first, second = pair(start, end, entry.parameter.unit)
    name, part = subject(entry), track.values[i : j + 1]

    def told(text: str, how: str, most: float = 1.0) -> Fact:
        return Fact("", "movement", f"{name} {text}.", values | {"how": how}, span, (), min(salience, most))

    if (part == start).all():
        return told(f"stayed at {second}", "stayed", 0.3)
    if first == second:
        return told(f"ended where it began, at {second}", "returned", 0.4)
    if _swings(part):
        return told(f"swung to and fro, and went from {first} to {second}", "swung")
    rose = end > start
    wanted = -track.slopes[i:j] if rose else track.slopes[i:j]
    asked, opposite = int(np.count_nonzero(wanted > 0)), int(np.count_nonzero(wanted < 0))
    values |= {"asked": asked, "opposite": opposite, "steps": j - i}
    reason = _asked(asked, opposite, j - i) if np.any(wanted) else "; its gradient was 0 all along"
    reason = reason if iterates.run.has_gradients else ""
    return told(f"{verb(entry, end - start)} from {first} to {second}{reason}", "rose" if rose else "fell")


def verb(entry: Entry, way: float) -> str:
    """Return how an entry went some `way`: that it rose or fell, or in the words of the domain.

    >>> from xinv_nb.recorded.leaves import whole_leaf
    >>> from xinv_nb.recorded.problem import Parameter
    >>> bend = Parameter("bend", directions=("south", "north"))
    >>> verb(Entry("x", "bend", "bend", bend, whole_leaf("x", (), 0), 0), -2.0)
    'moved south'
    """
    if entry.parameter.directions:
        return f"moved {entry.parameter.directions[1 if way > 0 else 0]}"
    return "rose" if way > 0 else "fell"


def _array_changed(
    iterates: Iterates, entry: Entry, between: tuple[int, int], values: dict[str, Any], salience: float
) -> Fact | None:
    """Tell how far the entries of an array went: its size may well stay the same meanwhile."""
    change = iterates.rms_change(entry, *between)
    if not np.isfinite(change):
        return None
    span = values["from"], values["to"]
    name, unit, size = subject(entry), entry.parameter.unit, entry.leaf.size
    kept = size if entry.leaf.kept is None else len(entry.leaf.kept)
    looked_at = f"its {size} entries" if kept == size else f"{kept} of its {size} entries"
    values = values | {"change": change, "how": "changed" if change else "stayed"}
    if change == 0:
        return Fact("", "movement", f"{name} did not change in any of {looked_at}.", values, span, (), 0.3)
    text = f"{name} changed by {with_unit(number(change), unit)} (root mean square over {looked_at})"
    first, second = pair(values["start"], values["end"], unit)
    if first != second:
        text += f"; its own root mean square {verb(entry, values['end'] - values['start'])} from {first} to {second}"
    return Fact("", "movement", text + ".", values, span, (), salience)


def _order(iterates: Iterates, tracks: Sequence[Track], last: int) -> Iterator[Fact]:
    """Tell when each parameter had half of the way between its start and its end behind it."""
    half: dict[str, int] = {}
    names: dict[str, str] = {}
    for track in tracks:
        way = float(track.values[-1] - track.values[0])
        first, second = pair(float(track.values[0]), float(track.values[-1]))
        if (
            first == second
            or track.wanders(0, len(iterates) - 1)
            or track.entry.statistic
            or not abs(way) > 0.3 * track.range
            or _swings(track.values)
        ):
            continue
        ahead = np.flatnonzero((track.values - track.values[0]) / way < 0.5)  # for good: noise may go there and back
        half[track.entry.name] = int(iterates.rows[int(ahead[-1]) + 1])
        names[track.entry.name] = name_of(track.entry)
        if len(half) == _MOST_IN_ORDER:
            break
    if not half or last < 4:
        return
    ordered = sorted(half, key=lambda name: half[name])
    if len(ordered) > 1 and half[ordered[-1]] <= _APART * half[ordered[0]] + 1:
        return
    if len(iterates.tracks) == 1 and half[ordered[0]] in (0, last):
        return
    rest = [f"{names[name]} by iteration {half[name]}" for name in ordered[1:]]
    text = f"{sentence_start(names[ordered[0]])} had gone half of its way by iteration {half[ordered[0]]}"
    text += f", {listed(rest)}" if rest else ""
    yield Fact("", "order", text + ".", {"half": {n: half[n] for n in ordered}}, (0, last), (), 0.5 if rest else 0.3)


def _swings(part: Floats) -> bool:
    """Whether nearly every step goes back on the one before."""
    steps = np.diff(part)
    return len(steps) >= 5 and float(np.mean(steps[1:] * steps[:-1] < 0)) > 0.8


def _asked(asked: int, opposite: int, steps: int) -> str:
    """Say in how many of the steps the negative gradient pointed where the parameter went."""
    if asked == steps:
        return "; the gradient asked for this" + (" at every iteration" if steps > 1 else "")
    if opposite == steps:
        return "; the gradient asked for the opposite" + (" at every iteration" if steps > 1 else "")
    return f"; the gradient asked for this at {asked or 'none'} of {steps} iterations" if steps > 1 else ""
