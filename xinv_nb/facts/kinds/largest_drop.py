"""The step that lowered the loss most, if it stands out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.single_steps import LARGE, single_steps
from xinv_nb.language.slots import Iteration, Share, Value, loss_pair


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield the largest drop of the loss in one step, where it makes a large share of the whole fall."""
    found = single_steps(evidence)
    if found is None:
        return
    rows, loss, steps, total = found
    k = int(np.argmin(steps))
    if -steps[k] > LARGE * total:
        start, end = loss_pair(float(loss[k]), float(loss[k + 1]))
        share, at = float(-steps[k]) / total, int(rows[k + 1])
        slots = {"start": start, "end": end, "at": Iteration(at), "share": Share(share)}
        yield KIND.fact("of the fall" if share <= 1 else "beyond the fall", (int(rows[k]), at), 0.35, slots)


KIND = Kind(
    name="largest drop",
    question=Question.LOSS,
    rank=14,
    slots={"start": Value, "end": Value, "at": Iteration, "share": Share},
    compute=compute,
    method="the most negative difference of successive accepted losses",
)
