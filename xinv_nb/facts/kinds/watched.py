"""What became of the quantities that the simulator watches, and what the gradient asked of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.fact import Fact, Phase
from xinv_nb.facts.kinds.turning import MOST_TURNS, turns_of, way_with_turns
from xinv_nb.facts.measures.iterates import Floats, Iterates
from xinv_nb.facts.measures.phases import last_of
from xinv_nb.language.quantities import asked, pair, quantity, sentence_start
from xinv_nb.recorded.run import RecordedRun, Watch

_LEAST = 0.1
"""Share of its range that a quantity goes at least between two turning points."""
_TOLD = 0.05
"""Share of its range over the whole run from which a change in one stretch is told."""
_MOST = 6
"""Quantities told of in the order of the run's programme."""


def watched(
    run: RecordedRun, watches: Mapping[str, Watch], iterates: Iterates, phases: Sequence[Phase]
) -> Iterator[Fact]:
    """Yield the change of each watched quantity over the run, where it turned, and what changed in each phase."""
    last = run.evaluations - 1
    found = followed(watches, run.evaluations)
    for place, (watch, values) in enumerate(found):
        if fact := _changed(run, watch, values, 0, last, 0.8 if place < _MOST else 0.4):
            yield fact
    for watch, values in found[:_MOST]:
        if not _is_loss(values, run.loss):
            yield from _turned(watch, values, iterates, last)
            yield from _crossed(watch, values, iterates)
    if len(phases) > 1:
        for phase in phases:
            yield from changes_in(run, watches, phase)


def changes_in(run: RecordedRun, watches: Mapping[str, Watch], phase: Phase) -> Iterator[Fact]:
    """Yield the change of each watched quantity in one stretch of the run."""
    a, b = phase.start, last_of(phase, run.loss)
    for watch, values in followed(watches, run.evaluations):
        if _share_of_range(values, a, b) > _TOLD and (fact := _changed(run, watch, values, a, b, 0.5)):
            yield fact


def followed(watches: Mapping[str, Watch], evaluations: int) -> list[tuple[Watch, Floats]]:
    """Return the quantities that are one real number in every evaluation, with these numbers."""
    return [(w, w.values.astype(float)) for w in watches.values() if _is_one_number(w, evaluations)]


def _is_one_number(watch: Watch, evaluations: int) -> bool:
    return (
        watch.values.dtype.kind in "fiub"
        and watch.values.ndim == 1
        and len(watch.evaluation) == evaluations
        and bool((watch.evaluation == np.arange(evaluations)).all())
    )


def _share_of_range(values: Floats, a: int, b: int) -> float:
    known = values[np.isfinite(values)]
    whole = float(np.ptp(known)) if len(known) else 0.0
    return abs(float(values[b] - values[a])) / whole if whole else 0.0


def _is_loss(values: Floats, loss: Floats) -> bool:
    return bool(np.allclose(values, loss, rtol=1e-9, atol=0.0, equal_nan=True))


def _changed(run: RecordedRun, watch: Watch, values: Floats, a: int, b: int, salience: float) -> Fact | None:
    start, end = float(values[a]), float(values[b])
    if not np.isfinite(end - start):
        return None
    cotangents = np.real(watch.cotangents[a : max(b, a + 1)])
    found = {"quantity": watch.name, "start": start, "end": end, "cotangent": float(cotangents[0]), "from": a, "to": b}
    first, second = pair(start, end, watch.unit)
    name = sentence_start(watch.name)
    if a == b:
        text = f"{name} was {second}"
    elif (values[a : b + 1] == start).all():
        text = f"{name} stayed at {second}"
    elif first == second:
        text = f"{name} ended where it began, at {second}"
    else:
        text = f"{name} {'rose' if end > start else 'fell'} from {first} to {second}"
    # A term of the loss has a constant weight: that less of it would lower the loss goes without saying.
    is_term = bool((cotangents > 0).all() and np.allclose(cotangents, cotangents[0]))
    one_way = bool((cotangents > 0).all() or (cotangents < 0).all())
    if one_way and not is_term:
        text += f"{'; all along,' if a < b else ';'} {asked(watch.name, float(cotangents[0]))}"
    is_loss = _is_loss(values, run.loss)
    salience = 0.2 if is_loss else salience
    return Fact("", "watch", text + ".", found | {"is_term": is_term, "is_loss": is_loss}, (a, b), (), salience)


# ---------------------------------------------------------------------- on the way


def _turned(watch: Watch, values: Floats, iterates: Iterates, last: int) -> Iterator[Fact]:
    """Tell where a quantity turned, along the accepted iterates."""
    path = values[iterates.rows]
    if len(path) < 4 or not np.isfinite(path).all() or np.ptp(path) == 0:
        return
    turns = turns_of(path, _LEAST)
    if not 0 < len(turns) <= MOST_TURNS:
        return
    text, found = way_with_turns(path, iterates.rows, turns, watch.unit, _verb)
    found |= {"quantity": watch.name}
    yield Fact("", "turning", f"{sentence_start(watch.name)} {text}.", found, (0, last), (), 0.55)


def _verb(way: float) -> str:
    return "rose" if way > 0 else "fell"


def _crossed(watch: Watch, values: Floats, iterates: Iterates) -> Iterator[Fact]:
    """Tell when a quantity passed zero, and when the gradient began to ask for the other direction, each if once."""
    rows = iterates.rows
    name = sentence_start(watch.name)
    path = values[rows]
    if (k := _one_change_of_sign(path)) is not None:
        text = f"{name} {'became positive' if path[k] > 0 else 'became negative'} at iteration {rows[k]} and stayed so"
        text += f"; it ended at {quantity(float(path[-1]), watch.unit)}."
        found = {"quantity": watch.name, "sign": float(np.sign(path[k])), "at": int(rows[k])}
        yield Fact("", "crossing", text, found, (int(rows[k]), int(rows[-1])), (), 0.5)
    if watch.cotangents.dtype.kind not in "f" or len(watch.cotangents) != len(values):
        return
    cotangents = watch.cotangents[rows]
    if (k := _one_change_of_sign(cotangents)) is not None:
        before, after = ("higher", "lower") if cotangents[k] > 0 else ("lower", "higher")
        text = f"Until iteration {rows[k - 1]} a {before} {watch.name} would have lowered the loss, from iteration "
        text += f"{rows[k]} on a {after} one; there it was {quantity(float(path[k]), watch.unit)}."
        found = {"quantity": watch.name, "cotangent": float(cotangents[k]), "at": int(rows[k])}
        yield Fact("", "crossing", text, found, (0, int(rows[-1])), (), 0.55)


def _one_change_of_sign(numbers: NDArray[np.float64]) -> int | None:
    """Return where numbers change their sign for good, if they do so once and are never zero or unknown."""
    if not np.isfinite(numbers).all() or (numbers == 0).any():
        return None
    changes = np.flatnonzero(np.diff(np.sign(numbers)))
    return int(changes[0]) + 1 if len(changes) == 1 else None
