"""Which parameters never mattered: no gradient, or moves that did nothing to the loss.

Method: loss change allocation (Lan et al., NeurIPS 2019) of each parameter's moves, whatever their direction, beside
that of all parameters. A gradient that is zero throughout is what a dead unit of a network, or a parameter that the
simulator does not use, looks like.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.iterates import Track
from xinv_nb.facts.measures.names import named
from xinv_nb.language.slots import Clause, Count, Listed, Share, Slot

_LITTLE = 1e-3
_MOST_NAMES = 4
_FEWEST = 3


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield the parameters whose gradient was zero at all iterations, and those whose moves hardly changed the loss."""
    run, tracks = evidence.run, evidence.iterates.tracks
    if run.evaluations < _FEWEST or len(tracks) < 2:
        return
    dead = [track for track in tracks if not run.column(track.entry, "gradients").any()]
    if (told := _whole(evidence, dead)) and len(dead) < len(tracks):
        yield _fact(evidence, told, "no gradient", 0.7, {})
    effects = np.sum(np.abs(np.diff(evidence.iterates.earned, axis=1)), axis=1)
    total = float(np.sum(effects))
    if not np.isfinite(total) or total == 0 or len(dead) == len(tracks):
        return
    little = [t for t, effect in zip(tracks, effects, strict=True) if effect < _LITTLE * total and t not in dead]
    if little := [track for track in _whole(evidence, [*little, *dead]) if track not in dead]:
        share = float(sum(effects[tracks.index(track)] for track in little)) / total
        yield _fact(evidence, little, "no effect", 0.5, {"share": Share(share)})


def _whole(evidence: Evidence, tracks: Sequence[Track]) -> list[Track]:
    """Return those that are no part of a complex number of which the other part is none of them."""
    return [track for track in tracks if (other := evidence.iterates.other_part(track)) is None or other in tracks]


def _fact(evidence: Evidence, tracks: Sequence[Track], how: str, salience: float, slots: dict[str, Slot]) -> Fact:
    names = [track.entry.name for track in tracks]
    data = {"how": how, "parameters": names} | ({"parameter": names[0]} if len(names) == 1 else {})
    form = how if len(names) == 1 else f"{how}, several"
    return KIND.fact(form, evidence.whole, salience, slots | {"who": _who(tracks)}, data=data)


def _who(tracks: Sequence[Track]) -> Listed:
    names: list[Slot] = [named(track.entry) for track in tracks]
    rest = len(names) - _MOST_NAMES
    if rest > 1:
        names = [*names[:_MOST_NAMES], Clause("others", {"count": Count(rest)})]
    return Listed(tuple(names))


KIND = Kind(
    name="idle",
    question=Question.MOVEMENT,
    rank=36,
    slots={"who": Listed, "share": Share},
    compute=compute,
    method="loss change allocation of all moves (Lan et al. 2019)",
)
