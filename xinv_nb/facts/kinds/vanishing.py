"""Where the gradient vanishes: along the simulation, and between the arrays of a network.

Method: the size of the cotangent of a quantity that is watched at several places of one simulation, as it travels back
from the last to the first (Bengio, Simard and Frasconi 1994; Pascanu, Mikolov and Bengio 2013); the root mean square of
each array's gradient times that of its values, which has the unit of the loss whatever the array's own.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.names import named, watched
from xinv_nb.facts.measures.places import place, places_of, sizes_at
from xinv_nb.language.slots import Named, Said, Slot, Value
from xinv_nb.recorded.watch import Watch

_FACTOR = 1e3
"""Factor between the ends of a simulation from which a gradient vanishes or explodes."""
_FACTOR_OF_ARRAYS = 1e4
_ONE_WAY = 0.7
"""Share of the places along which the cotangent changes in the direction of the whole."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield the quantities whose cotangent shrinks by orders of magnitude along the simulation, and such arrays."""
    for watch in evidence.watches.values():
        if (fact := along_simulation(watch)) and fact.kind == "vanishing":
            yield fact
    yield from _between_arrays(evidence)


def along_simulation(watch: Watch) -> Fact | None:
    """Return what the cotangent of a quantity does on its way back, where it shrinks or grows much."""
    places = places_of(watch)
    sizes = None if places is None else sizes_at(watch, places)
    if places is None or sizes is None or not np.isfinite(sizes).all():
        return None
    at = [watch.at[row] for row in places[0]]
    typical = np.median(sizes, axis=0)
    start, end = float(typical[0]), float(typical[-1])
    span = int(watch.evaluation[places[0, 0]]), int(watch.evaluation[places[-1, 0]])
    slots: dict[str, Slot] = {"quantity": watched(watch), "first": Value(start), "last": Value(end)}
    data = {"typical": typical.tolist()}
    form = "along the simulation, in turn" if at[0] is None else "along the simulation"
    if at[0] is not None:
        slots |= {"here": place(at[0]), "there": place(at[-1])}
    if end > 0 and start == 0 and at[0] is not None:
        k = int(np.flatnonzero(typical)[0])
        slots["here"] = place(at[k])
        return KIND.fact("dies", span, 0.8, slots, data=data | {"alive_from": k})
    if start <= 0 or end <= 0 or max(start / end, end / start) < _FACTOR:
        return None
    steps = np.diff(np.log(np.maximum(typical, np.finfo(float).tiny)))
    if np.mean(np.sign(steps) == np.sign(np.log(end / start))) < _ONE_WAY:
        return None
    name = "vanishing" if start < end else "exploding"
    return Fact("", name, form, slots, span, (), 0.8, data)


def _between_arrays(evidence: Evidence) -> Iterator[Fact]:
    """Tell of the arrays between whose gradients lie orders of magnitude."""
    tracks = [track for track in evidence.iterates.tracks if track.entry.statistic]
    weights = [float(np.median(t.slopes)) * float(np.max(t.values)) for t in tracks]
    alive = [(weight, t) for weight, t in zip(weights, tracks, strict=True) if weight > 0 and np.isfinite(weight)]
    if len(alive) < 2:
        return
    (least, low), (most, high) = min(alive, key=lambda p: p[0]), max(alive, key=lambda p: p[0])
    if most < _FACTOR_OF_ARRAYS * least:
        return
    small, large = (float(np.median(track.slopes)) for track in (low, high))
    one, other = named(low.entry), named(high.entry)
    # It begins a sentence as a word, whosever name it is.
    slots: dict[str, Slot] = {"parameter": Named(one.name, one.label), "other": other}
    slots |= {"small": Value(small), "large": Value(large)}
    yield KIND.fact("between arrays", (0, evidence.last), 0.7, slots)


KIND = Kind(
    name="vanishing",
    question=Question.GRADIENT,
    rank=47,
    slots={
        "quantity": Named,
        "first": Value,
        "last": Value,
        "here": (Value, Said),
        "there": (Value, Said),
        "parameter": Named,
        "other": Named,
        "small": Value,
        "large": Value,
    },
    compute=compute,
    method="size of the cotangent from place to place (Bengio et al. 1994; Pascanu et al. 2013)",
)
