"""How fast the loss approached its limit: order and rate of convergence.

Method: the decreases of successive iterates, which shrink like the distance to the limit without the limit being known
(as in Aitken's delta-squared process). A straight line of their logarithm against the iteration is linear convergence,
against its logarithm sublinear; ratios that fall towards zero are superlinear (Ortega & Rheinboldt 1970, chapter 9;
Nocedal & Wright 2006, section 2.2; Nesterov 2004).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact, Phase
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.language.slots import Iteration, Listed, Share, Slot, Value
from xinv_nb.recorded.run import RecordedRun

_ROUNDING = 1e3
"""Decreases below this many units in the last place of the loss may be rounding."""
_FEWEST = 10
"""Steps that it takes to tell a rate."""
_SCATTER = 0.05
"""Largest standard deviation about the straight line, in powers of ten."""
_BEND = 0.1
"""Largest share by which the slopes of the two halves of a straight line may differ."""
_SPAN = 0.7
"""Powers of ten that the decreases have to shrink by at least: a factor of five."""
_WIDE = 5.0
"""Factor between first and last iteration number from which on a power law can be told."""
_LITTLE = 1e-3
"""Share of the fall below which what is left is not told."""
_LAST_RATIOS = 4
_STEEP = 0.05
"""Last ratio of two decreases below which the convergence is superlinear, if the ratios fall."""

Floats = NDArray[np.float64]


class _Line(NamedTuple):
    slope: float
    scatter: float
    bend: float
    error: float


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield the order and the rate at which the loss converged, where the recording shows them.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> with xi.record() as run:
    ...     x = 3.0
    ...     for _ in range(30):
    ...         x = x - 0.05 * grad(lambda x: x**2)(x)
    >>> [round(fact.values["rate"], 4) for fact in run.facts if fact.kind == "convergence"]
    [0.81]
    """
    run, phases = evidence.run, evidence.phases
    if not phases or evidence.is_noisy or phases[-1].kind in ("oscillation", "divergence", "rise"):
        return
    rows = _iterates(run, phases)
    if len(rows) < _LAST_RATIOS + 2:
        return
    loss = run.loss[rows]
    drops = -np.diff(loss)
    usable = drops > _ROUNDING * np.finfo(float).eps * np.abs(loss[1:])
    if not usable.any():
        return
    stop = int(np.flatnonzero(usable)[-1]) + 1
    start = int(np.flatnonzero(~usable[:stop])[-1]) + 1 if not usable[:stop].all() else 0
    drops, rows = drops[start:stop], rows[start : stop + 1]
    if fact := _superlinear(drops, rows) or _linear(drops, rows, loss[start : stop + 1]) or _sublinear(drops, rows):
        yield fact


def _iterates(run: RecordedRun, phases: Sequence[Phase]) -> NDArray[np.intp]:
    """Return the iterates of the last descent, up to the end of the run."""
    first = len(phases) - 1
    falls = ("descent", "slow descent", "converged")
    while first > 0 and phases[first - 1].kind in falls and phases[first].kind in falls:
        first -= 1
    rows = np.arange(phases[first].start, run.evaluations)
    return rows[run.accepted[rows] & np.isfinite(run.loss[rows])]


def _superlinear(drops: Floats, rows: NDArray[np.intp]) -> Fact | None:
    if len(drops) < _LAST_RATIOS + 1:
        return None
    ratios = drops[1:] / drops[:-1]
    falling = 0
    for one, other in pairwise(ratios[::-1].tolist()):
        if not 0 < one < other < 1:
            break
        falling += 1
    if falling + 1 < _LAST_RATIOS - 1 or ratios[-1] > _STEEP or ratios[-1] > 0.3 * ratios[-falling - 1]:
        return None
    told = [float(ratio) for ratio in ratios[-min(falling + 1, _LAST_RATIOS) :]]
    slots: dict[str, Slot] = {"ratios": Listed(tuple(Value(100 * ratio, "%", digits=2) for ratio in told))}
    return _fact("superlinear", "superlinear", (rows[-len(told) - 2], rows[-1]), slots, {"ratios": tuple(told)})


