"""Where the gradient vanishes or explodes: along the simulation, and between the arrays of a network.

Method: the size of the cotangent of a quantity that is watched at several places of one simulation, as it travels back
from the last to the first (Bengio, Simard and Frasconi 1994; Pascanu, Mikolov and Bengio 2013); the root mean square of
each array's gradient times that of its values, which has the unit of the loss whatever the array's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kinds.movement import name_of
from xinv_nb.facts.measures.iterates import Floats, Iterates
from xinv_nb.language.quantities import number, sentence_start
from xinv_nb.recorded.run import RecordedRun, Watch

_FACTOR = 1e3
"""Factor between the ends of a simulation from which a gradient vanishes or explodes."""
_FACTOR_OF_ARRAYS = 1e4
_FEWEST_PLACES = 3
_LOOKED_AT = 50
"""Evaluations looked at."""
_ONE_WAY = 0.7
"""Share of the places along which the cotangent changes in the direction of the whole."""


def vanishing(run: RecordedRun, watches: Mapping[str, Watch], iterates: Iterates) -> Iterator[Fact]:
    """Yield the quantities whose cotangent changes by orders of magnitude along the simulation, and such arrays."""
    for watch in watches.values():
        if fact := _along_simulation(watch):
            yield fact
    yield from _between_arrays(run, iterates)


def _along_simulation(watch: Watch) -> Fact | None:
    places = _places(watch)
    if places is None:
        return None
    sizes, at = _sizes(watch, places), [watch.at[row] for row in places[0]]
    if sizes is None or not np.isfinite(sizes).all():
        return None
    typical = np.median(sizes, axis=0)
    start, end = float(typical[0]), float(typical[-1])
    evaluations = int(watch.evaluation[places[0, 0]]), int(watch.evaluation[places[-1, 0]])
    values = {"quantity": watch.name, "first": start, "last": end, "typical": typical.tolist()}
    whose = f"The gradient of the loss with respect to {watch.name}"
    here, there = ("the first time", "the last time") if at[0] is None else (f"at {_place(at[k])}" for k in (0, -1))
    if end > 0 and start == 0 and at[0] is not None:
        k = int(np.flatnonzero(typical)[0])
        text = f"{whose} is {number(end)} {there} and exactly 0 before {_place(at[k])}: on its way back it dies there."
        return Fact("", "vanishing", text, values | {"alive_from": k}, evaluations, (), 0.8)
    if start <= 0 or end <= 0 or max(start / end, end / start) < _FACTOR:
        return None
    steps = np.diff(np.log(np.maximum(typical, np.finfo(float).tiny)))
    if np.mean(np.sign(steps) == np.sign(np.log(end / start))) < _ONE_WAY:
        return None
    kind, how = ("vanishing", "shrinks") if start < end else ("exploding", "grows")
    text = f"{whose} {how} on its way back through the simulation, from {number(end)} {there} to {number(start)} {here}"
    return Fact("", kind, text + " (median over the run).", values, evaluations, (), 0.8)


def _place(at: Any) -> str:
    return number(float(at)) if isinstance(at, (int, float, np.number)) else str(at)


def _places(watch: Watch) -> NDArray[np.intp] | None:
    """Return the rows of a watch, one line for each evaluation looked at; None where their number varies."""
    if len(watch.evaluation) < _FEWEST_PLACES:
        return None
    starts = np.flatnonzero(np.diff(watch.evaluation, prepend=-1))
    counts = np.diff(starts, append=len(watch.evaluation))
    if counts[0] < _FEWEST_PLACES or (counts != counts[0]).any():
        return None
    chosen = starts[np.unique(np.linspace(0, len(starts) - 1, _LOOKED_AT).astype(int))]
    return np.asarray(chosen[:, None] + np.arange(counts[0]))


def _sizes(watch: Watch, places: NDArray[np.intp]) -> Floats | None:
    cotangents = watch.cotangents[places]
    if cotangents.dtype == object:
        return np.array([[float(np.linalg.norm(np.ravel(c))) for c in line] for line in cotangents])
    if cotangents.dtype.kind not in "fc":
        return None
    squares = np.abs(cotangents.reshape(*places.shape, -1)) ** 2
    return np.asarray(np.sqrt(np.sum(squares, axis=2)), dtype=np.float64)


def _between_arrays(run: RecordedRun, iterates: Iterates) -> Iterator[Fact]:
    """Tell of the arrays between whose gradients lie orders of magnitude."""
    tracks = [track for track in iterates.tracks if track.entry.statistic]
    weights = [float(np.median(t.slopes)) * float(np.max(t.values)) for t in tracks]
    alive = [(weight, t) for weight, t in zip(weights, tracks, strict=True) if weight > 0 and np.isfinite(weight)]
    if len(alive) < 2:
        return
    (least, low), (most, high) = min(alive, key=lambda p: p[0]), max(alive, key=lambda p: p[0])
    if most < _FACTOR_OF_ARRAYS * least:
        return
    small, large = (float(np.median(track.slopes)) for track in (low, high))
    text = (
        f"{sentence_start(name_of(low.entry))} hardly got any gradient: {number(small)}, against {number(large)} for "
    )
    text += f"{name_of(high.entry)} (median over the run of the root mean square over the array)."
    values = {"parameter": low.entry.name, "other": high.entry.name, "small": small, "large": large}
    yield Fact("", "vanishing", text, values, (0, run.evaluations - 1), (), 0.7)
