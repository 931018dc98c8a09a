"""The quantities through which the loss depends on the parameters, and what they did to the loss along the path."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.path import FollowedPath, Quantity
from xinv_nb.recorded.run import RecordedRun


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


def loss_through(path: FollowedPath, quantity: Quantity, cotangents: Floats) -> Floats:
    """Return what the move of each number brought to the loss through one quantity, over the whole path."""
    last = len(path.points) - 1
    weights = (cotangents[1:] + cotangents[:-1]) / 2
    return np.asarray(np.einsum("i,ij,ij->j", weights, path.gradient_between(quantity, 0, last), path.steps))
