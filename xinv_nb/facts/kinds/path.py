"""Which parameters went much farther than they got."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.names import named
from xinv_nb.facts.measures.precision import returned
from xinv_nb.facts.measures.turning import moved_most
from xinv_nb.language.slots import Named, Value, pair

_FAR = 3.0
"""Path length over net distance from which it is told."""
_MOST = 2


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield the parameters whose path is much longer than the way they made."""
    yield from islice(_far_gone(evidence), _MOST)


def _far_gone(evidence: Evidence) -> Iterator[Fact]:
    for track in moved_most(evidence):
        path, net = float(np.sum(np.abs(np.diff(track.values)))), abs(float(track.values[-1] - track.values[0]))
        if path > _FAR * net and not returned(track.values):
            one, two = pair(path, net, track.entry.parameter.unit, both=True)
            slots = {"parameter": named(track.entry), "path": one, "net": two}
            yield KIND.fact("to and fro", evidence.whole, 0.3, slots)


KIND = Kind(
    name="path",
    question=Question.MOVEMENT,
    rank=34,
    slots={"parameter": Named, "path": Value, "net": Value},
    compute=compute,
    method="sum of the sizes of all steps beside the distance from start to end",
    of_samples=True,
)
