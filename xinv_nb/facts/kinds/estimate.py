"""What a least-squares fit found, with the standard errors, or why there are none.

Method: the linear theory of least squares (`xinv_nb.facts.measures.least_squares`; Bates & Watts 1988).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts import estimates
from xinv_nb.facts.estimates import Why
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.names import named
from xinv_nb.facts.measures.sizes import end_of
from xinv_nb.language.slots import Clause, Count, Iteration, Listed, Named, Slot, Uncertain, Value

_MOST = 8
_FEWEST = 3
"""Degrees of freedom from which on the scatter of the residuals is more than a guess."""
_ASIDE = 0.5
"""Standard errors by which a run may end off its best point."""
_WORTH_TELLING = {
    "none, too few": 0.7,
    "none, no effect": 0.85,
    "none, lost": 0.85,
    "none, stayed": 0.6,
    "none, at a bound": 0.6,
    "none, singular": 0.85,
    "none, not level": 0.5,
    "none, not weighed": 0.5,
    "none, robust": 0.4,
}
"""Reasons that say something of the fit, and how much they would be missed."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield each parameter with its standard error, or why there is none.

    Examples
    --------
    >>> import numpy as np
    >>> import xinv_nb as xi
    >>> days, level = np.arange(5.0), np.array([2.1, 2.9, 4.2, 4.8, 6.1])
    >>> with xi.record(problem=xi.Problem("A river", parameters={"x": xi.Parameter("rise", "m/day")})) as run:
    ...     for rise in (0.0, float(days @ level) / float(days @ days)):
    ...         r = rise * days - level
    ...         run.add(r @ r, rise, residuals=r, jacobian=days[:, None])
    >>> next(fact.text for fact in run.facts if fact.kind == "estimate")
    'Rise is 1.67 ± 0.24 m/day (standard error).'
    """
    found, last = evidence.estimate, evidence.last
    if isinstance(found, Why):
        if found.form in _WORTH_TELLING:
            yield KIND.fact(found.form, (0, last), _WORTH_TELLING[found.form], found.slots, data={"error": None})
        return
    at = found.end.evaluation
    errors, ended = found.fit.errors, evidence.run.history.rows(np.array([end_of(evidence.run)]))[0]
    for column in np.arange(len(found.entries))[:_MOST].tolist():
        entry, error = found.entries[column], float(errors[column])
        estimate = Uncertain(float(found.values[column]), error, entry.parameter.unit)
        slots: dict[str, Slot] = {"parameter": named(entry), "estimate": estimate}
        slots["freedom"] = Count(found.fit.freedom)
        slots["evaluation"] = Iteration(at)
        form = "few" if found.fit.freedom < _FEWEST and not found.fit.is_scaled else "one"
        if abs(float(ended[column] - found.values[column])) > _ASIDE * error:
            form = "best"
        yield KIND.fact(form, (at, at), 0.8, slots, data={"error": error})


KIND = Kind(
    name=estimates.KIND,
    asked_with=r"\b(?:standard error|uncertain|precise|precision|error bar|confidence|how well (?:is|are))",
    question=Question.DETERMINATION,
    rank=54,
    slots={
        "parameter": Named,
        "who": Listed,
        "estimate": Uncertain,
        "evaluation": Iteration,
        "freedom": Count,
        "points": Count,
        "count": Count,
        "parameters": Count,
        "value": Value,
        "bound": Value,
        "move": Clause,
    },
    compute=compute,
    method="the covariance of linear least squares at the end (Bates & Watts 1988), where the fit converged",
)
