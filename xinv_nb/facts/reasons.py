"""What the move of each parameter brought to each quantity, in the quantity's unit, adding up to its real change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from xinv_nb.errors import XinvError
from xinv_nb.facts.analysis import shown_excerpt
from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.path import MOST_LEFT_OVER, FollowedPath, Quantity, left_over
from xinv_nb.facts.measures.recorded_path import Group, Unknown, grouped, path_of
from xinv_nb.recorded.excerpt import Places
from xinv_nb.recorded.run import RecordedRun


def _nothing() -> Floats:
    return np.zeros((0, 0))


@dataclass(frozen=True)
class Reasons:
    """What the move of each parameter brought to each quantity along the path of the optimizer.

    Each part is the path integral of the quantity's derivative by one parameter, so that the parts of a quantity add up
    to its change (Aumann and Shapley 1974; Lan et al., NeurIPS 2019).

    Examples
    --------
    >>> Reasons(why_not="Nothing moved.").parameters
    ()
    """

    parameters: Sequence[str] = ()
    """The parameters, by their names in the program: each entry of small arrays, large arrays as a whole."""
    quantities: Sequence[str] = ()
    """The watched quantities that are one number, then the loss."""
    units: Sequence[str] = ()
    """The unit of each quantity."""
    parts: Floats = field(default_factory=_nothing)
    """A row for each parameter and a column for each quantity."""
    changes: Floats = field(default_factory=lambda: np.zeros(0))
    """The real change of each quantity."""
    doubts: Floats = field(default_factory=_nothing)
    """By how much about each part may be wrong: errors may cancel in a sum, and then leave nothing over."""
    span: tuple[int, int] = (0, 0)
    """The first and the last evaluation."""
    evaluations: int = 0
    """From how many evaluations it was computed: those in which the derivatives of the quantities are known."""
    why_not: str = ""
    """Why there are none, or why they are not to be relied on; empty where they are."""
    _doubts: tuple[float, ...] = field(default=(), repr=False, compare=False)
    """Of each quantity, what is left over step by step, with no regard to the sign."""
    _path: FollowedPath | None = field(default=None, repr=False, compare=False)
    _groups: Sequence[Group] = field(default=(), repr=False, compare=False)
    _places: Places = field(default=Places(0), repr=False, compare=False)

    @property
    def remainder(self) -> Floats:
        """What the parts of each quantity leave over of its change."""
        return np.asarray(self.changes - self.parts.sum(axis=0))

    @property
    def is_told(self) -> tuple[bool, ...]:
        """Of each quantity, whether no more than a tenth is left over, or in doubt of any of its parts."""
        hidden = self.doubts.max(axis=0, initial=0.0)
        return tuple(
            left_over(self.parts[:, q], float(change), max(doubt, float(hidden[q]))) <= MOST_LEFT_OVER
            for q, (change, doubt) in enumerate(zip(self.changes, self._doubts, strict=True))
        )

    def over(self, first: int, last: int) -> Reasons:
        """Return the same from evaluation `first` to evaluation `last`.

        Raises `XinvError` where these are no evaluations of the stretch, in that order.

        Examples
        --------
        >>> import xinv_nb as xi
        >>> with xi.record() as run:
        ...     for x in (4.0, 3.0, 2.0, 1.0):
        ...         run.add(x**2, x, 2 * x)
        >>> run.reasons.over(1, 2).parts.tolist()
        [[-5.0]]
        """
        whole = (self._places.start, self._places.back(int(self._path.evaluations[-1]))) if self._path else self.span
        are_numbers = all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) for n in (first, last))
        if not (are_numbers and whole[0] <= first <= last <= whole[1]):
            raise XinvError(
                f"reasons.over(first, last) takes evaluations from {whole[0]} to {whole[1]}, the earlier first; "
                f"it was given {first!r} and {last!r}."
            )
        if self._path is None:
            return self
        span = self._places.there(int(first)), self._places.there(int(last))
        return reasons_along(self._path, self._groups, span, self._places)


def reasons_of(run: RecordedRun) -> Reasons:
    """Return the reasons of the fit that is shown of a run, from the recording alone.

    >>> reasons_of(RecordedRun()).why_not
    'There are fewer than two accepted evaluations, so nothing moved.'
    """
    with np.errstate(all="ignore"):
        part, places = shown_excerpt(run)
        path, last = path_of(part), max(part.evaluations - 1, 0)
        if isinstance(path, Unknown):
            return Reasons(span=(places.back(0), places.back(last)), why_not=path.text)
        return reasons_along(path, grouped(part), (0, last), places)


def reasons_along(path: FollowedPath, groups: Sequence[Group], span: tuple[int, int], places: Places) -> Reasons:
    """Return the reasons over a stretch of a path, whose evaluations stand at `places` in the recording."""
    i, j = path.at(span[0]), path.at(span[1])
    told = [q for q in path.quantities if np.isfinite(path.change(q, i, j))]
    parts, doubts = (
        np.array([[column[list(group.columns)].sum() for column in columns] for group in groups])
        for columns in ([path.brought(q, i, j) for q in told], [_doubts(path, q, i, j) for q in told])
    )
    changes = np.array([path.change(q, i, j) for q in told])
    used = {int(place) for q in told for place in q.places if i <= place <= j and not q.is_loss} or set(range(i, j + 1))
    found = Reasons(
        tuple(group.name for group in groups),
        tuple(q.name for q in told),
        tuple(q.unit for q in told),
        parts.reshape(len(groups), len(told)),
        changes,
        doubts.reshape(len(groups), len(told)),
        (places.back(span[0]), places.back(span[1])),
        len(used),
        "",
        tuple(path.doubt(q, i, j) for q in told),
        path,
        groups,
        places,
    )
    return replace(found, why_not=_left_over(found))


def _doubts(path: FollowedPath, quantity: Quantity, i: int, j: int) -> Floats:
    """Return by how much what each number brought may be wrong: at least what is left over, if it brought anything."""
    left = np.where(path.brought(quantity, i, j) != 0, path.doubt(quantity, i, j), 0.0)
    return np.maximum(path.doubts(quantity, i, j), left)


def _left_over(reasons: Reasons) -> str:
    worst = [name for name, is_told in zip(reasons.quantities, reasons.is_told, strict=True) if not is_told]
    if not worst:
        return ""
    return (
        f"The steps are too long for what is known of the way between them: more than a tenth of the change of "
        f"{' and of '.join(worst)} is left over, or may cancel between parameters. "
        "run.reasons_for(objective) evaluates the objective in between."
    )
