"""Which combinations of parameters are well determined where the run ended, and which hardly.

Method: eigenvalues of the Hessian of the loss with each parameter measured by its own size, as curvature in the units
that parameters happen to have says nothing; by its own effect where combinations are compared, as a parameter whose
best value is near 0 has no size (`xinv_nb.facts.measures.determination`). Directions of large curvature are stiff,
those of small curvature sloppy
(Brown and Sethna 2003; Gutenkunst et al. 2007; Transtrum, Machta and Sethna 2011); correlations are those of its
inverse (Bates and Watts 1988). The Hessian comes from second derivatives of the user's objective, or else from the
recorded path (`xinv_nb.facts.measures.curvature`).

Curvature is local. A parameter that it calls determined may have another value that fits as well, and one that it calls
sloppy may be bounded farther away: profile likelihoods decide (Raue et al. 2009), and Wieland et al. (2021) warn
against reading more into curvature alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.combinations import LITTLE, TRACE, Combination, combination, simplest
from xinv_nb.facts.measures.curvature import MOST_DIRECTIONS, Path
from xinv_nb.facts.measures.determination import Determination
from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.kinks import has_few_slopes
from xinv_nb.facts.measures.names import named
from xinv_nb.language.slots import Clause, Count, Iteration, LossValue, Named, Slot, Value, Word
from xinv_nb.recorded.curvature import Curvature
from xinv_nb.recorded.entries import Entry
from xinv_nb.recorded.run import RecordedRun

_WIDEST = 50
"""Parameters up to which the path is asked."""
_SLOPPY = 1e-3
"""Curvature, as a share of the largest, below which a combination is weakly determined."""
_VERY_SLOPPY = 1e-6
_NOTHING = 1e-9
"""The same below which the curvature is rounding."""
_ALONE = 0.1
"""Collinearity of a combination from which it is little only because its parameters are, each by itself."""
_MOST_PAIRS = 3
_CORRELATED = 0.95
_ILL = 10.0
"""Condition number up to which all combinations are about equally well determined."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield what the curvature at the end tells, by second derivatives if they were taken, else by the path.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> with xi.record() as run:
    ...     x = 3.0
    ...     for _ in range(5):
    ...         x = x - 0.2 * grad(lambda x: x**2)(x)
    >>> run.identify(lambda x: x**2)[0].text
    'Where x rises or falls by 0.261, the loss changes by about 0.271 (by its second derivatives at iteration 4).'
    """
    run, curvature = evidence.run, evidence.run.curvature
    names = _names(run)
    is_held = len(names) > 1 and bool(evidence.held_at_end.any())
    if is_held and (curvature is not None or _is_one_path(evidence)):
        at, salience = (evidence.last, 0.2) if curvature is None else (curvature.evaluation, 0.5)
        yield KIND.fact("held", (at, at), salience, {}, data={"how": "held"})
    if curvature is not None and not is_held:
        yield from _from_derivatives(curvature, names)
    elif curvature is None and _is_one_path(evidence) and 1 < run.history.width == len(names) <= _WIDEST:
        yield from _from_path(evidence, names)


def _is_one_path(evidence: Evidence) -> bool:
    """Whether the steps and the gradients are those of one real, smooth function of the parameters alone."""
    run = evidence.run
    is_told = run.status == "finished" and len(evidence.iterates) > 0
    late = None if evidence.ways is None else evidence.ways[np.arange(len(evidence.ways) // 2, len(evidence.ways))]
    if late is not None and has_few_slopes(late):
        return False
    return is_told and evidence.players is None and run.history.is_real and run.has_gradients


def _names(run: RecordedRun) -> dict[int, Entry]:
    return {entry.column: entry for entry in run.entries() if entry.column is not None}


# ---------------------------------------------------------------------- from second derivatives


@dataclass(frozen=True)
class _View:
    """A curvature with what is told beside it: where it comes from, and the errors of its values."""

    curvature: Curvature
    names: dict[int, Entry]
    source: Clause
    span: tuple[int, int]
    errors: Floats
    """Standard errors of the curvatures; 0 where they are exact."""

    @property
    def is_exact(self) -> bool:
        return not self.errors.any()

    def fact(self, form: str, salience: float, slots: dict[str, Slot], **data: Any) -> Fact:
        """Return a fact of this curvature."""
        known = {"source": self.curvature.method, **data}
        return KIND.fact(form, self.span, salience, {"source": self.source, **slots}, data=known)


def _from_derivatives(curvature: Curvature, names: dict[int, Entry]) -> Iterator[Fact]:
    row = curvature.evaluation
    form = "by its second derivatives" if curvature.method == "second derivatives" else "by a method"
    source = Clause(form, {"method": Word(curvature.method), "iteration": Iteration(row)})
    yield from _directions(_View(curvature, names, source, (row, row), np.zeros(len(curvature.values))))


def _directions(view: _View) -> Iterator[Fact]:
    """Tell of the combinations that are hardly and best determined, the condition number, and correlations."""
    values, vectors, scale, names = view.curvature.values, view.curvature.vectors, view.curvature.scale, view.names
    top, errors = float(values[-1]), view.errors
    if not np.any(np.abs(values) > 0):
        yield view.fact("no curvature", 0.9, {}, how="flat")
        return
    if view.is_exact and values[0] < -_VERY_SLOPPY * abs(values).max():
        move = combination(vectors[:, 0], scale)
        told = {"moves": move.told(names), "curvature": float(values[0])}
        yield view.fact("down", 0.85, {"move": move.as_clause(names)}, how="down", **told)
    if top <= 0:
        return
    best = combination(vectors[:, -1], scale)
    best_change = _change(view.curvature, best)
    if len(scale) == 1:
        size = Value(float(abs(best.moves[0])), names[0].parameter.unit)
        slots: dict[str, Slot] = {"parameter": named(names[0]), "size": size, "change": LossValue(best_change)}
        yield view.fact("one", 0.4, slots, how="one", moves=best.told(names))
        return
    flat = np.abs(values) + 3 * errors <= _NOTHING * top
    told_flat = 0
    for vector in simplest(vectors[:, flat]).T[:MOST_DIRECTIONS] if flat.any() else ():
        move = combination(vector, scale, TRACE)
        if _slope_part(view.curvature, move) <= _SLOPPY * best_change:
            told_flat += 1
            moves = {"moves": move.told(names), "curvature": 0.0}
            yield view.fact("flat", 0.95, {"move": move.as_clause(names)}, how="flat", **moves)
    sloppy = (
        ~flat & (values >= -np.maximum(3 * errors, _VERY_SLOPPY * top)) & (np.abs(values) + 3 * errors < _SLOPPY * top)
    )
    together = Determination(view.curvature) if view.curvature.is_complete else None
    for k in np.flatnonzero(sloppy)[: MOST_DIRECTIONS - told_flat]:
        if together is not None and together.collinearity(vectors[:, k]) > _ALONE:
            continue
        move = combination(vectors[:, k], scale, LITTLE)
        change = _change(view.curvature, move, float(errors[k]))
        if change > 10 * _SLOPPY * best_change:
            continue  # the end is no minimum along it
        hardly = values[k] + 3 * errors[k] < _VERY_SLOPPY * top
        slots = _compared(names, move, change, best, best_change)
        slots["about"] = Word("at most" if errors[k] else "about")
        data = _told(names, move, best, best_change, float(values[k]))
        yield view.fact("hardly" if hardly else "weakly", 0.9 if hardly else 0.75, slots, how="sloppy", **data)
    is_least = 3 * errors[0] < values[0] < top / _ILL and not told_flat and not sloppy.any()
    if is_least and together is not None and together.collinearity(vectors[:, 0]) <= _ALONE:
        move = combination(vectors[:, 0], scale, LITTLE)
        change = _change(view.curvature, move)
        if change < best_change:
            slots = _compared(names, move, change, best, best_change)
            yield view.fact("least", 0.5, slots, how="least", **_told(names, move, best, best_change, float(values[0])))
    yield from _spread(view)
    if view.is_exact and view.curvature.is_complete:
        yield from _correlations(view)


def _compared(
    names: dict[int, Entry], move: Combination, change: float, best: Combination, best_change: float
) -> dict[str, Slot]:
    slots: dict[str, Slot] = {"move": move.as_clause(names), "change": LossValue(change)}
    return slots | {"best": best.as_clause(names), "best_change": LossValue(best_change)}


def _told(
    names: dict[int, Entry], move: Combination, best: Combination, best_change: float, curvature: float
) -> dict[str, Any]:
    moves = {"moves": move.told(names), "best": best.told(names)}
    return moves | {"best change": best_change, "curvature": curvature}


def _change(curvature: Curvature, move: Combination, error: float = 0.0) -> float:
    """Return how much the loss changes at most by a move to either side, to second order."""
    along = curvature.vectors.T @ move.step
    bend = float(np.abs(curvature.values @ along**2)) + 3 * error * float(along @ along)
    return _slope_part(curvature, move) + bend / 2


def _slope_part(curvature: Curvature, move: Combination) -> float:
    return abs(float(curvature.slope @ move.step))


def _spread(view: _View) -> Iterator[Fact]:
    """Tell the condition number, where it is one."""
    values = view.curvature.values
    known = values > np.maximum(3 * view.errors, _NOTHING * values[-1])
    if not known.all() or len(known) < 2:
        return
    if not view.curvature.is_complete:
        condition = float(values[-1] / values[0])
    elif not np.isfinite(condition := Determination(view.curvature).condition):
        return
    slots: dict[str, Slot] = {"condition": Value(condition)}
    if condition <= _ILL and view.curvature.is_complete:
        yield view.fact("well", 0.5, slots, how="well")
        return
    form = "spread" if view.curvature.is_complete else "spread, of some"
    form += "" if view.is_exact else ", about"
    yield view.fact(form, 0.6 if condition > 1 / _SLOPPY else 0.45, slots, how="spread")


def _correlations(view: _View) -> Iterator[Fact]:
    """Tell which parameters can make up for each other."""
    values, vectors, names = view.curvature.values, view.curvature.vectors, view.names
    if values[0] <= _NOTHING * values[-1]:
        return
    covariance = (vectors / values) @ vectors.T
    spread = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(spread, spread)
    pairs = np.argwhere(np.triu(np.abs(correlation), 1) > _CORRELATED)
    for i, j in sorted(pairs.tolist(), key=lambda ij: -abs(correlation[ij[0], ij[1]]))[:_MOST_PAIRS]:
        if i not in names or j not in names:
            continue
        one, two, size = named(names[i]), named(names[j]), float(correlation[i, j])
        # It begins a sentence as a word, whosever name it is.
        slots: dict[str, Slot] = {"one": Named(one.name, one.label), "other": two}
        slots["correlation"] = Value(size, digits=_digits(size))
        form = "correlated, together" if size > 0 else "correlated, against each other"
        yield view.fact(form, 0.65, slots, how="correlation", parameters=(one.name, two.name))


def _digits(correlation: float) -> int:
    """Return how many digits a correlation takes that may not be rounded to one.

    >>> _digits(-0.99998), _digits(0.97)
    (5, 2)
    """
    return next((digits for digits in range(2, 12) if abs(round(correlation, digits)) < 1), 12)


# ---------------------------------------------------------------------- from the path


def _from_path(evidence: Evidence, names: dict[int, Entry]) -> Iterator[Fact]:
    path = Path(evidence.run, evidence.iterates)
    if not path.is_usable:
        return
    for move, explored in path.never_asked():
        if evidence.held_at_end[move.columns].any():
            continue
        slots: dict[str, Slot] = {"move": move.as_clause(names)}
        data = {"source": "path", "how": "flat" if explored else "never asked", "moves": move.told(names)}
        form, salience = ("flat, by the path", 0.9) if explored else ("never asked", 0.5)
        yield KIND.fact(form, (0, evidence.last), salience, slots, data=data)
    if not evidence.held_at_end.any() and (found := path.estimate()):
        curvature = found.curvature
        slots = {"first": Iteration(found.first), "last": Iteration(curvature.evaluation)}
        if not curvature.is_complete:
            slots |= {"explored": Count(len(curvature.values)), "directions": Count(len(curvature.scale))}
        source, span = Clause("estimated from steps", slots), (found.first, curvature.evaluation)
        yield from _directions(_View(curvature, names, source, span, found.errors))


KIND = Kind(
    name="identifiability",
    question=Question.DETERMINATION,
    rank=55,
    slots={
        "source": Clause,
        "move": Clause,
        "best": Clause,
        "change": Value,
        "best_change": Value,
        "about": Word,
        "parameter": Named,
        "one": Named,
        "other": Named,
        "size": Value,
        "condition": Value,
        "correlation": Value,
    },
    compute=compute,
    method="eigenvalues of the scaled Hessian (Gutenkunst et al. 2007; Transtrum et al. 2011), or secant pairs",
)
