"""Parameters of very different sizes: what is a short step for one throws another away."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.diagnosis.asking import STANDS_STILL
from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.constraints import is_constrained
from xinv_nb.facts.measures.ends import last_call, slope_at_end
from xinv_nb.facts.measures.left import Path
from xinv_nb.facts.measures.losses import finite_iterates
from xinv_nb.facts.measures.names import named
from xinv_nb.language.slots import Iteration, LossValue, Named, Slot, Value
from xinv_nb.recorded.run import RecordedRun

_THROWN = 100.0
"""How many times its own size a parameter has to move at once."""
_SIZES = 1e4
"""How many times larger another parameter has to be, and how many times less steep."""
_DEAD = 1e-9
"""Share of its slope at the start below which a parameter has none where it was thrown to."""
_LEFT = 0.1
"""Slope times size of a large parameter at the end, as a share of the whole fall, from which on the run is not done."""
_NO_PROGRESS = 0.01
"""Share of the loss at the start up to which a run got nowhere."""
_FEWEST = 3
_TINY, _FELT = 1e-5, 1e-3
"""Size up to which all parameters are far smaller than the steps that optimizers begin with, and the share of the loss
by which it changes as one changes by its own size."""
_LARGER, _STEEPER = 1e3, 1e4
"""How many times larger than another a parameter is that is left behind, and how many times less steep."""
_STILL, _MOVED, _AS_STEEP = 1e-3, 1e-2, 0.3
"""Shares of their sizes that one moved at most and the other at least, and of its largest slope that is left."""


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield the parameter that the first step threw away, where the run did not recover from that.

    Examples
    --------
    >>> import autograd.numpy as np
    >>> import xinv_nb as xi
    >>> from autograd import value_and_grad
    >>> from scipy.optimize import minimize
    >>> t = np.linspace(0.1, 2.0, 12)
    >>> def misfit(p):  # a cross section of 3e-17 beside an amplitude of thousands
    ...     return np.sum((p[1] * np.exp(-p[0] * 1e17 * t) - 2000.0 * np.exp(-2.5 * t)) ** 2)
    >>> with xi.record() as run:
    ...     result = minimize(value_and_grad(misfit), np.array([1e-17, 1500.0]), jac=True, method="L-BFGS-B")
    >>> run.diagnosis[0].values["parameter"]
    'p[0]'
    """
    run = evidence.run
    history = run.history
    is_plain = history.is_real and history.kept is None and all(leaf.kept is None for leaf in history.leaves)
    if not is_plain or run.evaluations < 2 or not evidence.is_minimized or not math.isfinite(run.loss[0]):
        return
    if evidence.trials is None:
        found = _by_a_difference(evidence) or _left_behind(evidence, _path_by_differences(run))
    else:
        found = _by_a_step(evidence) or _of_all(evidence) or _left_behind(evidence, evidence.path)
    if found is not None:
        yield found


@dataclass(frozen=True)
class _Thrown:
    """A parameter that moved by many times its own size, by one evaluation, and another that is much larger."""

    column: int
    row: int
    other: int


def _thrown(points: NDArray[np.float64], row: int) -> _Thrown | None:
    """Return what was thrown away from the first point to another one."""
    size, moved = np.abs(points[0]), np.abs(points[row] - points[0])
    known = np.flatnonzero((size > 0) & np.isfinite(moved))
    if not len(known):
        return None
    column = int(known[np.argmax(moved[known] / size[known])])
    larger = known[(size[known] >= _SIZES * size[column]) & (moved[known] < _THROWN * size[known])]
    if not moved[column] >= _THROWN * size[column] or not len(larger):
        return None
    return _Thrown(column, row, int(larger[0]))


