"""Which combinations of parameters are well determined where the run ended, and which hardly.

Method: eigenvalues of the Hessian of the loss with each parameter measured by its own size, as curvature in the units
that parameters happen to have says nothing. Directions of large curvature are stiff, those of small curvature sloppy
(Brown and Sethna 2003; Gutenkunst et al. 2007; Transtrum, Machta and Sethna 2011); correlations are those of its
inverse (Bates and Watts 1988). The Hessian comes from second derivatives of the user's objective, or else from the
recorded path: the symmetric matrix that best explains the change of the gradient over each accepted step (secant pairs,
as in Barzilai and Borwein 1988), in the directions that the steps explored, and the combinations that no recorded
gradient ever pointed along (active subspaces, Constantine, Dow and Wang 2014).

Curvature is local. A parameter that it calls determined may have another value that fits as well, and one that it calls
sloppy may be bounded farther away: profile likelihoods decide (Raue et al. 2009), and Wieland et al. (2021) warn
against reading more into curvature alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kinds.movement import name_of
from xinv_nb.facts.measures.combinations import LITTLE, TRACE, Combination, combination, simplest
from xinv_nb.facts.measures.iterates import Floats, Iterates
from xinv_nb.facts.measures.secants import explored_by, fit
from xinv_nb.language.quantities import number, pair, quantity, sentence_start
from xinv_nb.recorded.entries import Entry
from xinv_nb.recorded.run import Curvature, RecordedRun

_WIDEST = 50
"""Parameters up to which the path is asked."""
_SLOPPY = 1e-3
"""Curvature, as a share of the largest, below which a combination is weakly determined."""
_VERY_SLOPPY = 1e-6
_NOTHING = 1e-9
"""The same below which the curvature is rounding."""
_MOST_DIRECTIONS = 3
_MOST_PAIRS = 3
_CORRELATED = 0.95
_ILL = 10.0
"""Condition number up to which all combinations are about equally well determined."""
_NEVER = 1e-6
"""Share of a gradient along a direction up to which it does not point there."""
_LATEST = 2000
"""Steps that are read from a path."""
_NEARLY = 0.01
"""Sine of the angle up to which a direction lies in what the steps explored."""
_NEAR_END = (0.1, 1e-3, 1e-5)
"""Shares of the fall of the loss that lie ahead of a step that is near the end: the nearer, the more the curvature
there is one and the same, and the fewer the steps."""


def identifiability(run: RecordedRun, iterates: Iterates) -> Iterator[Fact]:
    """Yield what the curvature at the end tells, by second derivatives if they were taken, else by the path."""
    curvature = run.curvature
    names = _names(run)
    if curvature is not None:
        yield from _from_derivatives(run, curvature, names)
    elif run.status == "finished" and 1 < run.history.width <= _WIDEST and len(names) == run.history.width:
        yield from _from_path(run, iterates, names)


def sizes(run: RecordedRun, iterates: Iterates) -> Floats:
    """Return the size of each parameter: its value at the end or the range it moved through, whichever is larger."""
    values = np.abs(run.history.rows(iterates.rows[-1:])[0])
    found = np.maximum(values, np.ptp(np.real(run.history.rows(iterates.rows)), axis=0))
    return np.asarray(np.where((found > 0) & np.isfinite(found), found, 1.0), dtype=np.float64)


def _names(run: RecordedRun) -> dict[int, Entry]:
    return {entry.column: entry for entry in run.entries() if entry.column is not None}


# ---------------------------------------------------------------------- from second derivatives


def _from_derivatives(run: RecordedRun, curvature: Curvature, names: dict[int, Entry]) -> Iterator[Fact]:
    row = curvature.evaluation
    source = f"by its {curvature.method} at iteration {row}"
    if curvature.method != "second derivatives":
        source = f"by {curvature.method} at iteration {row}"
    yield from _directions(curvature, names, source, (row, row), np.zeros(len(curvature.values)))
    recorded = float(run.loss[row])
    if abs(curvature.loss - recorded) > 1e-6 * max(abs(recorded), abs(curvature.loss)):
        one, two = pair(curvature.loss, recorded)
        text = (
            f"The objective that was given to identify is {one} at iteration {row}, where the recorded loss is {two}."
        )
        values = {"source": curvature.method, "how": "other objective", "objective": curvature.loss, "loss": recorded}
        yield Fact("", "identifiability", text, values, (row, row), (), 0.6)


def _directions(
    curvature: Curvature, names: dict[int, Entry], source: str, span: tuple[int, int], errors: Floats
) -> Iterator[Fact]:
    """Tell of the combinations that are hardly and best determined, the condition number, and correlations.

    `errors` are the standard errors of the curvatures.
    """
    values, vectors, scale = curvature.values, curvature.vectors, curvature.scale
    top = float(values[-1])
    exact = not errors.any()
    base: dict[str, Any] = {"source": curvature.method}

    def fact(text: str, found: dict[str, Any], salience: float) -> Fact:
        return Fact("", "identifiability", f"{text} ({source}).", base | found, span, (), salience)

    if not np.any(np.abs(values) > 0):
        yield fact("No parameter is determined: the loss has no curvature", {"how": "flat"}, 0.9)
        return
    if exact and values[0] < -_VERY_SLOPPY * abs(values).max():
        move = combination(vectors[:, 0], scale)
        text = f"Here the loss has no minimum: it curves down where {move.words(names)}"
        yield fact(text, {"how": "down", "moves": move.told(names), "curvature": float(values[0])}, 0.85)
    if top <= 0:
        return
    best = combination(vectors[:, -1], scale)
    best_change = _change(curvature, best)
    if len(scale) == 1:
        entry, size = names[0], quantity(float(abs(best.moves[0])), names[0].parameter.unit)
        text = f"Where {name_of(entry)} rises or falls by {size}, the loss changes by about {number(best_change)}"
        yield fact(text, {"how": "one", "moves": best.told(names), "change": best_change}, 0.4)
        return
    flat = np.abs(values) + 3 * errors <= _NOTHING * top
    told, found = 0, dict[str, Any]()
    for vector in simplest(vectors[:, flat]).T[:_MOST_DIRECTIONS] if flat.any() else ():
        move = combination(vector, scale, TRACE)
        if _slope_part(curvature, move) <= _SLOPPY * best_change:
            told += 1
            text = f"Not determined: where {move.words(names)}, the loss does not change"
            yield fact(text, {"how": "flat", "moves": move.told(names), "curvature": 0.0}, 0.95)
    sloppy = (
        ~flat & (values >= -np.maximum(3 * errors, _VERY_SLOPPY * top)) & (np.abs(values) + 3 * errors < _SLOPPY * top)
    )
    for k in np.flatnonzero(sloppy)[: _MOST_DIRECTIONS - told]:
        move = combination(vectors[:, k], scale, LITTLE)
        change = _change(curvature, move, float(errors[k]))
        if change > 10 * _SLOPPY * best_change:
            continue  # the end is no minimum along it
        grade = "Hardly" if values[k] + 3 * errors[k] < _VERY_SLOPPY * top else "Weakly"
        text = f"{grade} determined: where {move.words(names)}, the loss changes by {_at_most(errors[k])}"
        text += f"{number(change)} only; where {best.words(names)}, by {number(best_change)}"
        found = {"how": "sloppy", "moves": move.told(names), "best": best.told(names)}
        found |= {"change": change, "best change": best_change, "curvature": float(values[k])}
        yield fact(text, found, 0.9 if grade == "Hardly" else 0.75)
    if not told and not sloppy.any() and 3 * errors[0] < values[0] < top / _ILL:
        move = combination(vectors[:, 0], scale, LITTLE)
        change = _change(curvature, move)
        text = f"Least determined: where {move.words(names)}, the loss changes by about {number(change)}; "
        text += f"where {best.words(names)}, by about {number(best_change)}"
        found = {"how": "least", "moves": move.told(names), "best": best.told(names)}
        found |= {"change": change, "best change": best_change, "curvature": float(values[0])}
        if change < best_change:
            yield fact(text, found, 0.5)
    yield from _spread(curvature, errors, fact)
    if exact and curvature.is_complete:
        yield from _correlations(curvature, names, fact)


def _at_most(error: float) -> str:
    return "at most " if error else "about "


def _change(curvature: Curvature, move: Combination, error: float = 0.0) -> float:
    """Return how much the loss changes at most by a move to either side, to second order."""
    along = curvature.vectors.T @ move.step
    bend = float(np.abs(curvature.values @ along**2)) + 3 * error * float(along @ along)
    return _slope_part(curvature, move) + bend / 2


def _slope_part(curvature: Curvature, move: Combination) -> float:
    return abs(float(curvature.slope @ move.step))


def _spread(curvature: Curvature, errors: Floats, fact: Callable[[str, dict[str, Any], float], Fact]) -> Iterator[Fact]:
    """Tell the condition number, where it is one."""
    known = curvature.values > np.maximum(3 * errors, _NOTHING * curvature.values[-1])
    if not known.all() or len(known) < 2:
        return
    condition = float(curvature.values[-1] / curvature.values[0])
    if condition <= _ILL and curvature.is_complete:
        text = (
            "All combinations of the parameters are about equally well determined: with each measured by its own size"
        )
        text += f" the curvatures differ by a factor of {number(condition)} at most"
        yield fact(text, {"how": "well", "condition": condition}, 0.5)
        return
    which = "" if curvature.is_complete else " of those looked at"
    text = f"Between the best and the worst determined combination{which} the curvature differs by a factor of "
    text += f"{'about ' if errors.any() else ''}{number(condition)}, with each parameter measured by its own size"
    yield fact(text, {"how": "spread", "condition": condition}, 0.6 if condition > 1 / _SLOPPY else 0.45)


def _correlations(
    curvature: Curvature, names: dict[int, Entry], fact: Callable[[str, dict[str, Any], float], Fact]
) -> Iterator[Fact]:
    """Tell which parameters can make up for each other."""
    values, vectors = curvature.values, curvature.vectors
    if values[0] <= _NOTHING * values[-1]:
        return
    covariance = (vectors / values) @ vectors.T
    spread = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(spread, spread)
    pairs = np.argwhere(np.triu(np.abs(correlation), 1) > _CORRELATED)
    for i, j in sorted(pairs.tolist(), key=lambda ij: -abs(correlation[ij[0], ij[1]]))[:_MOST_PAIRS]:
        if i not in names or j not in names:
            continue
        one, two = names[i], names[j]
        size = float(correlation[i, j])
        how = "together" if size > 0 else "against each other"
        text = f"{sentence_start(name_of(one))} and {name_of(two)} can make up for each other when they move {how}: "
        text += f"their correlation is {_correlation(size)}"
        found = {"how": "correlation", "parameters": (one.name, two.name), "correlation": size}
        yield fact(text, found, 0.65)


def _correlation(size: float) -> str:
    """Write a correlation that never rounds to one.

    >>> _correlation(-0.99998), _correlation(0.97)
    ('−0.99998', '0.97')
    """
    for digits in range(2, 12):
        if abs(round(size, digits)) < 1:
            return f"{round(size, digits):.{digits}f}".replace("-", "−")
    return number(size)


# ---------------------------------------------------------------------- from the path


def _from_path(run: RecordedRun, iterates: Iterates, names: dict[int, Entry]) -> Iterator[Fact]:
    values = run.history.rows(iterates.rows)
    slopes = run.history.rows(iterates.rows, "gradients")
    if values.dtype.kind == "c" or not np.isfinite(values).all() or not np.isfinite(slopes).all():
        return
    scale = sizes(run, iterates)
    values, slopes = values / scale, slopes * scale
    yield from _never_asked(run, values, slopes, names, scale)
    yield from _from_secants(run, iterates, values, slopes, names, scale)


def _never_asked(
    run: RecordedRun, values: Floats, slopes: Floats, names: dict[int, Entry], scale: Floats
) -> Iterator[Fact]:
    """Tell of combinations along which the gradient was zero at all recorded points."""
    lengths = np.linalg.norm(slopes, axis=1)
    pulls = slopes[lengths > 1e-6 * lengths.max()]
    pulls = pulls / np.linalg.norm(pulls, axis=1)[:, None]
    width, last = len(scale), run.evaluations - 1
    if len(pulls) < 2 * width:
        return
    shares, vectors = np.linalg.eigh(pulls.T @ pulls / len(pulls))
    alone = vectors[:, shares < 1e-13]
    if not 0 < alone.shape[1] < width or np.abs(pulls @ alone).max() > _NEVER:
        return
    explored = explored_by(np.diff(values, axis=0))
    for vector in simplest(alone).T[:_MOST_DIRECTIONS]:
        move = combination(vector, scale, TRACE)
        if len(move.columns) < 2:
            continue  # one parameter without a gradient is told as such
        found = {"source": "path", "how": "never asked", "moves": move.told(names)}
        if np.linalg.norm(vector - explored @ (explored.T @ vector)) < _NEARLY:
            text = f"Not determined, as far as the path shows: where {move.words(names)}, the loss does not change. "
            text += "The steps of the run explored that way, and no gradient ever pointed along it."
            yield Fact("", "identifiability", text, found | {"how": "flat"}, (0, last), (), 0.9)
        else:
            text = f"The run does not show whether the loss depends on one combination: where {move.words(names)}. "
            text += "Neither a step nor a gradient went that way; run.identify(objective) can tell."
            yield Fact("", "identifiability", text, found, (0, last), (), 0.5)


def _from_secants(
    run: RecordedRun, iterates: Iterates, values: Floats, slopes: Floats, names: dict[int, Entry], scale: Floats
) -> Iterator[Fact]:
    """Tell what the change of the gradient over the steps near the end says of the curvature."""
    loss = run.loss[iterates.rows]
    if not np.isfinite(loss).all():
        return
    ahead = (loss[:-1] - loss.min()) / float(loss[0] - loss.min())
    steps, changes = np.diff(values, axis=0), np.diff(slopes, axis=0)
    lengths = np.linalg.norm(steps, axis=1)
    for limit in _NEAR_END:
        near = np.flatnonzero((ahead <= limit) & (lengths > 1e-9))[-_LATEST:]
        if len(near) < 3 * len(scale):
            return
        explored = explored_by(steps[near])
        fitted = fit(*(rows[near] / lengths[near, None] @ explored for rows in (steps, changes)))
        if fitted is not None:
            break
    else:
        return
    curvatures, vectors, errors = fitted
    end = int(iterates.rows[-1])
    curvature = Curvature(end, float(loss[-1]), scale, slopes[-1], curvatures, np.asarray(explored @ vectors), "path")
    first = int(iterates.rows[near[0]])
    source = f"estimated from the steps between iterations {first} and {end}"
    if explored.shape[1] < len(scale):
        source += f", which explored {explored.shape[1]} of {len(scale)} directions"
    yield from _directions(curvature, names, source, (first, end), errors)
