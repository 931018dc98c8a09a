"""What the move of each parameter brought to the loss, by the quantities that add up to it, as a table.

Where reasons (`facts.reasons`) are in each quantity's own unit, shares are in that of the loss: of a quantity that
stands in the loss with a constant factor, the factor times what was brought to it. So rows and columns have sums.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from xinv_nb.errors import XinvError
from xinv_nb.facts.analysis import shown_excerpt
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.path import FollowedPath, Quantity
from xinv_nb.facts.measures.pushing import pushing
from xinv_nb.facts.measures.recorded_path import Group, Unknown, grouped, loss_among_quantities, path_of
from xinv_nb.facts.reasons import Reasons
from xinv_nb.facts.subdivided import reasons_without_evaluating
from xinv_nb.recorded.run import RecordedRun

_CONSTANT = 1e-9
"""Share by which the factor of a quantity in the loss may differ between evaluations."""
_UNEXPLAINED = 0.02
"""Share of the strongest push on a parameter that may come through no quantity, and not be told."""
_CANDIDATES = 400
"""Evaluations at which pushes are looked at, besides those in which the derivatives were read."""

_NO_MINIMIZATION = "The steps are not those of one minimization, so that no move can be said to have paid off."
_NO_LOSS = "The gradient of the loss is not known throughout, so its change cannot be divided among the parameters."
_NOTHING_MOVED = "No parameter moved between these iterations."


@dataclass(frozen=True)
class Split:
    """The change of the loss over a stretch, divided among parameters and quantities, in the unit of the loss."""

    span: tuple[int, int]
    parts: Floats
    """A row for each parameter, a column for each quantity that adds up to the loss."""
    together: Floats
    """Of each parameter, what its move brought to the loss, through whatever."""
    changes: Floats
    """Of each quantity, its real change times its factor in the loss."""
    change: float
    """The real change of the loss."""
    doubt: float
    """By how much about a part may be wrong."""
    why_not: str = ""
    """Why the parts are not to be relied on; empty where they are."""


@dataclass(frozen=True)
class PushesAlong:
    """The descent direction taken apart, at some evaluations of a fit."""

    evaluations: Sequence[int]
    parts: Floats
    """By evaluation, parameter and quantity."""
    together: Floats
    """By evaluation and parameter, the descent direction itself."""
    is_whole: bool
    """Whether no more than a trifle of it comes through none of the quantities."""

    def thinned(self, most: int) -> PushesAlong:
        """Return the same at no more than so many evaluations, the first and the last among them."""
        kept = np.unique(
            np.linspace(0, len(self.evaluations) - 1, min(most, len(self.evaluations))).round().astype(int)
        )
        evaluations = [self.evaluations[place] for place in kept]
        return PushesAlong(evaluations, self.parts[kept], self.together[kept], self.is_whole)


@dataclass(frozen=True)
class Shares:
    """The shares of a fit: see the module."""

    parameters: Sequence[str] = ()
    quantities: Sequence[Quantity] = ()
    """Through which the loss depends on the parameters; those that add up to it come first."""
    factors: Sequence[float] = ()
    """The factors of those that add up to the loss."""
    pushes: PushesAlong | None = None
    why_not: str = ""
    _reasons: Reasons = field(default_factory=Reasons, repr=False)
    _loss: str = ""

    @property
    def span(self) -> tuple[int, int]:
        """The first and the last evaluation of the fit."""
        return self._reasons.span

    def over(self, first: int, last: int) -> Split:
        """Return the shares of a stretch; what cannot be told of it, it says by its `why_not`.

        >>> import xinv_nb as xi
        >>> from autograd import grad
        >>> def cost(x):
        ...     return xi.watch(x**2, "misfit", "m²") + 2 * xi.watch(3 * x, "way", "m")
        >>> with xi.record() as run:
        ...     slopes = [grad(cost)(x) for x in (4.0, 3.0, 2.0)]
        >>> split = shares_of(run).over(0, 2)
        >>> split.parts.round(6).tolist(), split.changes.tolist(), split.change
        ([[-12.0, -12.0]], [-12.0, -12.0], -24.0)
        """
        try:
            found = self._reasons if (first, last) == self.span else self._reasons.over(first, last)
        except XinvError:
            start, end = self.span
            return self._nothing((first, last), f"Reasons are known from {start} to {end}, of the fit that is told of.")
        places = {name: place for place, name in enumerate(found.quantities)}
        names = [quantity.name for quantity in self.quantities[: len(self.factors)]]
        missing = [name for name in (*names, self._loss) if name not in places]
        if missing:
            return self._nothing(found.span, f"The value of {missing[0]} is not known at both ends.")
        columns, loss = [places[name] for name in names], places[self._loss]
        factors = np.array(self.factors)
        doubts = [*(found.doubts[:, columns] * np.abs(factors)).ravel(), *found.doubts[:, loss]]
        is_told = all(found.is_told[place] for place in (*columns, loss))
        why_not = "" if is_told else found.why_not
        if not found.parts[:, [*columns, loss]].any():
            why_not = _NOTHING_MOVED
        return Split(
            found.span,
            found.parts[:, columns] * factors,
            found.parts[:, loss],
            found.changes[columns] * factors,
            float(found.changes[loss]),
            max(map(float, doubts), default=0.0),
            why_not,
        )

    def _nothing(self, span: tuple[int, int], why_not: str) -> Split:
        shape = len(self.parameters), len(self.factors)
        return Split(span, np.zeros(shape), np.zeros(shape[0]), np.zeros(shape[1]), 0.0, 0.0, why_not)


def shares_of(run: RecordedRun) -> Shares:
    """Return the shares of the fit that is shown, from what was recorded; nothing is evaluated for it.

    >>> shares_of(RecordedRun()).why_not
    'There are fewer than two accepted evaluations, so nothing moved.'
    """
    with np.errstate(all="ignore"):
        part, places = shown_excerpt(run)
        path, reasons = path_of(part), reasons_without_evaluating(run)
        if isinstance(path, Unknown):
            return Shares(why_not=path.text)
        evidence = Evidence(part, ())
        if not evidence.is_minimized:
            return Shares(why_not=_NO_MINIMIZATION)
        loss = loss_among_quantities(part)[0]
        if loss not in reasons.quantities:
            return Shares(why_not=_NO_LOSS)
        found = pushing(part, path)
        factors = {q: float(c[0]) for q, c in found.items() if np.ptp(c) <= _CONSTANT * np.abs(c).max()}
        known = {q: factor for q, factor in factors.items() if q.name in reasons.quantities}
        quantities = (*known, *(q for q in found if q not in known))
        groups = grouped(part)
        pushes = None if evidence.is_maximized else _pushes(part, path, {q: found[q] for q in quantities}, groups)
        if pushes is not None:
            evaluations = [places.back(evaluation) for evaluation in pushes.evaluations]
            pushes = PushesAlong(evaluations, pushes.parts, pushes.together, pushes.is_whole)
        names = tuple(group.name for group in groups)
        return Shares(names, quantities, tuple(known.values()), pushes, "", reasons, loss)


def _pushes(
    run: RecordedRun, path: FollowedPath, found: Mapping[Quantity, Floats], groups: Sequence[Group]
) -> PushesAlong | None:
    """Return the pushes where they are read, and between where they are known as well; a row of an array has none."""
    if not found:
        return None
    count = len(path.points)
    read = sorted({int(place) for quantity in found for place in quantity.places})
    evenly = np.linspace(0, count - 1, min(count, _CANDIDATES)).round().astype(int)
    places = np.unique(np.concatenate([read, evenly]).astype(np.intp))
    columns = [list(group.columns) for group in groups]

    def of_groups(rows: Floats) -> Floats:
        one_each = [rows[:, own].sum(axis=1) if len(own) == 1 else np.full(len(rows), np.nan) for own in columns]
        return np.stack(one_each, axis=1)

    slopes = [-c[places, None] * path.gradient_along(q, places.astype(float)) for q, c in found.items()]
    parts = np.stack([of_groups(rows) for rows in slopes], axis=2)
    together = of_groups(-run.history.rows(path.evaluations[places], "gradients"))
    strongest = np.abs(parts).max(axis=2)
    is_known = np.abs(together - parts.sum(axis=2)) <= _UNEXPLAINED * strongest + 1e-12 * np.nanmax(
        strongest, initial=0
    )
    is_known |= np.isnan(together)  # of arrays nothing is told, and of what is no number neither
    is_whole = bool(is_known[np.isin(places, read)].all())
    # Between two readings a rest would be an error as well as something that is not watched.
    kept = np.isin(places, read) | (is_known.all(axis=1) & is_whole)
    evaluations = [int(evaluation) for evaluation in path.evaluations[places[kept]]]
    return PushesAlong(evaluations, parts[kept], together[kept], is_whole)