def _by_a_step(evidence: Evidence) -> Finding | None:
    """Return the finding where the first step throws a parameter away."""
    history = evidence.run.history
    points, slopes, loss = history.values.array, history.gradients.array, history.loss.array
    moved = np.flatnonzero((points != points[0]).any(axis=1))
    thrown = _thrown(points, int(moved[0])) if len(moved) and np.isfinite(slopes[0]).all() else None
    if thrown is None:
        return None
    steep, start = np.abs(slopes[0]), np.abs(points[0])
    column, row = thrown.column, thrown.row
    larger = np.flatnonzero((start >= _SIZES * start[column]) & (steep > 0) & (steep * _SIZES <= steep[column]))
    if not len(larger) or not _is_harmed(evidence, thrown):
        return None
    other = int(larger[np.argmin(steep[larger])])
    there = float(slopes[row, column])
    slots = _about(evidence, thrown, other)
    if slots is None:
        return None
    slots |= {
        "ratio": Value(float(steep[column] / steep[other])),
        "length": Value(float(np.linalg.norm(points[row] - points[0]))),
        "slope": Value(float(slopes[0, column])),
    }
    form = "thrown"
    if math.isfinite(there) and abs(there) <= _DEAD * steep[column]:
        form, slots["there"] = "thrown, level there", Value(there)
    elif loss[row] > loss[0]:
        form, slots["loss"], slots["before"] = (
            "thrown, higher there",
            LossValue(float(loss[row])),
            LossValue(float(loss[0])),
        )
    return KIND.finding(form, (0, row), slots)


def _of_all(evidence: Evidence) -> Finding | None:
    """Return the finding where all parameters are tiny, and the first step throws them away."""
    history = evidence.run.history
    points, slopes, loss = history.values.array, history.gradients.array, history.loss.array
    moved = np.flatnonzero((points != points[0]).any(axis=1))
    size, steep = np.abs(points[0]), np.abs(slopes[0])
    if not len(moved) or not np.isfinite(slopes[0]).all() or not 0 < size.max() <= _TINY:
        return None
    row = int(moved[0])
    away = np.abs(points[row] - points[0])
    thrown = np.flatnonzero((size > 0) & (away >= _THROWN * size) & (steep * size >= _FELT * abs(loss[0])))
    if not len(thrown):
        return None
    column = int(thrown[np.argmax(away[thrown] / size[thrown])])
    each = _Thrown(column, row, column)
    slots = _about(evidence, each, column) if loss[row] > loss[0] and _is_harmed(evidence, each) else None
    if slots is None:
        return None
    slots |= {"length": Value(float(np.linalg.norm(points[row] - points[0]))), "slope": Value(float(slopes[0, column]))}
    slots |= {"loss": LossValue(float(loss[row])), "before": LossValue(float(loss[0]))}
    return KIND.finding("thrown, alone", (0, row), slots)


def _path_by_differences(run: RecordedRun) -> Path | None:
    """Return the iterates of a solver that takes differences, with its slopes at the first and the last of them."""
    rows, end, call = finite_iterates(run), slope_at_end(run), last_call(run)
    history = run.history
    if len(rows) < _FEWEST or end is None or call is None or not call.differences:
        return None
    first, after = call.differences[0]
    steps = history.rows(np.arange(first, after)) - history.rows(rows[:1])
    if steps.shape != (history.width, history.width) or not (np.count_nonzero(steps, axis=0) == 1).all():
        return None  # each along one parameter
    columns = np.argmax(steps != 0, axis=1)
    begin = np.empty(history.width)
    begin[columns] = (run.loss[first:after] - run.loss[rows[0]]) / steps[np.arange(len(steps)), columns]
    return history.rows(rows), np.array([begin, end]), run.loss[rows]


def _left_behind(evidence: Evidence, path: Path | None) -> Finding | None:
    """Return the finding where a large parameter hardly moved, since the steps are made for one that is far smaller."""
    run = evidence.run
    if path is None or len(path[0]) < _FEWEST or run.status != "finished" or evidence.is_noisy or evidence.is_maximized:
        return None
    if is_constrained(run) or evidence.held or any(fact.values.get("pull", 0.0) > 0 for fact in evidence.of("bound")):
        return None
    points, slopes, loss = path
    size, moved, steep = np.abs(points).max(axis=0), np.ptp(points, axis=0), np.abs(slopes)
    fall, left = float(loss[0] - loss[-1]), steep[-1] * size
    steepest = steep.max(axis=0)
    is_still = (moved <= _STILL * size) & (steep[-1] >= _AS_STEEP * steepest) & (left >= _LEFT * fall) & (left > 0)
    if not fall > 0 or not is_still.any():
        return None
    column = int(np.argmax(np.where(is_still, left, 0.0)))
    smaller = (size > 0) & (_LARGER * size <= size[column]) & (moved >= _MOVED * size)
    smaller &= steepest >= _STEEPER * steepest[column]
    entries = {entry.column: entry for entry in run.entries() if entry.column is not None}
    other = int(np.argmax(np.where(smaller, steepest, 0.0)))
    if not smaller.any() or not {column, other} <= set(entries):
        return None
    parameter = named(entries[column])
    slots: dict[str, Slot] = {"parameter": parameter, "other": named(entries[other])}
    slots |= {"size": Value(float(size[column]), parameter.unit), "moved": Value(float(moved[column]), parameter.unit)}
    slots |= {"other_size": Value(float(size[other]), slots["other"].unit)}  # type: ignore[attr-defined]
    slots |= {"ratio": Value(float(steepest[other] / steepest[column])), "slope": Value(float(slopes[-1, column]))}
    slots["unit"] = Value(10.0 ** math.floor(math.log10(size[column])))
    return KIND.finding("left behind", (0, evidence.last), slots)


