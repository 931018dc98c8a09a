"""How the fall of the loss splits between the parameters.

Method: loss change allocation (Lan et al., NeurIPS 2019): the change of the loss along the accepted iterates is the
path integral of the gradient, split by parameter; the trapezoidal rule on the recorded points. What the integral leaves
unexplained is said where it matters, as with mini-batches, whose losses are not one function.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.names import named
from xinv_nb.language.slots import Named, Share, Slot, Value
from xinv_nb.recorded.entries import Entry

METHOD = "loss change allocation (Lan et al., NeurIPS 2019)"

_FEWEST_EVALUATIONS = 3
_REMAINDER = 0.1
"""Share of the fall up to which what the integral leaves over need not be told."""
_LARGEST_REMAINDER = 0.35
"""The same from which on the integral explains nothing."""
_WORTH = 0.05
"""Share of a fall from which a parameter's part in it is told."""

SLOTS: dict[str, type[Slot]] = {
    "parameter": Named,
    "share": Share,
    "other": Named,
    "other_share": Share,
    "lowered": Value,
    "fall": Value,
    "explained": Share,
}
"""What is said of a split."""


@dataclass(frozen=True)
class Split:
    """How the fall of the loss between two iterations splits between the parameters."""

    total: float
    """The change of the loss: below zero."""
    accounted: float
    """What the integral makes of it."""
    parts: tuple[tuple[Entry, float], ...]
    """The change that each parameter accounts for, in the order of the parameters."""

    @property
    def remainder(self) -> float:
        """What the integral leaves over, as a share of the fall."""
        return abs(self.accounted - self.total) / abs(self.total)

    def told(self) -> tuple[str, dict[str, Slot]]:
        """Return the form in which it is told, and the slots."""
        (first, one), (second, two) = sorted(self.parts, key=lambda part: part[1])[:2]
        slots: dict[str, Slot] = {"parameter": named(first), "fall": Value(-self.total)}
        if one / self.total > 1:
            form = "alone"
            slots["lowered"] = Value(-one)
        else:
            form = "one"
            slots["share"] = Share(one / self.total)
            if two / self.total > _WORTH:
                form = "two"
                slots |= {"other": named(second), "other_share": Share(two / self.total)}
        if any(entry.leaf.kept is not None for entry, _ in self.parts):
            form += ", estimated"
        if self.remainder > _REMAINDER:
            form += ", in part"
            slots["explained"] = Share(self.accounted / self.total)
        return form, slots

    def data(self) -> dict[str, object]:
        """Return what is known of it beside what is said."""
        parts = {entry.name: part for entry, part in self.parts}
        return {"total": self.total, "parts": parts, "remainder": self.remainder, "accounted": self.accounted}


def can_be_split(evidence: Evidence) -> bool:
    """Whether all parameters are followed, and are several: of one there is nothing to split."""
    run, tracks = evidence.run, evidence.iterates.tracks
    columns = sum(1 if t.entry.column is not None else t.entry.leaf.end - t.entry.leaf.start for t in tracks)
    is_complete = len(tracks) > 1 and columns == run.history.width
    return run.evaluations >= _FEWEST_EVALUATIONS and is_complete and len(evidence.iterates) > 1


def split(evidence: Evidence, span: tuple[int, int]) -> Split | None:
    """Return how the fall of the loss in a span splits; None where it did not fall or the path does not explain it."""
    loss, iterates = evidence.run.loss, evidence.iterates
    i, j = iterates.at(span[0]), iterates.at(span[1])
    total = float(loss[iterates.rows[j]] - loss[iterates.rows[i]])
    earned = iterates.earned[:, j] - iterates.earned[:, i]
    accounted = float(np.sum(earned))
    if not (np.isfinite(total) and np.isfinite(accounted)) or total >= 0:
        return None
    parts = tuple((track.entry, float(part)) for track, part in zip(iterates.tracks, earned, strict=True))
    found = Split(total, accounted, parts)
    return None if found.remainder > _LARGEST_REMAINDER else found
