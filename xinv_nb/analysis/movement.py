"""Which parameters moved, how far, and whether the gradient asked for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xinv_nb.analysis.phases import last_of
from xinv_nb.quantities import pair, sentence_start
from xinv_nb.run import Entry, Fact, Phase, Run

_MOVERS = 2
"""Parameters told of in each phase."""
_MOST = 12
"""Parameters told of over the whole run."""
_MOVED = 0.05
"""Share of a parameter's range over the whole run from which a move in one phase is told."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Track:
    """One entry over the run."""

    entry: Entry
    values: Floats
    slopes: Floats

    def weight(self, a: int, b: int) -> float:
        """Return how much a move between two evaluations matters: in units of the loss, which all parameters share."""
        weight = abs(self.values[b] - self.values[a]) * float(np.mean(np.abs(self.slopes[a : b + 1])))
        return float(weight) if np.isfinite(weight) else 0.0

    def share(self, a: int, b: int) -> float:
        """Return the move between two evaluations as a share of the range over the whole run."""
        known = self.values[np.isfinite(self.values)]
        whole = float(np.ptp(known)) if len(known) else 0.0
        part = abs(float(self.values[b] - self.values[a]))
        return part / whole if whole > 0 and np.isfinite(part / whole) else 0.0


def movement(run: Run, phases: Sequence[Phase]) -> Iterator[Fact]:
    """Yield the moves of the parameters over the whole run, and in each phase of those that changed the loss most."""
    if run.evaluations < 2:
        return
    last = run.evaluations - 1
    tracks = [_Track(entry, run.column(entry), run.column(entry, "gradients")) for entry in run.entries()]
    for track in sorted(tracks, key=lambda track: -track.weight(0, last))[:_MOST]:
        if fact := _moved(track, 0, last):
            yield fact
    for phase in phases if len(phases) > 1 else ():
        a, b = phase.start, last_of(phase, run.loss)
        told = [track for track in tracks if a < b and track.share(a, b) > _MOVED]
        for track in sorted(told, key=lambda track: -track.weight(a, b))[:_MOVERS]:
            if fact := _moved(track, a, b):
                yield fact


def _moved(track: _Track, a: int, b: int) -> Fact | None:
    entry = track.entry
    start, end = float(track.values[a]), float(track.values[b])
    if not np.isfinite(end - start):
        return None
    first, second = pair(start, end, entry.parameter.unit)
    name, part = subject(entry), track.values[a : b + 1]
    values = {"parameter": entry.name, "start": start, "end": end, "from": a, "to": b, "share": track.share(a, b)}
    if (part == start).all():
        return Fact("", "movement", f"{name} stayed at {second}.", values | {"how": "stayed"}, (a, b))
    if first == second:
        text = f"{name} ended where it began, at {second}."
        return Fact("", "movement", text, values | {"how": "returned"}, (a, b))
    if _swings(part):
        text = f"{name} swung to and fro, and went from {first} to {second}."
        return Fact("", "movement", text, values | {"how": "swung"}, (a, b))
    rose = end > start
    verb = "rose" if rose else "fell"
    if entry.parameter.directions:
        verb = f"moved {entry.parameter.directions[1 if rose else 0]}"
    text = f"{name} {verb} from {first} to {second}"
    if not entry.statistic:
        wanted = -track.slopes[a:b] if rose else track.slopes[a:b]
        asked, opposite = int(np.count_nonzero(wanted > 0)), int(np.count_nonzero(wanted < 0))
        values |= {"asked": asked, "opposite": opposite, "steps": b - a}
        idle = not np.any(wanted)
        text += "; its gradient was 0 all along" if idle else _asked(asked, opposite, b - a)
    return Fact("", "movement", text + ".", values | {"how": "rose" if rose else "fell"}, (a, b))


def subject(entry: Entry) -> str:
    """Return an entry as a sentence begins with it; a name out of the program keeps its letters."""
    name = entry.group if entry.statistic else entry.label
    if entry.parameter.name:
        name = sentence_start(name)
    return f"{name}, as the root mean square of its {entry.leaf.size} entries," if entry.statistic else name


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
