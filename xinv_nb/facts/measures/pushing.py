"""The quantities through which the loss depends on the parameters, and what they did to the loss along the path."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.path import FollowedPath, Quantity
from xinv_nb.recorded.run import RecordedRun


def pushing(run: RecordedRun, path: FollowedPath) -> Mapping[Quantity, Floats]:
    """Return the quantities through which the loss depends on the parameters, with its derivative by each.

    Of two of which one is computed from the other, the one that is nearer to the loss.
    """
    found = {}
    watches, slopes = run.watches, run.history.slopes
    for quantity in path.quantities:
        if quantity.is_loss:
            continue
        watch = watches[quantity.name]
        at = np.searchsorted(watch.evaluation, path.evaluations)
        is_there = at < len(watch.evaluation)
        if not is_there.all() or not (watch.evaluation[at] == path.evaluations).all():
            continue  # it was watched in a part of the run only
        cotangents = np.real(np.asarray(watch.cotangents[at])).astype(float)
        if np.isfinite(cotangents).all() and cotangents.any():
            found[quantity.name] = quantity, cotangents
    outer = {name for name in found if not any(name in slopes[other].inside for other in found if other != name)}
    return {quantity: cotangents for name, (quantity, cotangents) in found.items() if name in outer}


def loss_through(path: FollowedPath, quantity: Quantity, cotangents: Floats, i: int, j: int) -> Floats:
    """Return what the move of each number from place i to j brought to the loss through one quantity."""
    weights = (cotangents[i + 1 : j + 1] + cotangents[i:j]) / 2
    return np.asarray(np.einsum("i,ij,ij->j", weights, path.gradient_between(quantity, i, j), path.steps[i:j]))
