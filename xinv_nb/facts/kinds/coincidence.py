"""What moved fast when an event of the simulation began or ended.

That two things happened at the same time is said as such, never as cause: only the gradient tells causes.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.events import EventGroup, changing, said_once
from xinv_nb.facts.measures.iterates import Iterates
from xinv_nb.facts.measures.names import named
from xinv_nb.language.slots import Iteration, Named, Said, Slot, Value, Way, pair

_MOST = 3
_MOSTLY = 0.5
"""Share of all that moves did to the loss around an event, from which one parameter's is told."""
_FAST = 2.0
"""Factor above its mean speed from which a move is one of that moment."""
_AROUND = 50
"""One in so many iterates, to either side of an event, is around it."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield parameters that moved fast when an event began or ended."""
    found = [
        fact
        for group in changing(evidence.event_groups)
        if not group.is_tried_only and (fact := _coincidence(evidence.iterates, group))
    ]
    yield from found[:_MOST]


def _coincidence(iterates: Iterates, group: EventGroup) -> Fact | None:
    """Tell of the parameter that did most to the loss when an event began or ended, if it then moved fast."""
    event, n = group.told_of, len(iterates)
    k, width = iterates.at(event.evaluation), max(2, n // _AROUND)
    i, j = max(k - width, 0), min(k + width, n - 1)
    tracks = [(row, track) for row, track in enumerate(iterates.tracks) if not track.entry.statistic]
    if not 0 < k < n - 1 or len(tracks) < 2:
        return None
    done = [float(abs(iterates.earned[row, j] - iterates.earned[row, i])) for row, _ in tracks]
    total, best = sum(done), int(np.argmax(done))
    track = tracks[best][1]
    parameter = named(track.entry)
    start, end = pair(float(track.values[i]), float(track.values[j]), parameter.unit)
    mean = float(np.mean(np.abs(np.diff(track.values))))
    if not np.isfinite(total) or not done[best] > _MOSTLY * total or start.looks_like(end):
        return None
    change = end.number - start.number
    if abs(change) < _FAST * mean * (j - i):
        return None
    a, b = int(iterates.rows[i]), int(iterates.rows[j])
    slots: dict[str, Slot] = {"parameter": parameter, "went": Way(change, parameter.directions)}
    slots |= {"start": start, "end": end, "said": said_once(event), "at": Iteration(event.evaluation)}
    slots |= {"first": Iteration(a), "last": Iteration(b)}
    form = "began" if group.begins else "ended"
    return KIND.fact(form, (a, b), 0.4, slots, cites=(event.id,), data={"from": a, "to": b})


KIND = Kind(
    name="coincidence",
    question=Question.SIMULATION,
    rank=52,
    slots={
        "parameter": Named,
        "went": Way,
        "start": Value,
        "end": Value,
        "said": Said,
        "at": Iteration,
        "first": Iteration,
        "last": Iteration,
    },
    compute=compute,
    method="gradient times step around an event, against a parameter's mean speed",
)
