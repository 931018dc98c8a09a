"""How the length of the steps changed over the run.

Method: Euclidean norms of the steps between accepted iterates (Dennis & Schnabel 1983, section 7.2); medians of the
first and the last quarter, as single steps vary a lot.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.scale import quarters
from xinv_nb.facts.measures.sizes import norms, steady_iterates
from xinv_nb.language.slots import Value, pair

_MUCH = 10.0
"""Factor from which on steps are much longer or shorter."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield the median lengths of early and late steps, where they differ much."""
    run, rows = evidence.run, steady_iterates(evidence.run)
    if not len(rows) or any(leaf.rms_column is not None for leaf in run.history.leaves):
        return  # else the steps were not kept
    early, late = pair(*quarters(norms(run, np.diff(run.history.rows(rows), axis=0))))
    one, two = early.number, late.number
    if one > 0 and two > 0 and np.isfinite(one + two) and not 1 / _MUCH < two / one < _MUCH:
        slots = {"early": early, "late": late}
        yield KIND.fact("longer" if two > one else "shorter", (int(rows[0]), int(rows[-1])), 0.3, slots)


KIND = Kind(
    name="steps",
    question=Question.SPEED,
    rank=63,
    slots={"early": Value, "late": Value},
    compute=compute,
    method="medians of the norms of the steps (Dennis & Schnabel 1983, 7.2)",
)
