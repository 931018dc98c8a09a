"""How the fall of the loss splits between parameters, over a stretch of the recorded path.

Method: loss change allocation (Lan et al., NeurIPS 2019): the change of the loss along the accepted iterates is the
path integral of the gradient, split by parameter; the trapezoidal rule on the recorded points. What the integral leaves
unexplained is said where it matters, as with mini-batches, whose losses are not one function.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.names import named
from xinv_nb.language.slots import LossValue, Named, Share, Slot, Value

_REMAINDER = 0.1
"""Share of the fall up to which what the integral leaves over need not be told."""
_ROUNDED = 0.005
"""Share by which a part may be above the whole and be said to be the whole."""
_SEEN = 0.02
"""The same of shares that add up to more than the whole, as a reader sees who adds them up."""
_LARGEST_REMAINDER = 0.35
"""The same from which on the integral explains nothing."""
_WORTH = 0.05
"""Share of a fall from which a parameter's part in it is told."""
_FEWEST = 3

SLOTS: Mapping[str, type[Slot]] = {
    "mover": Named,
    "share": Share,
    "other": Named,
    "other_share": Share,
    "fall": Value,
    "alone": Value,
    "accounted_share": Share,
}
"""What the kinds that split a fall say."""


def is_complete(evidence: Evidence) -> bool:
    """Whether all parameters are followed: of several, or else there is nothing to split."""
    run, iterates = evidence.run, evidence.iterates
    if run.evaluations < _FEWEST or len(iterates) < 2:
        return False
    entries = [track.entry for track in iterates.tracks]
    columns = sum(1 if e.column is not None else e.leaf.end - e.leaf.start for e in entries if e.part != "imaginary")
    return len(entries) > 1 and columns == run.history.width


def allocation(evidence: Evidence, span: tuple[int, int]) -> tuple[str, dict[str, Slot], dict[str, Any]] | None:
    """Return form, slots and numbers of how a fall splits; None where the path does not account for it."""
    run, iterates = evidence.run, evidence.iterates
    i, j = (iterates.at(end) for end in span)
    total = float(run.loss[iterates.rows[j]] - run.loss[iterates.rows[i]])
    earned = iterates.earned[:, j] - iterates.earned[:, i]
    accounted = float(np.sum(earned))
    if not (np.isfinite(total) and np.isfinite(accounted)) or total >= 0:
        return None
    remainder = abs(accounted - total) / abs(total)
    if remainder > _LARGEST_REMAINDER:
        return None
    entries = [track.entry for track in iterates.tracks]
    first, second = np.argsort(earned, kind="stable")[:2]
    slots: dict[str, Slot] = {"mover": named(entries[first]), "share": Share(_of_whole(float(earned[first]) / total))}
    slots["other_share"] = Share(float(earned[second]) / total)
    slots |= {
        "fall": LossValue(-total),
        "alone": LossValue(-float(earned[first])),
        "accounted_share": Share(accounted / total),
    }
    raised = float(np.sum(earned[earned > 0])) / -total  # less than that is rounding, or what the integral leaves over
    form = "alone" if raised > max(_WORTH, remainder) and earned[first] / total > 1 else "one"
    if form == "one" and earned[first] / total > 1 + _ROUNDED and remainder <= _REMAINDER:
        return None  # more than the whole, by a remainder that is not told
    if form == "one" and earned[second] / total > _WORTH:
        form = "two"
    if form == "two":  # only what is said: a question about another parameter is not answered by it
        slots["other"] = named(entries[second])
    if remainder > _REMAINDER or (form != "alone" and accounted / total > 1 + _SEEN):
        form += ", in part" if accounted / total < 1 else ", beyond"
        if form == "two, in part" and abs(accounted - earned[first] - earned[second]) <= _SEEN * abs(total):
            form += ", of two"  # whoever adds their shares up knows it, to the digits that are told
    elif form == "two" and (earned[first] + earned[second]) / total > 1 + _SEEN:
        form += ", raised"
    form += ", sampled" if any(entry.leaf.kept is not None for entry in entries) else ""
    parts = {entry.name: float(part) for entry, part in zip(entries, earned, strict=True)}
    return form, slots, {"total": total, "parts": parts, "remainder": remainder, "accounted": accounted}


def _of_whole(share: float) -> float:
    """Return a share that is above the whole by no more than rounding as the whole."""
    return 1.0 if 1 < share <= 1 + _ROUNDED else share
