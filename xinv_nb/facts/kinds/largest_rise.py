"""The step that raised the loss most, if it stands out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.losses import height
from xinv_nb.facts.measures.single_steps import LARGE, single_steps
from xinv_nb.language.slots import Iteration, Value, loss_pair


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield the largest rise of the loss in one step, where it makes a visible share of the run's height."""
    found = single_steps(evidence)
    if found is None:
        return
    rows, loss, steps, _ = found
    k = int(np.argmax(steps))
    if steps[k] > LARGE / 4 * height(loss):
        start, end = loss_pair(float(loss[k]), float(loss[k + 1]))
        at = int(rows[k + 1])
        yield KIND.fact("rise", (int(rows[k]), at), 0.45, {"start": start, "end": end, "at": Iteration(at)})


KIND = Kind(
    name="largest rise",
    question=Question.LOSS,
    rank=15,
    slots={"start": Value, "end": Value, "at": Iteration},
    compute=compute,
    method="the largest difference of successive accepted losses",
)
