"""Residuals that do not lie by chance to one side and the other: neighbouring data points are missed to the same side.

Method: the runs test (Wald & Wolfowitz 1940), and the correlation of each residual with the next; told where both are
clear. The data points are taken in the order in which they are given.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.estimates import Why
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.groups import groups_of
from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.sizes import end_of, gradient_sizes
from xinv_nb.language.slots import Count, Iteration, Named, Slot, Value

_FEWEST = 12
"""Data points from which on a pattern can be told from chance."""
_FEWEST_OF_A_SIDE = 4
_CLEAR = 3.0
"""Standard deviations of the runs test from which on there are clearly too few."""
_ALIKE = 0.3
"""Correlation of each residual with the next from which on neighbours are alike."""
_LEVEL = 0.01
"""Share of the largest gradient from which on the end is still steep."""
_EXACT = 1e-6
"""Share of the largest residuals up to which they are rounding, or what the last step has left."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield that the residuals, or those of a group of data, have a pattern."""
    run = evidence.run
    if evidence.last < 0 or run.status == "running" or not _is_over(evidence):
        return
    groups = groups_of(run)
    for group in groups:
        largest = float(np.sqrt(np.square(group.residuals).sum(axis=1).max()))
        residuals, at = group.residuals[group.best], int(group.evaluations[group.best])
        if float(np.linalg.norm(residuals)) > _EXACT * largest and (slots := _pattern(residuals)):
            yield _fact(at, slots | {"group": Named(group.name, group.name)})
    end = evidence.end_of_fit
    if not groups and not isinstance(end, str) and not end.is_exact(_EXACT) and (slots := _pattern(end.residuals)):
        yield _fact(end.evaluation, slots)


def _is_over(evidence: Evidence) -> bool:
    """Whether the fit came to its end, as far as is known: what it left undone is no pattern of the data."""
    run = evidence.run
    if isinstance(evidence.estimate, Why) and evidence.estimate.form == "none, not level":
        return False
    if not run.has_gradients:
        return True
    sizes = gradient_sizes(run)
    return float(sizes[end_of(run)]) <= _LEVEL * float(np.fmax.reduce(sizes))


def _fact(at: int, slots: dict[str, Slot]) -> Fact:
    return KIND.fact("runs", (at, at), 0.8, slots | {"evaluation": Iteration(at)})


def _pattern(residuals: Floats) -> dict[str, Slot]:
    """Return how often residuals change sign and how often chance would have it, where it is clearly more often.

    >>> _pattern(np.sin(np.arange(40) / 5))["times"], _pattern(np.sin(np.arange(40.0) ** 2))
    (Count(number=2), {})
    """
    signs = np.sign(residuals[residuals != 0])
    above, below = int((signs > 0).sum()), int((signs < 0).sum())
    count = above + below
    if count < _FEWEST or min(above, below) < _FEWEST_OF_A_SIDE or not np.isfinite(residuals).all():
        return {}
    changes = int((signs[1:] != signs[:-1]).sum())
    expected = 2 * above * below / count
    spread = np.sqrt(expected * (expected - 1) / (count - 1))
    alike = float(residuals[1:] @ residuals[:-1]) / float(residuals @ residuals)
    if expected - changes - 0.5 < _CLEAR * spread or alike < _ALIKE:
        return {}
    return {"times": Count(changes), "points": Count(len(residuals)), "expected": Value(round(expected))}


KIND = Kind(
    name="residual trend",
    asked_with=r"\b(?:residual|pattern|systematic|model (?:is )?(?:wrong|miss))",
    question=Question.DETERMINATION,
    rank=58,
    slots={"evaluation": Iteration, "times": Count, "points": Count, "expected": Value, "group": Named},
    compute=compute,
    method="the runs test (Wald & Wolfowitz 1940) and the correlation of neighbouring residuals",
)
