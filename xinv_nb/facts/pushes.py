"""Which quantity pushed which parameter which way: the descent direction, taken apart by what it goes through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from xinv_nb.errors import XinvError
from xinv_nb.facts.analysis import shown_excerpt
from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.path import FollowedPath
from xinv_nb.facts.measures.pushing import pushing
from xinv_nb.facts.measures.recorded_path import Unknown, grouped, path_of
from xinv_nb.recorded.run import RecordedRun


@dataclass(frozen=True)
class Pushes:
    """The part of the descent direction (minus the gradient) of each parameter that comes through each quantity.

    A part is the derivative of the loss by the quantity times that of the quantity by the parameter, with a minus. Only
    quantities that do not contain one another stand side by side: of two, the one that is nearer to the loss.

    Examples
    --------
    >>> Pushes(why_not="Nothing is watched.").quantities
    ()
    """

    parameters: Sequence[str] = ()
    """The parameters, by their names in the program."""
    quantities: Sequence[str] = ()
    """The watched quantities, and the terms of the loss, through which the loss depends on them."""
    parts: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    """A row for each parameter and a column for each quantity: loss per unit of the parameter."""
    rest: Floats = field(default_factory=lambda: np.zeros(0))
    """What of the descent direction of each parameter comes through none of them."""
    iteration: int | None = None
    """The evaluation it holds for; None for the mean over the accepted evaluations of the fit."""
    why_not: str = ""
    """Why there are none; empty where there are."""


def pushes_of(run: RecordedRun, iteration: int | None = None) -> Pushes:
    """Return the pushes at an evaluation of the fit that is shown, or their mean over it: see `Run.pushes`.

    >>> pushes_of(RecordedRun()).why_not
    'There are fewer than two accepted evaluations, so nothing moved.'
    """
    part, places = shown_excerpt(run)
    first, last = places.back(0), places.back(max(part.evaluations - 1, 0))
    is_number = isinstance(iteration, (int, np.integer)) and not isinstance(iteration, bool)
    if iteration is not None and not (is_number and first <= iteration <= last):
        raise XinvError(f"run.pushes(iteration) takes one from {first} to {last}; it was given {iteration!r}.")
    with np.errstate(all="ignore"):
        path = path_of(part)
        if isinstance(path, Unknown):
            return Pushes(why_not=path.text)
        found = _pushes(part, path, None if iteration is None else places.there(int(iteration)))
        return replace(found, iteration=None if iteration is None else int(iteration))


def _pushes(run: RecordedRun, path: FollowedPath, iteration: int | None) -> Pushes:
    i, j = (0, len(path.points) - 1) if iteration is None else (path.at(iteration),) * 2
    groups = grouped(run)
    found = pushing(run, path)
    if not found:
        return Pushes(
            tuple(g.name for g in groups),
            why_not="No watched quantity leads to the loss, and no terms of a sum are found in it that have names.",
        )
    rows = [_mean(-cotangents[i : j + 1, None] * path.gradient_at(q, i, j)) for q, cotangents in found.items()]
    parts = np.array([[row[list(group.columns)].sum() for row in rows] for group in groups])
    slope = _mean(-run.history.rows(path.evaluations[i : j + 1], "gradients"))
    whole = np.array([slope[list(group.columns)].sum() for group in groups])
    names = tuple(q.name for q in found)
    return Pushes(tuple(g.name for g in groups), names, parts, whole - parts.sum(axis=1))


def _mean(rows: Floats) -> Floats:
    return np.asarray(rows[np.isfinite(rows).all(axis=1)].mean(axis=0))
