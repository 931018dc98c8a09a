"""Which parameters never mattered: no gradient, or moves that did nothing to the loss.

Method: loss change allocation (Lan et al., NeurIPS 2019) of each parameter's moves, whatever their direction, beside
that of all parameters. A gradient that is zero throughout is what a dead unit of a network, or a parameter that the
simulator does not use, looks like.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kinds.movement import name_of
from xinv_nb.facts.measures.iterates import Iterates
from xinv_nb.language.quantities import listed, share
from xinv_nb.recorded.run import RecordedRun

_LITTLE = 1e-3
_MOST_NAMES = 4
_FEWEST = 3


def idle(run: RecordedRun, iterates: Iterates) -> Iterator[Fact]:
    """Yield the parameters whose gradient was zero at all iterations, and those whose moves hardly changed the loss."""
    if run.evaluations < _FEWEST or len(iterates.tracks) < 2:
        return
    last, tracks = run.evaluations - 1, iterates.tracks
    dead = [track for track in tracks if not run.column(track.entry, "gradients").any()]
    if 0 < len(dead) < len(tracks):
        names = [track.entry.name for track in dead]
        who = _names([name_of(track.entry) for track in dead])
        text = f"The gradient of {who} was 0 at every iteration: nothing in this run shows that the loss depends on "
        text += "it." if len(dead) == 1 else "any of them."
        cite = {"parameters": names, "how": "no gradient"}
        yield Fact("", "idle", text, cite | ({"parameter": names[0]} if len(names) == 1 else {}), (0, last), (), 0.7)
    effects = np.sum(np.abs(np.diff(iterates.earned, axis=1)), axis=1)
    total = float(np.sum(effects))
    if not np.isfinite(total) or total == 0 or len(dead) == len(tracks):
        return
    little = [t for t, effect in zip(tracks, effects, strict=True) if effect < _LITTLE * total and t not in dead]
    if little:
        names = [track.entry.name for track in little]
        part = float(sum(effects[tracks.index(track)] for track in little)) / total
        who = _names([name_of(track.entry) for track in little])
        whose = "all moves of" if len(little) == 1 else "all moves together of"
        text = f"To first order {whose} {who} did {share(part)} of what the moves of all parameters did to the loss."
        found = {"parameters": names, "how": "no effect", "share": part}
        yield Fact("", "idle", text, found | ({"parameter": names[0]} if len(names) == 1 else {}), (0, last), (), 0.5)


def _names(names: list[str]) -> str:
    rest = len(names) - _MOST_NAMES
    if rest > 1:
        return listed([*names[:_MOST_NAMES], f"{rest} others"])
    return listed(names)
