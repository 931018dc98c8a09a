"""Losses that were no numbers and were left again: points that the optimizer tried."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.losses import finite_iterates
from xinv_nb.language.slots import Count, Iteration


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield at how many iterations the loss was no finite number, where it was one again later."""
    run, loss, phases = evidence.run, evidence.run.loss, evidence.phases
    finite = finite_iterates(run)
    if len(loss) < 2 or not len(finite):
        return
    left_again = not np.isfinite(loss[: int(finite[-1])]).all()
    if not left_again and (np.isfinite(loss).all() or run.accepted.all()):
        return
    stop = phases[-1].start if phases[-1].kind == "divergence" and len(phases) > 1 else run.evaluations
    bad = np.flatnonzero(~np.isfinite(loss[:stop]))
    if not len(bad):
        return  # they are what the run flew off to in the end
    first, last = int(bad[0]), int(bad[-1])
    slots = {"count": Count(len(bad)), "first": Iteration(first)}
    yield KIND.fact("once" if len(bad) == 1 else "several", (first, last), 0.75, slots, data={"last": last})


KIND = Kind(
    name="gap",
    question=Question.LOSS,
    rank=11,
    slots={"count": Count, "first": Iteration},
    compute=compute,
    method="evaluations whose loss is not finite, before the last that is",
    of_samples=True,
)
