"""Where the objective was steepest, if that was not at the start.

Method: Euclidean norms of the gradients (Dennis & Schnabel 1983, section 7.2).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.sizes import norms, steady_iterates
from xinv_nb.language.slots import Iteration, Value

_STEEPER = 3.0
"""Factor by which the gradient has to exceed the first one for its peak to be told."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield where the gradient was largest, where it was much larger than at the start."""
    run, rows = evidence.run, steady_iterates(evidence.run)
    if not len(rows) or not run.has_gradients:
        return
    sizes = norms(run, run.history.rows(rows, "gradients"))
    usable = np.where(np.isfinite(sizes), sizes, -np.inf)
    k = int(np.argmax(usable))
    if usable[k] > _STEEPER * sizes[0] > 0:
        slots = {"at": Iteration(int(rows[k])), "largest": Value(float(sizes[k])), "first": Value(float(sizes[0]))}
        yield KIND.fact("on the way", (int(rows[0]), int(rows[-1])), 0.3, slots)


KIND = Kind(
    name="steepest",
    question=Question.SPEED,
    rank=64,
    slots={"at": Iteration, "largest": Value, "first": Value},
    compute=compute,
    method="the largest norm of the gradient (Dennis & Schnabel 1983, 7.2)",
)
