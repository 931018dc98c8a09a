"""The data scatter around the model far more, or far less, than the standard deviations that were given for them."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.estimates import Why
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.chi_squared import tails
from xinv_nb.facts.measures.groups import groups_of
from xinv_nb.language.slots import Count, Slot, Value

_IMPROBABLE = 1e-6
"""Probability below which it is no chance that χ² lies so far off."""
_TIMES = 1.5
"""Factor by which the scatter has to differ: less is what standard deviations are estimated to."""
_FEWEST = 5
"""Degrees of freedom that tell of a scatter."""
_SMALLEST = -300.0
"""Exponent of ten below which a probability is told as this."""


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield by which factor the scatter differs, with the probability of that, where a fit with sigmas has converged.

    Examples
    --------
    >>> import numpy as np
    >>> import xinv_nb as xi
    >>> from scipy.optimize import curve_fit
    >>> t = np.linspace(0, 1, 40)
    >>> data = 3 * t + np.random.default_rng(0).normal(size=40)
    >>> with xi.record() as run:
    ...     found = curve_fit(lambda t, slope: slope * t, t, data, sigma=np.full(40, 0.1), absolute_sigma=True)
    >>> [(finding.kind, finding.form) for finding in run.diagnosis]
    [('sigmas', 'too large')]
    """
    known = _of_residuals(evidence) or _of_groups(evidence)
    if known is None:
        return
    squares, freedom, at = known
    times = math.sqrt(squares / freedom)
    below, above = tails(squares, freedom)
    if above < _IMPROBABLE and times > _TIMES:
        form, probability = "too large", above
    elif below < _IMPROBABLE and times < 1 / _TIMES:
        form, probability = "too small", below
    else:
        return
    slots: dict[str, Slot] = {
        "squares": Value(squares),
        "freedom": Count(freedom),
        "times": Value(times, digits=2),
        "probability": Value(max(probability, 10**_SMALLEST), digits=1, in_powers=True),
    }
    yield KIND.finding(form, (at, at), slots, data={"probability": probability})


Known = tuple[float, int, int]
"""χ², its degrees of freedom, and the evaluation."""


def _of_residuals(evidence: Evidence) -> Known | None:
    """Return χ² of a solver's residuals that are in units of their standard deviations, where the fit has converged."""
    end = evidence.end_of_fit
    if isinstance(end, str) or not end.has_sigmas or isinstance(evidence.estimate, Why):
        return None
    freedom = len(end.residuals) - evidence.run.history.width
    return (float(end.residuals @ end.residuals), freedom, end.evaluation) if freedom >= _FEWEST else None


def _of_groups(evidence: Evidence) -> Known | None:
    """Return χ² of the data that an objective marks with their sigmas, where the run ended at a minimum."""
    run = evidence.run
    groups = groups_of(run) if run.history.data and run.status == "finished" else []
    if not groups or len(groups) < len(run.history.data) or any(group.sigma is None for group in groups):
        return None
    if not any(fact.form == "reached" for fact in evidence.of("minimum")) or run.history.residuals is not None:
        return None
    count = sum(group.residuals.shape[1] for group in groups)
    width = sum(leaf.size for leaf in run.history.leaves)
    freedom = count - width
    if freedom < max(_FEWEST, width):  # with as many parameters, a penalty decides how much freedom there is
        return None
    at = int(groups[0].evaluations[groups[0].best])
    squares = float(np.sum([group.squares[groups[0].best] for group in groups]))
    return (squares, freedom, at) if np.isfinite(squares) else None


KIND = FindingKind(
    name="sigmas",
    severity="caution",
    rank=39,
    slots={"squares": Value, "freedom": Count, "times": Value, "probability": Value},
    compute=compute,
    means="The data scatter around the model far more, or far less, than the standard deviations given for them.",
    seen_by="χ² of a converged fit with known sigmas, and its probability by the χ² distribution (Pearson 1900)",
    example="`curve_fit(…, sigma=0.01, absolute_sigma=True)` of data with a scatter of 0.1",
    asked_with=r"\b(?:sigma|standard deviation|chi|χ|goodness|error bar|scatter)",
)