def _linear(drops: Floats, rows: NDArray[np.intp], loss: Floats) -> Fact | None:
    logs = np.log10(drops)
    for part in (1.0, 0.75, 0.5, 0.35, 0.25):
        count = int(part * len(logs))
        if count < _FEWEST:
            return None
        line = _fitted(np.arange(count, dtype=float), logs[-count:])
        if line.scatter < _SCATTER and line.bend < _BEND and -line.slope * count > _SPAN:
            break
    else:
        return None
    spacing = float(rows[-1] - rows[-count - 1]) / count
    rate = 10 ** (line.slope / spacing)
    half = float(np.log(0.5) / np.log(rate))
    left = float(drops[-1]) * 10**line.slope / (1 - 10**line.slope)
    slots: dict[str, Slot] = {"shrank": Share(1 - rate), "rate": Value(rate, digits=4)}
    slots |= {"half_life": Value(half), "left": Value(left)}
    form = "linear" if half > 1 else "linear, at once"
    if line.error < 0.1 * -line.slope and left > _LITTLE * float(loss[-count - 1] - loss[-1]):
        form += ", with what is left"
    return _fact(form, "linear", (rows[-count - 1], rows[-1]), slots, {"limit": float(loss[-1]) - left})


def _sublinear(drops: Floats, rows: NDArray[np.intp]) -> Fact | None:
    steps = rows[1:].astype(float)
    late = steps >= steps[-1] / (2 * _WIDE)
    if np.count_nonzero(late) < 2 * _FEWEST or steps[late][0] * _WIDE > steps[-1]:
        return None
    line = _fitted(np.log10(steps[late]), np.log10(drops[late]))
    if line.scatter > _SCATTER or line.bend > _BEND or not -8 < line.slope < -1:
        return None
    slots: dict[str, Slot] = {"factor": Value(2**-line.slope)}
    span = rows[np.flatnonzero(late)[0]], rows[-1]
    return _fact("sublinear", "sublinear", span, slots, {"power": line.slope + 1})


def _fact(
    form: str, order: str, span: tuple[np.intp, np.intp], slots: dict[str, Slot], data: dict[str, object]
) -> Fact:
    first, last = int(span[0]), int(span[1])
    slots |= {"first": Iteration(first), "last": Iteration(last)}
    return KIND.fact(form, (first, last), 0.6, slots, data={"order": order, **data})


def _fitted(x: Floats, y: Floats) -> _Line:
    """Fit a straight line; `bend` is the share by which the slopes of its two halves differ."""
    middle = (x[0] + x[-1]) / 2
    slope, scatter, error = _slope(x, y)
    halves = [_slope(x[side], y[side])[0] for side in (x <= middle, x > middle) if np.count_nonzero(side) > 2]
    bend = abs(halves[0] - halves[1]) / abs(slope) if len(halves) == 2 and slope else np.inf
    return _Line(slope, scatter, bend, error)


def _slope(x: Floats, y: Floats) -> tuple[float, float, float]:
    dx, dy = x - x.mean(), y - y.mean()
    square = float(np.sum(dx * dx))
    slope = float(np.sum(dx * dy)) / square
    scatter = float(np.sqrt(np.mean((dy - slope * dx) ** 2)))
    return slope, scatter, scatter / np.sqrt(square)


KIND = Kind(
    name="convergence",
    question=Question.SPEED,
    rank=60,
    slots={
        "first": Iteration,
        "last": Iteration,
        "shrank": Share,
        "rate": Value,
        "half_life": Value,
        "left": Value,
        "ratios": Listed,
        "factor": Value,
    },
    compute=compute,
    method="decreases of successive iterates (Ortega & Rheinboldt 1970; Nocedal & Wright 2006, 2.2; Nesterov 2004)",
)
