"""How much of the fall came in how small a part of the run."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.losses import finite_iterates
from xinv_nb.facts.measures.phases import last_of
from xinv_nb.facts.measures.scale import is_logarithmic
from xinv_nb.language.slots import Count, LossValue, Slot, Value

_MOST_OF_IT = 0.8
"""Share of the fall from which on a part of the run brought most of it."""
_SHORT = 0.5
"""Share of the run up to which that part is short."""
_FALLS = ("descent", "slow descent")


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield how much of the fall the first stretch of the run brought, where that was most of it.

    Of a loss that is looked at on a logarithmic scale nothing is told: nearly all of its fall comes early anyway.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for k in range(60):
    ...         x = 4.0 * 0.8**k
    ...         run.add(x**2 + 50, x, 2 * x)
    >>> next(fact for fact in run.facts if fact.kind == "progress").text
    '15.5 of the fall of 16 came in the first 8 of 60 iterations.'
    """
    run, phases = evidence.run, evidence.phases
    if len(phases) < 2 or evidence.is_noisy or phases[0].kind not in _FALLS or not evidence.is_minimized:
        return
    loss, rows = run.loss, finite_iterates(run)
    if len(rows) < 2 or not np.isfinite(loss[run.accepted][-1]) or is_logarithmic(loss[rows]):
        return
    at = last_of(phases[0], loss)
    part, whole = float(loss[rows[0]] - loss[at]), float(loss[rows[0]] - loss[rows[-1]])
    is_short = at <= _SHORT * evidence.last
    if not whole > 0 or not _MOST_OF_IT * whole <= part < whole or not is_short:
        return
    one, two = LossValue(part, beside=whole, leads=True), LossValue(whole, beside=part)
    if one.looks_like(two):
        return
    slots: dict[str, Slot] = {"part": one, "fall": two, "at": Count(at), "iterations": Count(run.evaluations)}
    yield KIND.fact("early", (0, evidence.last), 0.45, slots)


KIND = Kind(
    name="progress",
    question=Question.SPEED,
    rank=60,
    slots={"part": Value, "fall": Value, "at": Count, "iterations": Count},
    compute=compute,
    method="the fall of the loss in its first phase, beside the whole (data profiles, Moré & Wild 2009)",
)
