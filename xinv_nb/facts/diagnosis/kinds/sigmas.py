"""The data scatter around the model far more, or far less, than the standard deviations that were given for them."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.estimates import Why
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.chi_squared import tails
from xinv_nb.facts.measures.groups import groups_of
from xinv_nb.language.slots import Clause, Count, Named, Slot, Value

Floats = NDArray[np.float64]

_IMPROBABLE = 1e-6
"""Probability below which it is no chance that χ² lies so far off."""
_TIMES = 1.5
"""Factor by which the scatter has to differ: less is what standard deviations are estimated to."""
_FEWEST = 5
"""Degrees of freedom that tell of a scatter."""
_FEW, _FAR, _MOST = 20, 5.0, 0.5
"""One in how many data points may be outliers, or one in all; how many times farther off than the others each has to
be, and the share of χ² that they make."""
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
    squares, freedom, at, residuals = known
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
    if form == "too large" and (found := _outliers(residuals, freedom)):
        form = "one point" if len(found) == 1 else "few points"
        rest = math.sqrt((squares - float(np.square(residuals[found]).sum())) / (freedom - len(found)))
        slots |= {"outliers": Count(len(found)), "points": Count(len(residuals)), "rest": Value(rest, digits=2)}
        slots |= {
            "residual": Value(float(abs(residuals[found[0]]))),
            "point": _point(evidence, found[0], len(residuals)),
        }
    yield KIND.finding(form, (at, at), slots, data={"probability": probability})


def _outliers(residuals: Floats, freedom: int) -> list[int]:
    """Return the few data points that make most of χ², each far off beside the others; the farthest first."""
    order, found = np.argsort(-np.abs(residuals)), list[int]()
    for k in order[: min(max(len(residuals) // _FEW, 1), freedom - _FEWEST)].tolist():
        others = np.delete(residuals, [*found, k])
        if abs(residuals[k]) <= _FAR * math.sqrt(float(others @ others) / len(others)):
            break
        found.append(int(k))
    share = float(np.square(residuals[found]).sum()) / float(residuals @ residuals)
    return found if share >= _MOST else []


def _point(evidence: Evidence, point: int, count: int) -> Slot:
    """Return a data point by its name, or by its number among all."""
    end = evidence.end_of_fit
    if isinstance(end, str):
        groups = groups_of(evidence.run)
        labels = [label for group in groups for label in evidence.run.history.data[group.name].labels]
        known = [evidence.run.history.data[group.name].labels or ("",) * group.residuals.shape[1] for group in groups]
        label = [each for own in known for each in own][point]
        is_its_own = labels.count(label) == 1
    else:
        label, is_its_own = end.label(point)
    if label and is_its_own:
        return Named(label, label)
    return Clause("data point", {"number": Count(point + 1), "count": Count(count)})


Known = tuple[float, int, int, Floats]
"""χ², its degrees of freedom, the evaluation, and the residuals in units of their standard deviations."""


def _of_residuals(evidence: Evidence) -> Known | None:
    """Return χ² of a solver's residuals that are in units of their standard deviations, where the fit has converged."""
    end = evidence.end_of_fit
    if isinstance(end, str) or not end.has_sigmas or isinstance(evidence.estimate, Why):
        return None
    freedom = len(end.residuals) - evidence.run.history.width
    squares = float(end.residuals @ end.residuals)
    return (squares, freedom, end.evaluation, end.residuals) if freedom >= _FEWEST else None


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
    residuals = [group.residuals[group.best] / group.sigma for group in groups if group.sigma is not None]
    return (squares, freedom, at, np.concatenate(residuals)) if np.isfinite(squares) else None


KIND = FindingKind(
    name="sigmas",
    severity="caution",
    rank=39,
    slots={"squares": Value, "freedom": Count, "times": Value, "probability": Value}
    | {"outliers": Count, "points": Count, "rest": Value, "residual": Value, "point": (Named, Clause)},
    compute=compute,
    means="The data scatter around the model far more, or far less, than the standard deviations given for them.",
    seen_by="χ² of a converged fit with known sigmas, and its probability by the χ² distribution (Pearson 1900)",
    example="`curve_fit(…, sigma=0.01, absolute_sigma=True)` of data with a scatter of 0.1",
    asked_with=r"\b(?:sigma|standard deviation|chi|χ|goodness|error bar|scatter)",
)
