"""The points that the optimizer accepted: what moved, and what the gradient made of it, is read along these only.

A point that a line search tried and rejected is no movement, so steps and paths leave it out; places in the run are
still told as evaluations.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recorded.entries import Entry
from xinv_nb.recorded.history import History
from xinv_nb.recorded.run import RecordedRun

Floats = NDArray[np.float64]

_FEWEST_OF_NOISE = 20
_UNRELATED = 0.3
"""Correlation of each step with the next up to which they are unrelated."""
_BY_CHANCE = 3.0
"""Way made, in standard deviations of what unrelated steps would make, up to which it may be chance."""
_BLOCK = 1 << 20
"""Numbers looked at together, so that a large recording is not copied as a whole."""


@dataclass(frozen=True)
class Track:
    """One entry along the accepted iterates."""

    entry: Entry
    values: Floats
    slopes: Floats

    @cached_property
    def range(self) -> float:
        """Highest less lowest value; not a number where a value is none."""
        return float(np.ptp(self.values)) if len(self.values) else 0.0

    def wanders(self, i: int, j: int) -> bool:
        """Whether the moves from iterate i to j are those of noise: as often to one side as to the other, by chance."""
        steps = np.diff(self.values[i : j + 1])
        squares = float(steps @ steps)
        if len(steps) < _FEWEST_OF_NOISE or not squares > 0:
            return False
        unrelated = abs(float(steps[1:] @ steps[:-1])) < _UNRELATED * squares
        return unrelated and abs(float(np.sum(steps))) < _BY_CHANCE * np.sqrt(squares)

    def weight(self, i: int, j: int) -> float:
        """Return how much the move from iterate i to j matters: in units of the loss, which all parameters share."""
        weight = abs(self.values[j] - self.values[i]) * float(np.mean(np.abs(self.slopes[i : j + 1])))
        return float(weight) if np.isfinite(weight) else 0.0

    def share(self, i: int, j: int) -> float:
        """Return the move from iterate i to j as a share of the range over the whole run."""
        part = abs(float(self.values[j] - self.values[i]))
        return part / self.range if self.range > 0 and np.isfinite(part / self.range) else 0.0


@dataclass(frozen=True)
class Iterates:
    """The accepted iterates of a run, with a track for each entry."""

    run: RecordedRun
    rows: NDArray[np.intp]
    """The evaluation of each iterate."""
    tracks: tuple[Track, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def at(self, evaluation: int) -> int:
        """Return the iterate at which the optimizer stood in an evaluation: the latest one up to there."""
        return max(int(np.searchsorted(self.rows, evaluation, side="right")) - 1, 0)

    @cached_property
    def numbers(self) -> tuple[Track, ...]:
        """The tracks of single numbers: those that are not the size of a large array."""
        return tuple(track for track in self.tracks if not track.entry.statistic)

    def other_part(self, track: Track) -> Track | None:
        """Return the track of the other part of a complex number; None for a number that has one part."""
        entry = track.entry
        if not entry.part:
            return None
        return next((t for t in self.tracks if t.entry.column == entry.column and t.entry.part != entry.part), None)

    @cached_property
    def earned(self) -> Floats:
        """The change of the loss that each track accounts for from the first iterate on: a row for each track.

        The integral of gradient times step by the trapezoidal rule; of an array of which a sample is kept, estimated
        from that.
        """
        earned = np.zeros((len(self.tracks), len(self.rows)))
        for row, track in zip(earned, self.tracks, strict=True):
            if track.entry.statistic:
                self._earned_by_array(track.entry, row[1:])
            else:
                np.multiply(np.diff(track.values), track.slopes[1:] + track.slopes[:-1], out=row[1:])
        earned /= 2
        return np.cumsum(earned, axis=1, out=earned)

    def _earned_by_array(self, entry: Entry, out: Floats) -> None:
        leaf, history = entry.leaf, self.run.history
        columns = slice(leaf.start, leaf.stop)
        values, slopes = history.values.array[:, columns], history.gradients.array[:, columns]
        places = _places(history, self.rows)
        length = max(_BLOCK // max(values.shape[1], 1), 2)
        for start in range(0, len(out), length):
            rows = places[start : start + length + 1]
            steps, pulls = np.diff(values[rows], axis=0), slopes[rows]
            # The gradient of a complex number, as autograd gives it, is the conjugate of what is multiplied here.
            out[start : start + length] = np.real(np.einsum("ij,ij->i", steps, pulls[1:] + pulls[:-1]))
        out *= leaf.size / max(values.shape[1], 1)

    def rms_change(self, entry: Entry, i: int, j: int) -> float:
        """Return the root mean square of the changes of an array's entries (of those kept) from iterate i to j."""
        block = self.run.history.values.array[:, entry.leaf.start : entry.leaf.stop]
        one, other = _places(self.run.history, self.rows[[i, j]])
        change = np.abs(block[other] - block[one])
        return float(np.sqrt(np.mean(change**2)))


def _places(history: History, evaluations: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the rows of the history's columns where the parameters of kept evaluations stand."""
    return evaluations if history.kept is None else np.searchsorted(history.kept.array, evaluations)


def iterates_of(run: RecordedRun) -> Iterates:
    """Return the accepted iterates of `run`, with a track for each of its entries.

    Where the loss broke for good, those before that, if there are several: no step after it means anything.
    """
    rows = run.iterates
    if not len(rows):
        rows = run.kept
    sound = np.flatnonzero(np.isfinite(run.loss[rows]))
    if len(sound) > 1:
        rows = rows[: sound[-1] + 1]
    history, places = run.history, _places(run.history, rows)
    every = len(places) == len(history.values)
    entries = run.entries()
    followed = [entry for entry in entries if entry.column is not None]
    plain = [entry.column for entry in followed if entry.column is not None]

    def transposed(of: Literal["values", "gradients"]) -> Floats:
        block = history.values.array if of == "values" else history.gradients.array
        wanted = block if plain == list(range(block.shape[1])) else block[:, plain]
        wanted = (wanted if every else wanted[places]).T
        if not history.is_real:
            wanted = np.array([entry.part_of(row, of) for entry, row in zip(followed, wanted, strict=True)])
        return np.ascontiguousarray(wanted)

    values, slopes = iter(transposed("values")), iter(transposed("gradients"))
    tracks = tuple(
        Track(entry, next(values), next(slopes))
        if entry.column is not None
        else Track(entry, run.column(entry)[rows], run.column(entry, "gradients")[rows])
        for entry in entries
    )
    return Iterates(run, rows, tracks)
