"""When nearly all of the gain was made.

Method: data profiles count evaluations (Moré & Wild 2009).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.losses import finite_iterates
from xinv_nb.facts.measures.scale import visible_swing
from xinv_nb.language.slots import Count, Iteration

_GAIN = 0.99
_LATE = 0.3
"""Share of the iterations after 99 % of the gain from which on it is told."""
_FEWEST = 10


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield the iteration by which 99 % of the fall was reached, where many came after it."""
    run, last = evidence.run, evidence.last
    if run.evaluations < _FEWEST or evidence.is_noisy:
        return
    rows = finite_iterates(run)
    if len(rows) < _FEWEST // 2 or not np.isfinite(run.loss[run.accepted][-1]):
        return
    loss = run.loss[rows]
    total = float(loss[0] / 2 - loss[-1] / 2)
    if not total > 0 or float(loss.max() / 2 - loss.min() / 2) > 1.02 * total:
        return  # the end is not the best of it
    short = np.flatnonzero(loss[0] / 2 - loss / 2 < _GAIN * total)
    at = int(rows[short[-1] + 1])
    after = last - at
    if after >= _LATE * last:
        salience = 0.25 if visible_swing(loss)[0] else 0.45
        slots = {"at": Iteration(at), "after": Count(after)}
        yield KIND.fact("reached early", (at, last), salience, slots, data={"share": after / last})


KIND = Kind(
    name="gain",
    question=Question.SPEED,
    rank=61,
    slots={"at": Iteration, "after": Count},
    compute=compute,
    method="first iterate within 1 % of the whole fall (data profiles, Moré & Wild 2009)",
)
