"""How the parameters moved, over the run and in each of its phases, and whether the gradient asked for it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact, Phase
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.iterates import Track
from xinv_nb.facts.measures.names import named
from xinv_nb.facts.measures.phases import last_of
from xinv_nb.facts.measures.precision import is_constant, returned
from xinv_nb.facts.measures.reversals import goes_back
from xinv_nb.language.slots import Count, Named, Slot, Value, Way, pair

_MOVERS = 2
"""Parameters told of in each phase."""
MOST = 12
"""Parameters told of over the whole run."""
MOVED = 0.05
"""Share of a parameter's range over the whole run from which a move in one phase is told."""
_ON_REQUEST = 0.2
"""Salience of a move that noise alone may have made."""
_MAIN = 3
"""Parameters that are the main story of a run."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield the moves of the parameters over the whole run, and in each phase of those that changed the loss most.

    The order of the parameters is by the move times the mean size of the gradient: in units of the loss, which
    parameters of different units share.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> with xi.record() as run:
    ...     slopes = [grad(lambda x: x**2)(x) for x in (4.0, 3.0, 2.0)]
    >>> next(fact for fact in run.facts if fact.kind == "movement").text
    'x fell from 4 to 2; the gradient asked for this at every iteration.'
    """
    if evidence.last < 1 or not len(evidence.iterates):
        return
    for place, track in enumerate(main_tracks(evidence)):
        salience = 0.8 if place == 0 else 0.7 if place < _MAIN else 0.4
        if fact := _moved(evidence, track, evidence.whole, salience):
            yield fact
    for phase in evidence.phases if len(evidence.phases) > 1 else ():
        if (phase.start, last_of(phase, evidence.run.loss)) != evidence.whole:  # as where the loss broke after it
            yield from moves_in(evidence, phase)


def main_tracks(evidence: Evidence) -> list[Track]:
    """Return the parameters whose moves over the run matter most to the loss, in that order."""
    end = evidence.iterates.at(evidence.whole[1])
    return sorted(evidence.iterates.tracks, key=lambda track: -track.weight(0, end))[:MOST]


def moves_in(evidence: Evidence, phase: Phase) -> Iterator[Fact]:
    """Yield the moves of those parameters that changed the loss most in one stretch of the run."""
    iterates, span = evidence.iterates, (phase.start, last_of(phase, evidence.run.loss))
    i, j = (iterates.at(end) for end in span)
    told = [track for track in iterates.tracks if i < j and track.share(i, j) > MOVED]
    for place, track in enumerate(sorted(told, key=lambda track: -track.weight(i, j))[:_MOVERS]):
        if fact := _moved(evidence, track, span, 0.6 if place == 0 else 0.45):
            yield fact


def _moved(evidence: Evidence, track: Track, span: tuple[int, int], salience: float) -> Fact | None:
    i, j = (evidence.iterates.at(end) for end in span)
    entry, part = track.entry, track.values[i : j + 1]
    start, end = pair(float(part[0]), float(part[-1]), entry.parameter.unit)
    way = end.number - start.number
    if not np.isfinite(way):
        return None
    salience = _ON_REQUEST if track.wanders(i, j) else salience
    slots: dict[str, Slot] = {"parameter": named(entry), "start": start, "end": end}
    slots["went"] = Way(way, entry.parameter.directions)
    data: dict[str, object] = {"from": span[0], "to": span[1], "share": track.share(i, j)}
    if entry.statistic:
        return _array_changed(evidence, track, span, slots, data, salience)
    if is_constant(part):
        other = evidence.iterates.other_part(track)
        if other is not None and not is_constant(other.values[i : j + 1]):
            return None  # the complex number did move
        return KIND.fact("stayed", span, min(salience, 0.3), slots, data=data | {"how": "stayed"})
    if start.looks_like(end) or returned(part):
        return KIND.fact("returned", span, min(salience, 0.4), slots, data=data | {"how": "returned"})
    if goes_back(part):
        return KIND.fact("swung", span, salience, slots, data=data | {"how": "swung"})
    if not evidence.run.has_gradients or evidence.is_maximized:
        return KIND.fact("went", span, salience, slots, data=data | {"how": "rose" if way > 0 else "fell"})
    form, asked, opposite = _asked(-track.slopes[i:j] if way > 0 else track.slopes[i:j])
    data |= {"how": "rose" if way > 0 else "fell", "opposite": opposite}
    return KIND.fact(form, span, salience, slots | asked, data=data)


def _asked(wanted: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[str, dict[str, Slot], int]:
    """Return form and slots of how often the negative gradient pointed where it went, and how often against."""
    steps = len(wanted)
    asked, opposite = int(np.count_nonzero(wanted > 0)), int(np.count_nonzero(wanted < 0))
    slots: dict[str, Slot] = {"asked": Count(asked), "steps": Count(steps)}
    if not np.isfinite(wanted).all():
        return "went", slots, opposite  # what is no number asks for nothing
    if not np.any(wanted):
        return "went, without a gradient", slots, opposite
    if asked == steps:
        return "went, asked" + (" always" if steps > 1 else ""), slots, opposite
    if opposite == steps:
        return "went, against" + (" always" if steps > 1 else ""), slots, opposite
    if steps > 1 and not asked:
        return "went, never asked", slots, opposite
    # That it was asked now and then would read as if it had gone against the gradient on purpose.
    return "went, asked sometimes" if asked > steps / 2 and steps > 1 else "went", slots, opposite


def _array_changed(
    evidence: Evidence,
    track: Track,
    span: tuple[int, int],
    slots: dict[str, Slot],
    data: dict[str, object],
    salience: float,
) -> Fact | None:
    """Tell how far the entries of an array went: its size may well stay the same meanwhile."""
    leaf, iterates = track.entry.leaf, evidence.iterates
    change = iterates.rms_change(track.entry, *(iterates.at(end) for end in span))
    if not np.isfinite(change):
        return None
    kept = leaf.size if leaf.kept is None else len(leaf.kept)
    slots |= {"change": Value(change, track.entry.parameter.unit), "entries": Count(leaf.size)}
    sample = ""
    if kept < leaf.size:
        slots["kept"] = Count(kept)
        sample = ", sampled"
    data["how"] = "changed" if change else "stayed"
    if change == 0:
        return KIND.fact(f"unchanged{sample}", span, 0.3, slots, data=data)
    start, end = slots["start"], slots["end"]
    same_size = isinstance(start, Value) and isinstance(end, Value) and start.looks_like(end)
    return KIND.fact(f"changed{', of one size' if same_size else ''}{sample}", span, salience, slots, data=data)


KIND = Kind(
    name="movement",
    question=Question.MOVEMENT,
    rank=30,
    slots={
        "parameter": Named,
        "start": Value,
        "end": Value,
        "went": Way,
        "asked": Count,
        "steps": Count,
        "change": Value,
        "entries": Count,
        "kept": Count,
    },
    compute=compute,
    method="first and last accepted value; the sign of gradient times step; root mean square over large arrays",
)
