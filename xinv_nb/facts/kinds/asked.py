"""Whether the steps went the way that the gradient asked.

Method: the sign of gradient times step, parameter by parameter (O'Donoghue and Candès 2015 use the sign of their sum
to tell momentum that has gone too far).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.names import named
from xinv_nb.language.slots import Count, Named, Share, Slot

_FEWEST = 6
"""Moves from which on it is told how many of them obeyed."""
_DISOBEDIENT = 0.75
"""Share of obeying moves of one parameter below which it is told."""
_CARRIED = 0.8
"""Share of the disobeying moves that went on as before from which it is told."""
_MOST = 2
_MOMENTUM = ("Adam", "momentum")
"""Parts of the names of optimizers that carry steps on."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield how many moves obeyed the gradient, and the parameters that went against it most."""
    if evidence.last < 1 or not evidence.run.has_gradients or evidence.is_maximized:
        return
    moves = obeying = 0
    against: list[tuple[float, Fact]] = []
    for track in evidence.iterates.numbers:
        steps = np.diff(track.values)
        work = steps * track.slopes[:-1]
        moved, obeyed = int(np.count_nonzero(work)), int(np.count_nonzero(work < 0))
        if not np.isfinite(work).all():
            return
        moves, obeying = moves + moved, obeying + obeyed
        if moved >= _FEWEST and obeyed < _DISOBEDIENT * moved:
            carried = int(np.count_nonzero((work > 0)[1:] & (steps[1:] * steps[:-1] > 0)))
            against.append((obeyed / moved, _against(evidence, named(track.entry), moved, moved - obeyed, carried)))
    if moves >= _FEWEST:
        yield _obeyed(evidence, moves, obeying)
    if obeying:
        yield from (fact for _, fact in sorted(against, key=lambda pair: pair[0])[:_MOST])


def _obeyed(evidence: Evidence, moves: int, obeying: int) -> Fact:
    tracks, span = evidence.iterates.numbers, evidence.whole
    slots: dict[str, Slot] = {"share": Share(obeying / moves)}
    form = "none" if obeying == 0 else "all" if obeying == moves else "some"
    if len(tracks) == 1:
        entry = tracks[0].entry
        # It begins a sentence as a word, whosever name it is.
        slots["parameter"] = Named(entry.name, named(entry).label)
        form += " of the only one"
    salience = 0.3 if obeying == moves else 0.4
    return KIND.fact(form, span, salience, slots, data={"moves": moves, "obeying": obeying})


def _against(evidence: Evidence, parameter: Named, moved: int, against: int, carried: int) -> Fact:
    slots: dict[str, Slot] = {"parameter": parameter, "against": Count(against), "steps": Count(moved)}
    slots["carried"] = Count(carried)
    form = "against"
    if carried >= _CARRIED * against:
        form += ", carried on"
        form += " in all" if carried == against else ""
        form += ", by momentum" if any(name in evidence.run.optimizer for name in _MOMENTUM) else ""
    return KIND.fact(form, evidence.whole, 0.4, slots)


KIND = Kind(
    name="asked",
    question=Question.GRADIENT,
    rank=45,
    slots={"share": Share, "parameter": Named, "against": Count, "steps": Count, "carried": Count},
    compute=compute,
    method="the sign of gradient times step (O'Donoghue & Candès 2015)",
)
