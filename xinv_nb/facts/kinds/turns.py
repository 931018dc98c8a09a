"""Parameters that the program differentiates by turns, as coordinate descent does, or that solvers move by turns.

Method: of each evaluation, in which columns the gradient is known (block coordinate descent: Wright 2015); of each call
of a solver, which parameters it moved.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.blocks import blocks_of
from xinv_nb.facts.measures.names import named, named_optimizer
from xinv_nb.language.slots import Clause, Count, Listed, Named, Said, Slot
from xinv_nb.recorded.leaves import Leaf
from xinv_nb.recorded.run import RecordedRun

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
    if blocks := blocks_of(run):
        yield _by_solvers(evidence, blocks)
        return
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


def _by_solvers(evidence: Evidence, blocks: Sequence[Sequence[Leaf]]) -> Fact:
    run = evidence.run
    names = [_named(run, leaf) for leaves in blocks for leaf in leaves]
    if (rest := len(names) - _MOST_NAMES) > 1:
        names = [*names[:_MOST_NAMES], Clause("others", {"count": Count(rest)})]
    calls = run.history.calls
    optimizers = list(dict.fromkeys(call.optimizer for call in calls))
    slots: dict[str, Slot] = {"who": Listed(tuple(names)), "count": Count(len(calls))}
    if len(optimizers) == 1:
        slots["solver"] = named_optimizer(optimizers[0])
    form = "by one solver" if len(optimizers) == 1 else "by solvers"
    return KIND.fact(form, (0, evidence.last), 0.95, slots)


def _named(run: RecordedRun, leaf: Leaf) -> Slot:
    """Return what a whole array is called, or the one number that it is."""
    entries = [entry for entry in run.entries() if entry.leaf is leaf and entry.part != "imaginary"]
    return named(entries[0]) if len(entries) == 1 else Said(leaf.name)


KIND = Kind(
    name="turns",
    question=Question.GRADIENT,
    rank=49,
    slots={"who": Listed, "count": Count, "solver": Named},
    compute=compute,
    method="the columns in which the gradient is known, or in which a solver's call moves (Wright 2015)",
)
