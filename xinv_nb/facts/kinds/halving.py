"""Over how many iterations the loss itself halved, again and again.

Method: data profiles count evaluations to a reduction (Moré & Wild 2009); here the reductions are by half, and only
such halvings count as the loss did not come back from. It is the loss that halves, not its distance to a limit, which
`convergence` tells.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.losses import finite_iterates
from xinv_nb.language.slots import Count, Iteration, Value, loss_pair

_FEWEST = 3
"""Halvings in a row that make a habit."""
_STEADY = 0.25
"""Share by which the iterations of one halving may differ from the usual number; always by one iteration."""
_QUICK = 2.0
"""Iterations that a halving has to take: quicker ones cannot be told apart."""
_STRETCH = 0.2
"""Share of the run that the halvings have to fill."""
_ROUNDING = 1e-12
"""Share of a level within which the loss has reached it."""
_SAME = 0.25
"""Share by which the half-life that `convergence` tells may differ from ours and still say the same."""

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield every how many iterations the loss halved, where it did so steadily and several times in a row.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for i in range(41):
    ...         run.add(16.0 * 0.5 ** (i // 5), {"x": float(i)}, {"x": -1.0})
    >>> [fact.text for fact in run.facts if fact.kind == "halving"]
    ['From iteration 0 to 40 the loss halved about every 5 iterations, 8 times in a row: it fell from 16 to 0.0625.']
    """
    rows = finite_iterates(evidence.run)
    loss = evidence.run.loss[rows]
    if evidence.is_noisy or len(rows) <= _FEWEST or not loss.min() > 0:
        return
    marks = _steady(loss, rows)
    if len(marks) <= _FEWEST:
        return
    first, last = int(rows[marks[0]]), int(rows[marks[-1]])
    start, end = float(loss[marks[0]]), float(loss[marks[-1]])
    every = (last - first) / (np.log2(start) - np.log2(end))
    if every < _QUICK or last - first < _STRETCH * evidence.last or _is_told(evidence, every):
        return
    slots = {"first": Iteration(first), "last": Iteration(last), "every": Value(every), "times": Count(len(marks) - 1)}
    slots |= dict(zip(("start", "end"), loss_pair(start, end), strict=True))
    yield KIND.fact("steadily", (first, last), 0.2, slots)


def _steady(loss: Floats, rows: Rows) -> list[int]:
    """Return where the longest stretch of halvings at a steady spacing begins, and where each of them was reached."""
    highest_after = np.maximum.accumulate(loss[::-1])[::-1]
    best: list[int] = []
    for begin in _halvings(highest_after, loss, 0):
        marks = _halvings(highest_after, loss, begin)
        if len(marks) <= max(len(best), _FEWEST):
            break
        spacings = np.diff(rows[marks])
        count = _FEWEST
        while count <= len(spacings) and _is_steady(spacings[:count]):
            count += 1
        if count > max(len(best), _FEWEST):
            best = marks[:count]
    return best


def _halvings(highest_after: Floats, loss: Floats, begin: int) -> list[int]:
    """Return `begin`, and each place from which on the loss was below one more half of what it was there."""
    count = int(np.log2(loss[begin]) - np.log2(highest_after[-1]) + _ROUNDING) if loss[begin] > highest_after[-1] else 0
    levels = loss[begin] * 0.5 ** np.arange(1, count + 1) * (1 + _ROUNDING)
    return [begin, *np.searchsorted(-highest_after, -levels).tolist()]


def _is_steady(spacings: NDArray[np.intp]) -> bool:
    usual = float(spacings.mean())
    return bool(np.all(np.abs(spacings - usual) <= max(_STEADY * usual, 1.0)))


def _is_told(evidence: Evidence, every: float) -> bool:
    """Whether the rate of convergence says the same already, its limit being next to zero."""
    lives = [fact.values["half_life"] for fact in evidence.of("convergence") if "half_life" in fact.values]
    return any(abs(life - every) <= _SAME * every for life in lives)


KIND = Kind(
    name="halving",
    question=Question.SPEED,
    rank=65,
    slots={"first": Iteration, "last": Iteration, "every": Value, "times": Count, "start": Value, "end": Value},
    compute=compute,
    method="iterations from each half of the loss to the next, for good (data profiles, Moré & Wild 2009)",
)
