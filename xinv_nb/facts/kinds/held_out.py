"""A held-out loss that was lowest before the end: it rose while the loss went on falling.

What was kept out of the fit tells how well its parameters serve elsewhere. Where that is lowest is where training is
best stopped (Prechelt, "Early stopping, but when?", 1998). Told only where both the rise and the fall are clear against
the noise of the two curves (see `measures.smoothing`); single values that jitter are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.losses import finite_iterates
from xinv_nb.facts.measures.names import watched
from xinv_nb.facts.measures.smoothing import Smoothed, goes_one_way, smoothed
from xinv_nb.facts.measures.watched import Curve
from xinv_nb.language.slots import Iteration, Named, Slot, Value, pair

_HELD_OUT = re.compile(
    r"\b(valid\w*|val|(?:held|hold|kept|left|put|set) ?(?:out|aside|back)|test\w*|dev|out of sample|unseen|never seen|"
    r"cross validation|generali[sz]\w*)\b"
)
_SCORE = re.compile(r"accura|\bacc\b|score|\bauc\b|\bf1\b|\br ?2\b|r²|precision|recall|likelihood|reward|correlation")
"""Of these, more is better, or it cannot be told."""
_LOSS = re.compile(
    r"loss|error|misfit|\br?mse\b|\brms|\bmae\b|\bnll\b|risk|deviance|perplexity|surpris|entropy|"
    r"negative log.likelihood"
)
_FEWEST = 6
"""Times that a quantity is watched from which on its noise can be told from a rise."""
_SEEN = 0.1
"""Share of its range by which it rises at least; or else"""
_OF_ITSELF = 0.03
"""the share of its lowest value."""
_FALL = 0.02
"""Share of its value, or of its range, by which the loss falls meanwhile at least."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield each quantity kept out of the fit that rose while the loss went on falling."""
    for curve in evidence.curves:
        kept_out = is_held_out(curve.watch.name)
        is_loss = kept_out or bool(_LOSS.search(_words(curve.watch.name)))
        # What the loss depends on is no measure of how well it does elsewhere.
        is_apart = not np.nan_to_num(curve.cotangents).any()
        if is_loss and is_apart and (fact := _rose(evidence, curve, kept_out=kept_out)):
            yield fact


def has_risen(curve: Curve) -> bool:
    """Whether a loss on what was kept out of the fit ended clearly above its lowest value."""
    if not is_held_out(curve.watch.name) or len(curve.values) < _FEWEST or not np.isfinite(curve.values).all():
        return False
    path = smoothed(curve.values)
    low = int(np.argmin(path.values))
    return path.differ(low, -1) and float(path.values[-1] - path.values[low]) >= _SEEN * float(np.ptp(path.values))


def is_held_out(name: str) -> bool:
    """Whether a quantity is, by its name, a loss on what was kept out of the fit.

    >>> is_held_out("validation error"), is_held_out("validation accuracy"), is_held_out("error")
    (True, False, False)
    """
    words = _words(name)
    return bool(_HELD_OUT.search(words)) and (bool(_LOSS.search(words)) or not _SCORE.search(words))


def _words(name: str) -> str:
    return name.lower().replace("_", " ").replace("-", " ")


def _rose(evidence: Evidence, curve: Curve, *, kept_out: bool) -> Fact | None:
    if len(curve.values) < _FEWEST or not np.isfinite(curve.values).all():
        return None
    path = smoothed(curve.values)
    low = int(np.argmin(path.values))
    rise = float(path.values[-1] - path.values[low])
    if not (path.differ(low, -1) and path.differ(0, low) and _is_clear(path, low)):
        return None
    if rise < _SEEN * float(np.ptp(path.values)) and rise < _OF_ITSELF * abs(float(path.values[low])):
        return None
    fall = _fall_of_the_loss(evidence, int(curve.evaluations[low]))
    if fall is None:
        return None
    before, after, of_loss = fall
    lowest, end = pair(float(path.values[low]), float(path.values[-1]), curve.watch.unit)
    slots: dict[str, Slot] = {"quantity": watched(curve.watch), "low": lowest, "end": end}
    slots |= {"at": Iteration(int(curve.evaluations[low])), "rise": Value(rise, curve.watch.unit)}
    slots |= dict(zip(("before", "after"), pair(before, after), strict=True))
    form = "rose" + ", held out" * kept_out + ", noisy" * (path.is_noisy or of_loss.is_noisy)
    return KIND.fact(form, (0, evidence.last), 0.9 if kept_out else 0.6, slots)


def _is_clear(path: Smoothed, low: int) -> bool:
    return path.width < len(path.values) - low and goes_one_way(path.values[low:])


def _fall_of_the_loss(evidence: Evidence, since: int) -> tuple[float, float, Smoothed] | None:
    """Return the loss at an evaluation and at the end, apart from noise, if it clearly went on falling in between."""
    finite = finite_iterates(evidence.run)
    later = finite[finite >= since]
    if len(later) < _FEWEST:
        return None
    loss = evidence.run.loss
    path = smoothed(loss[later])
    before, after = float(path.values[0]), float(path.values[-1])
    fall, height = before - after, float(np.ptp(loss[finite]))
    if not path.differ(0, -1) or not fall > 0 or not goes_one_way(path.values):
        return None
    return (before, after, path) if fall >= _FALL * min(abs(before), height) else None


KIND = Kind(
    name="held out",
    question=Question.LOSS,
    rank=21,
    slots={
        "quantity": Named,
        "low": Value,
        "at": Iteration,
        "rise": Value,
        "end": Value,
        "before": Value,
        "after": Value,
    },
    compute=compute,
    method="the lowest of its smoothed values, against the noise of second differences (Prechelt 1998)",
    asked_with=r"\b(?:over-?fit\w*|held.?out|validation|generali[sz]\w*|stop(?:ped)? early|early stopping)",
)
