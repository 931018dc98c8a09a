"""That a loop draws samples, so that nothing of a minimization is to be said of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.language.slots import Count, Share, Slot, Value, pair


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield how the points wander, and between which losses, where they are a sampler's.

    Examples
    --------
    >>> import numpy as np
    >>> import xinv_nb as xi
    >>> dice = np.random.RandomState(0)
    >>> with xi.record() as run:
    ...     x = np.zeros(2)
    ...     for _ in range(200):
    ...         trial = x + dice.randn(2)
    ...         if np.log(dice.rand()) < (x @ x - trial @ trial) / 2:
    ...             x = trial
    ...         run.add(-x @ x / 2, x, -x)
    >>> run.facts[0].text
    'The points wander as a sampler draws them: 31 % of the steps went down the slope.'
    """
    if evidence.downhill_share is None:
        return
    loss = evidence.run.loss
    low, high = pair(float(np.percentile(loss, 25)), float(np.percentile(loss, 75)))
    whole = (0, evidence.last)
    slots: dict[str, Slot] = {"share": Share(evidence.downhill_share)}
    yield KIND.fact("wanders", whole, 1.0, slots)
    yield KIND.fact("ranges", whole, 0.9, {"low": low, "high": high, "count": Count(len(loss))})


KIND = Kind(
    name="sampling",
    question=Question.LOSS,
    rank=1,
    slots={"share": Share, "low": Value, "high": Value, "count": Count},
    compute=compute,
    method="steps down the slope as often as up, and a loss that ranges on (Metropolis et al. 1953; Neal 2011)",
    of_samples=True,
)
