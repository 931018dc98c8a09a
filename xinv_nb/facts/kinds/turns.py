"""Parameters that the program differentiates by turns, as coordinate descent does.

Method: of each evaluation, in which columns the gradient is known (block coordinate descent: Wright 2015).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.names import named
from xinv_nb.language.slots import Clause, Count, Listed, Slot

_FEWEST = 3
_MOSTLY = 0.5
"""Share of the evaluations from which on it is what the program does, and no single look."""
_MOST_NAMES = 4


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield which parameters were differentiated by turns.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> def misfit(m, b):
    ...     return (m + b - 1) ** 2 + m**2
    >>> with xi.record() as run:
    ...     m = b = 0.0
    ...     for _ in range(5):
    ...         m = m - 0.1 * grad(misfit, 0)(m, b)
    ...         b = b - 0.1 * grad(misfit, 1)(m, b)
    >>> next(fact.text for fact in run.facts if fact.kind == "turns")
    'm and b were differentiated by turns: of each iteration only a part of the gradient is known.'
    """
    run = evidence.run
    partial = run.history.without_gradient
    if partial is None or run.history.kept is not None or partial.rows < max(_FEWEST, _MOSTLY * run.evaluations):
        return
    known = ~np.isnan(run.history.gradients.array[partial.array])
    if not known.any(axis=1).all() or not known.any(axis=0).all():
        return
    entries = [entry for entry in run.entries() if entry.part != "imaginary"]
    names: list[Slot] = [named(entry) for entry in entries]
    rest = len(names) - _MOST_NAMES
    if rest > 1:
        names = [*names[:_MOST_NAMES], Clause("others", {"count": Count(rest)})]
    form = "by turns" if partial.rows == run.evaluations else "mostly by turns"
    yield KIND.fact(form, (0, evidence.last), 0.7, {"who": Listed(tuple(names))})


KIND = Kind(
    name="turns",
    question=Question.GRADIENT,
    rank=49,
    slots={"who": Listed},
    compute=compute,
    method="the columns in which the gradient of each evaluation is known (Wright 2015)",
)
