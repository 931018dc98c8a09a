"""The lowest loss, if the run did not end with it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.constraints import is_constrained
from xinv_nb.facts.measures.losses import finite_iterates
from xinv_nb.facts.measures.turned_down import lowest_turned_down
from xinv_nb.language.slots import Iteration, Slot, Value, loss_pair

_NOTED = 1e-3
"""Share of the run's height by which the last loss has to lie above the best one."""
_MUCH = 0.05
"""The same from which it is much."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield where the loss was lowest; the best of noisy losses is a lucky draw, and told last."""
    run, loss, last = evidence.run, evidence.run.loss, evidence.last
    finite = finite_iterates(run)
    if last < 1 or not len(finite) or evidence.is_maximized or is_constrained(run):
        return  # under constraints the lowest loss may be of a point that breaks them
    if (tried := lowest_turned_down(run)) is not None:
        low, high = loss_pair(float(loss[tried]), float(loss[finite[-1]]), both=True)
        slots: dict[str, Slot] = {"best": low, "iteration": Iteration(tried), "end": high}
        yield KIND.fact("turned down", (tried, last), 0.3, slots)
        return
    best, final = int(finite[np.argmin(loss[finite])]), int(finite[-1])
    low, high = loss_pair(float(loss[best]), float(loss[final]), both=True)
    above, height = high.number / 2 - low.number / 2, float(np.ptp(loss[finite] / 2))
    if low.looks_like(high) or not above > _NOTED * height:
        return
    if best == int(finite[0]):
        form = "start" if best == 0 else "first number"
    elif not np.isfinite(loss[final:]).all() or run.status == "running":
        form = "so far"
    else:
        form = "before the end"
    salience = 0.15 if evidence.is_noisy else 0.7 if above > _MUCH * height else 0.4
    yield KIND.fact(form, (best, last), salience, {"best": low, "iteration": Iteration(best), "end": high})


KIND = Kind(
    name="best",
    question=Question.LOSS,
    rank=12,
    slots={"best": Value, "iteration": Iteration, "end": Value},
    compute=compute,
    method="the lowest loss of the accepted iterates",
)
