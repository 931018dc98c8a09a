"""The data were met to within their noise long before the end: from there on the fit follows the noise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.groups import groups_of
from xinv_nb.language.slots import Count, Iteration, Slot, Value, pair

_FEWEST = 10
"""Data from which on the sum of their squares can be told from chance."""
_CLEAR = 3.0
"""Standard deviations of χ² by which it ends below the number of data, and began above it."""
_MANY = 0.2
"""Parameters for each data point from which on a fit can follow the noise."""
_EARLY = 0.5
"""Share of the iterates up to which the noise was reached long before the end."""


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield where the misfit came down to the noise, where a fit of many parameters then went on.

    The discrepancy principle (Morozov 1966): the sum of the squares of the residuals, in their standard deviations, is
    as large as the number of data where the model is right.

    Examples
    --------
    >>> import numpy as np
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> noise = np.random.default_rng(0).normal(size=40)
    >>> def loss(x):
    ...     r = xi.data(x - 5.0 - noise, "heights", sigma=1.0)
    ...     return (r**2).sum()
    >>> with xi.record() as run:
    ...     x = np.zeros(40)
    ...     for _ in range(80):
    ...         x = x - 0.05 * grad(loss)(x)
    >>> run.diagnosis[0].kind
    'misfit-at-noise'
    """
    run = evidence.run
    if run.status == "running" or not run.history.data:
        return
    groups = groups_of(run)
    if not groups or len(groups) < len(run.history.data) or any(group.sigma is None for group in groups):
        return
    count = sum(group.residuals.shape[1] for group in groups)
    width = sum(leaf.size for leaf in run.history.leaves)
    squares = np.sum([group.squares for group in groups], axis=0)
    spread = _CLEAR * np.sqrt(2.0 * count)
    if count < _FEWEST or width < _MANY * count or not (squares[0] > count + spread and squares[-1] < count - spread):
        return
    rows = groups[0].evaluations
    above = int(np.flatnonzero(squares > count)[-1])
    reached = above + 1
    if reached > _EARLY * (len(rows) - 1) or len(rows) < _FEWEST:
        return
    at = int(rows[reached])
    start, end = pair(float(squares[reached]), float(squares[-1]))
    slots: dict[str, Slot] = {"at": Iteration(at), "row": Count(at), "count": Count(count), "end": end, "there": start}
    slots |= {"parameters": Count(width), "before": Value(float(squares[0]))}
    yield KIND.finding("followed", (at, int(rows[-1])), slots)


KIND = FindingKind(
    name="misfit-at-noise",
    severity="caution",
    rank=41,
    slots={
        "at": Iteration,
        "row": Count,
        "count": Count,
        "parameters": Count,
        "before": Value,
        "there": Value,
        "end": Value,
    },
    compute=compute,
    means="The data were met to within their noise long before the end: it was time to stop.",
    seen_by="xi.data with sigma: the sum of (residual / sigma)² beside the number of data (Morozov 1966)",
    example="an inversion for many parameters that goes on until each wiggle of the noise is fitted",
    asked_with=r"\b(?:noise|fit too well|too well|when to stop|stop earlier)\b",
    silences=("advice: more iterations",),
)
