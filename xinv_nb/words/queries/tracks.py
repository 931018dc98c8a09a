"""How a parameter, a watched quantity or the loss went along the points that the optimizer accepted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.measures.names import named, watched
from xinv_nb.facts.measures.objective import told_of_loss
from xinv_nb.facts.measures.watched import curves
from xinv_nb.language.slots import Named
from xinv_nb.recorded.run import RecordedRun


@dataclass(frozen=True)
class Track:
    """One number along the accepted evaluations."""

    named: Named
    evaluations: NDArray[np.intp]
    values: NDArray[np.float64]
    trials: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, dtype=np.intp))
    """The evaluations that were turned down."""
    tried: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    """Its values there."""

    def with_trials(self) -> Track:
        """Return the same at all evaluations, accepted or not.

        Examples
        --------
        >>> x = Track(Named("x"), np.array([0, 2]), np.array([5.0, 4.0]), np.array([1]), np.array([9.0]))
        >>> x.with_trials().at(1)
        9.0
        """
        order = np.argsort(evaluations := np.concatenate([self.evaluations, self.trials]), kind="stable")
        return Track(self.named, evaluations[order], np.concatenate([self.values, self.tried])[order])

    @property
    def unit(self) -> str:
        """Its unit."""
        return self.named.unit

    def at(self, evaluation: int) -> float | None:
        """Return its value at an evaluation, or at the last one before; None where it is no finite number there.

        Examples
        --------
        >>> Track(Named("x"), np.array([0, 2]), np.array([5.0, 4.0])).at(1)
        5.0
        """
        place = int(np.searchsorted(self.evaluations, evaluation, side="right")) - 1
        return float(self.values[place]) if place >= 0 and np.isfinite(self.values[place]) else None

    @property
    def is_finite(self) -> bool:
        """Whether there are values, all of them finite numbers."""
        return bool(len(self.values)) and bool(np.isfinite(self.values).all())


def of_loss(run: RecordedRun) -> Track:
    """Return the loss, by what the user calls it."""
    known = told_of_loss(run)
    name = Named("", "the loss") if known is None else Named("", known.name, known.unit)
    return _track(name, np.arange(run.evaluations), run.loss, run)


def of_parameters(run: RecordedRun, names: Iterable[str] | None = None) -> list[Track]:
    """Return parameters by their names in the program; all that are followed one by one where none is named.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for x in (4.0, 3.0):
    ...         run.add(x**2, {"depth": x})
    >>> [track.values.tolist() for track in of_parameters(run)]
    [[4.0, 3.0]]
    """
    wanted = None if names is None else set(names)
    entries = [entry for entry in run.entries() if entry.name in wanted] if wanted is not None else run.entries()
    kept = run.kept
    entries = [entry for entry in entries if wanted is not None or not entry.statistic]
    return [_track(named(entry), kept, run.column(entry)[: run.evaluations][kept], run) for entry in entries]


def of_entries(run: RecordedRun, asked: str) -> list[Track]:
    """Return entries of arrays that a question names by their places, such as "u[3]", also where they have no curve.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     run.add(1.0, {"u": np.arange(50.0)})
    >>> [track.at(0) for track in of_entries(run, "what is u[3] at the end?")]
    [3.0]
    """
    found = []
    for name, places in _ENTRY.findall(asked):
        for leaf in run.history.leaves:
            place = tuple(int(number) for number in re.findall(r"\d+", places))
            if leaf.name.lower() != name.lower() or leaf.kept is not None or len(place) != len(leaf.shape):
                continue
            if all(number < size for number, size in zip(place, leaf.shape, strict=True)):
                found.append(run.entries_of(leaf, [int(np.ravel_multi_index(place, leaf.shape))])[0])
    kept = run.kept
    return [_track(named(entry), kept, run.column(entry)[: run.evaluations][kept], run) for entry in found]


_ENTRY = re.compile(r"([^\W\d][\w.]*)\[(\d+(?: ?, ?\d+)*)\]")


def of_quantities(run: RecordedRun, names: Iterable[str] | None = None) -> list[Track]:
    """Return watched quantities by their names, those that are one real number at a time; all where none is named."""
    wanted = None if names is None else set(names)
    found = [curve for curve in curves(run.watches) if wanted is None or curve.watch.name in wanted]
    return [_track(watched(curve.watch), curve.evaluations, curve.values, run) for curve in found]


def _track(name: Named, evaluations: NDArray[np.intp], values: NDArray[np.float64], run: RecordedRun) -> Track:
    accepted = run.accepted
    numbers = np.asarray(values, dtype=np.float64)
    known = (evaluations >= 0) & (evaluations < len(accepted))
    evaluations, numbers = evaluations[known], numbers[known]
    taken = accepted[evaluations]
    return Track(name, evaluations[taken], numbers[taken], evaluations[~taken], numbers[~taken])
