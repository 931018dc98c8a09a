"""The quantities through which the loss depends on the parameters, and what they did to the loss along the path."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from xinv_nb.facts.measures.iterates import Floats, Track
from xinv_nb.facts.measures.objective import told_of_loss
from xinv_nb.facts.measures.path import FollowedPath, Quantity
from xinv_nb.language.quantities import is_state
from xinv_nb.language.slots import Clause, Listed, Said, Word
from xinv_nb.recorded.entries import Entry
from xinv_nb.recorded.run import RecordedRun

_OF_A_SIDE = 0.1
"""Share of its side from which on a quantity is named."""


def push_unit(run: RecordedRun, entry: Entry) -> str:
    """Return the unit of a push on a parameter: that of the loss, where it has one, for each unit of the parameter.

    >>> from xinv_nb.recorded.leaves import whole_leaf
    >>> from xinv_nb.recorded.problem import Parameter
    >>> push_unit(RecordedRun(), Entry("x", "bend", "bend", Parameter("bend", "km"), whole_leaf("x", (), 0), 0))
    'per km'
    """
    told, own = told_of_loss(run), entry.parameter.unit
    of_loss = told.unit if told is not None else ""
    per = f"per {own}" if own else "per unit" if of_loss else ""
    return f"{of_loss} {per}".strip()


def pushing(run: RecordedRun, path: FollowedPath) -> Mapping[Quantity, Floats]:
    """Return the quantities through which the loss depends on the parameters, with its derivative by each.

    Of two of which one is computed from the other, the one that is nearer to the loss. Terms that the loss is written
    as a sum of stand beside what is watched: a term from which something watched is computed is left to that, and what
    contains all the terms is left to them.
    """
    watched = {q.name: (q, found) for q in path.quantities if (found := _cotangents(run, path, q)) is not None}
    slopes = run.history.slopes
    terms = {q.name: q for q in path.quantities if q.weight is not None}
    inside = {name: set(slopes[name].inside) for name in (*watched, *terms)}
    of_sum = {term.name for term in run.history.sums.terms}
    if len(of_sum & {*watched, *terms}) == len(of_sum) > 1:
        watched = {name: each for name, each in watched.items() if not of_sum <= inside[name]}
    for name, term in terms.items():
        if not inside[name] & set(watched) and np.isfinite(term.values).all():
            watched[name] = term, np.full(len(path.points), term.weight)
    outer = {name for name in watched if not any(name in inside[other] for other in watched if other != name)}
    return {quantity: cotangents for name, (quantity, cotangents) in watched.items() if name in outer}


def _cotangents(run: RecordedRun, path: FollowedPath, quantity: Quantity) -> Floats | None:
    """Return the derivative of the loss by a watched quantity along the path; None where it is not known throughout."""
    if quantity.is_loss or quantity.weight is not None:
        return None
    watch = run.watches[quantity.name]
    at = np.searchsorted(watch.evaluation, path.evaluations)
    is_there = at < len(watch.evaluation)
    if not is_there.all() or not (watch.evaluation[at] == path.evaluations).all():
        return None  # it was watched in a part of the run only
    cotangents = np.real(np.asarray(watch.cotangents[at])).astype(float)
    return cotangents if np.isfinite(cotangents).all() and cotangents.any() else None


def pushes_at(
    path: FollowedPath, quantities: Mapping[Quantity, Floats], column: int, place: int
) -> dict[Quantity, float]:
    """Return how each quantity pushes one number at a place: its part of the descent direction."""
    return pushes_between(path, quantities, column, place, place)


def pushes_between(
    path: FollowedPath, quantities: Mapping[Quantity, Floats], column: int, i: int, j: int
) -> dict[Quantity, float]:
    """Return how each quantity pushed one number on average from place i to j."""
    return {
        quantity: float(np.mean(-cotangents[i : j + 1] * path.gradient_at(quantity, i, j)[:, column]))
        for quantity, cotangents in quantities.items()
    }


def named_side(pushes: Mapping[Quantity, float], sign: float) -> tuple[Listed, float]:
    """Return the quantities that make up most of what pushes one way, the strongest first, and how strong all are.

    `sign` is 1 for up, or -1 for down.
    """
    side = {quantity: push * sign for quantity, push in pushes.items() if push * sign > 0}
    size = sum(side.values())
    ordered = sorted(side, key=lambda quantity: -side[quantity])
    return Listed(tuple(q.named for q in ordered if side[q] >= _OF_A_SIDE * size)), size


def known_near(path: FollowedPath, quantity: Quantity, place: int, share: float) -> bool:
    """Whether a quantity's gradient was read no farther from a place than a share of each number's range."""
    ranges = np.ptp(path.points, axis=0)
    apart = np.abs(path.points[quantity.places] - path.points[place])
    return bool((apart <= share * ranges).all(axis=1).any())


def way_of(track: Track, sign: float) -> Said | Word | Clause:
    """Return what the domain, or else the reader, calls one of the two ways of a parameter."""
    if track.entry.parameter.directions:
        direction = track.entry.parameter.directions[1 if sign > 0 else 0]
        return Clause("to be", {"direction": Said(direction)}) if is_state(direction) else Said(direction)
    return Word("up" if sign > 0 else "down")


def loss_through(path: FollowedPath, quantity: Quantity, cotangents: Floats, i: int, j: int) -> Floats:
    """Return what the move of each number from place i to j brought to the loss through one quantity."""
    weights = (cotangents[i + 1 : j + 1] + cotangents[i:j]) / 2
    return np.asarray(np.einsum("i,ij,ij->j", weights, path.gradient_between(quantity, i, j), path.steps[i:j]))
