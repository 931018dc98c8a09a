"""Where along the simulation a push on a parameter comes from.

Method: the part of the descent direction that comes through one part of the way; the parts add up to the whole push,
as the derivative is linear in the cotangents.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.errors import XinvError
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.iterates import Floats, Track
from xinv_nb.facts.measures.names import named, watched
from xinv_nb.facts.measures.pushing import push_unit, way_of
from xinv_nb.facts.measures.turning import moved_most
from xinv_nb.language.slots import Clause, Iteration, Named, Said, Share, Slot, Value, Word
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.recorded.watch import Watch

_MOST = 4
_MOST_OF_IT = 0.6
"""Share of a push from which on a part of the way is told."""
_NARROW = 0.34
"""Share of the way that such a part is at most."""
_ONE_WAY = 1.1
"""Sizes of the parts of a push, added up, next to the push, up to which they push one way."""
_DIGITS = 2


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield of the parameters that matter most where along the simulation they were pushed, at the strongest push read.

    Examples
    --------
    >>> import numpy as onp
    >>> import autograd.numpy as np
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> way = onp.arange(24.0)
    >>> def cost(depth):
    ...     depths = xi.watch(depth * onp.exp(-((way - 6.0) ** 2)), "depth", "m", at=way)
    ...     return np.sum((depths - 1.0) ** 2)
    >>> with xi.record() as run:
    ...     depth = 0.0
    ...     for _ in range(9):
    ...         depth = depth - 0.1 * grad(cost)(depth)
    >>> print(next(fact for fact in run.facts if fact.kind == "along").text)
    At iteration 0 depth pushed depth up with 3.5, 77 % of which came from between 6 and 7 on a way from 0 to 23.
    """
    if not evidence.is_minimized or evidence.is_maximized or len(evidence.iterates) < 2:
        return
    told = 0
    for name, columns in evidence.run.history.along.items():
        evaluations, gradients = columns.arrays()
        if name not in evidence.watches or gradients.dtype.kind != "f":
            continue
        for track in moved_most(evidence):
            if track.entry.column is None or track.entry.part or told == _MOST:
                continue
            pushes = -gradients[:, :, track.entry.column]
            strongest = int(np.argmax(np.abs(pushes.sum(axis=1))))
            watch = evidence.watches[name]
            if fact := _from_a_part(evidence.run, watch, track, int(evaluations[strongest]), pushes[strongest]):
                told += 1
                yield fact


def _from_a_part(run: RecordedRun, watch: Watch, track: Track, evaluation: int, parts: Floats) -> Fact | None:
    whole = float(parts.sum())
    found = _narrowest(parts, whole)
    try:
        at = watch.profile(evaluation).at
    except XinvError:
        return None  # of a long run it was not kept
    if found is None or at.dtype.kind not in "iuf" or not (np.all(np.diff(at) >= 0) or np.all(np.diff(at) <= 0)):
        return None
    first, last = found
    ends = np.array_split(np.arange(len(at)), len(parts))
    unit = push_unit(run, track.entry)
    slots: dict[str, Slot] = {"quantity": watched(watch), "parameter": named(track.entry), "at": Iteration(evaluation)}
    slots |= {"way": way_of(track, whole), "push": Value(abs(whole), unit, digits=_DIGITS)}
    slots |= {"share": Share(float(parts[first : last + 1].sum()) / whole)}
    slots |= {"from": Value(float(at[ends[first][0]])), "to": Value(float(at[ends[last][-1]]))}
    slots |= {"begin": Value(float(at[0])), "end": Value(float(at[-1]))}
    return KIND.fact("from a part", (evaluation, evaluation), 0.35, slots)


def _narrowest(parts: Floats, whole: float) -> tuple[int, int] | None:
    """Return the first and last of the fewest parts in a row that make up most of a push; None where it is spread."""
    if not abs(whole) > 0 or float(np.abs(parts).sum()) > _ONE_WAY * abs(whole):
        return None
    for width in range(1, int(_NARROW * len(parts)) + 1):
        sums = np.convolve(parts, np.ones(width), "valid") / whole
        best = int(np.argmax(sums))
        if sums[best] >= _MOST_OF_IT:
            return best, best + width - 1
    return None


KIND = Kind(
    name="along",
    asked_with=r"\bwhere (?:along|on the way|in the simulation|does the (?:pull|push))\b",
    question=Question.SIMULATION,
    rank=23,
    slots={
        "quantity": Named,
        "parameter": Named,
        "at": Iteration,
        "way": (Said, Word, Clause),
        "push": Value,
        "share": Share,
        "from": Value,
        "to": Value,
        "begin": Value,
        "end": Value,
    },
    compute=compute,
    method="the descent direction through parts of the way (chain rule)",
)