def _is_harmed(evidence: Evidence, thrown: _Thrown) -> bool:
    """Whether the run got nowhere after that, or ended with the parameter where it has no slope any more."""
    run = evidence.run
    points, slopes, loss = run.history.values.array, run.history.gradients.array, run.loss
    ends = np.flatnonzero(run.accepted & np.isfinite(loss))
    end = int(ends[-1]) if len(ends) else 0
    if _got_nowhere(evidence):
        return not loss[thrown.row] < loss[0] or thrown.row > end or not run.accepted[thrown.row]
    column = thrown.column
    larger = np.abs(points[0]) >= _SIZES * abs(points[0, column])
    left = float(np.abs(slopes[end] * points[end])[larger].max(initial=0.0))
    if not run.accepted[thrown.row] and left >= _LEFT * float(loss[0] - loss[end]):
        return True
    stays_away = abs(points[end, column] - points[0, column]) >= _THROWN * abs(points[0, column])
    return bool(stays_away and abs(slopes[end, column]) <= _DEAD * abs(slopes[0, column]))


def _got_nowhere(evidence: Evidence) -> bool:
    run = evidence.run
    accepted = run.loss[run.accepted & np.isfinite(run.loss)]
    return not len(accepted) or float(run.loss[0] - accepted[-1]) <= _NO_PROGRESS * abs(float(run.loss[0]))


def _by_a_difference(evidence: Evidence) -> Finding | None:
    """Return the finding where a finite difference is taken over many times the size of a parameter."""
    run = evidence.run
    rows = [row for call in run.history.calls for first, after in call.differences for row in range(first, after)]
    if not rows or not _got_nowhere(evidence):
        return None
    points = run.history.values.array
    for row in rows[: points.shape[1]]:
        thrown = _thrown(points, row)
        slots = None if thrown is None else _about(evidence, thrown, thrown.other)
        if slots is not None and np.count_nonzero(points[row] != points[0]) == 1:
            slots["length"] = Value(float(np.abs(points[row] - points[0]).max()))
            return KIND.finding("by a difference", (0, row), slots)
    return None


def _about(evidence: Evidence, thrown: _Thrown, other: int) -> dict[str, Slot] | None:
    """Return the parameter, another one, and from where to where it went; None where they have no names."""
    entries = {entry.column: entry for entry in evidence.run.entries() if entry.column is not None}
    points = evidence.run.history.values.array
    if not {thrown.column, other} <= set(entries):
        return None
    parameter = named(entries[thrown.column])
    start, end = (float(points[row, thrown.column]) for row in (0, thrown.row))
    return {
        "parameter": parameter,
        "other": named(entries[other]),
        "at": Iteration(thrown.row),
        "start": Value(start, parameter.unit),
        "end": Value(end, parameter.unit),
        "unit": Value(10.0 ** math.floor(math.log10(abs(start)))),
    }


KIND = FindingKind(
    name="scale",
    severity="warning",
    rank=3,
    slots={
        "parameter": Named,
        "other": Named,
        "at": Iteration,
        "ratio": Value,
        "length": Value,
        "start": Value,
        "end": Value,
        "slope": Value,
        "there": Value,
        "loss": Value,
        "before": Value,
        "unit": Value,
        "size": Value,
        "moved": Value,
        "other_size": Value,
    },
    compute=compute,
    means="The sizes of the parameters differ by many orders: a step that is short for one throws another away, or one "
    "that suits it leaves another where it is.",
    seen_by="sizes of parameters, slopes and the first step beside each other (Gill, Murray & Wright 1981, 8.7)",
    example="a cross section of 3e-17 beside amplitudes of thousands",
    asked_with=STANDS_STILL + r"|\bscal(?:e|ed|ing)",
    silences=("advice", "minimum", "identifiability", "turns"),
)
