"""Evaluates an objective again, on request, for what a recording alone cannot tell of its end.

Nothing of these evaluations is recorded. What they showed is kept with the run as plain data (`recorded.checks`); the
kinds of findings read it there.
"""

from __future__ import annotations

import functools
import random
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.errors import XinvError
from xinv_nb.facts.analysis import diagnosis_of, shown_parts
from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.limits import limits
from xinv_nb.recorded.checks import Checks
from xinv_nb.recorded.curvature import Curvature
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.recorded.writer import RunWriter

_COUNTED = "run.diagnose evaluated the objective"
_SAME = 1e-12
"""Share by which two values at one point may differ that are the same."""
_EQUAL = 1e-6
"""Share of the fall of the loss by which two losses may differ that are equal."""
_MOST = 1000
"""Evaluations from which on no further search begins."""
_ENTRIES = 10
"""Parameters up to which the gradient is compared for each by itself."""
_WIDEST = 200
"""Parameters up to which other starts are tried: among more, a few find nothing."""


def diagnose(run: RecordedRun, objective: Callable[..., Any]) -> Sequence[Finding]:
    """Return what is wrong with `run`, also by what further evaluations show: the work of `Run.diagnose`."""
    start, stop = shown_parts(run).story
    rows = run.iterates[(run.iterates >= start) & (run.iterates < stop)]
    rows = rows[np.isfinite(run.loss[rows])]
    if not len(rows):
        raise XinvError("No finite loss was recorded in this run, so there is no point at which to look.")
    state, own = np.random.get_state(), random.getstate()  # noqa: NPY002 - the user's, whose numbers stay as they are
    try:
        checks, curvature = _checked(run, objective, rows)
    finally:
        np.random.set_state(state)  # noqa: NPY002
        random.setstate(own)
    writer = RunWriter(run)
    writer.keep_checks(checks)
    if curvature is not None:
        writer.keep_curvature(curvature)
    writer.withdraw_notices(_COUNTED)
    writer.notice(f"{_COUNTED} {checks.evaluations} times more; none of that is among the recorded evaluations.")
    return diagnosis_of(run)


def _checked(
    run: RecordedRun, objective: Callable[..., Any], rows: NDArray[np.intp]
) -> tuple[Checks, Curvature | None]:
    from xinv_nb.recording.context import unrecorded
    from xinv_nb.recording.reevaluating import Reevaluated, check_value, first_value, point_of
    from xinv_nb.recording.restarting import Restarts

    history, first = run.history, int(rows[0])
    best = int(rows[::-1][np.argmin(run.loss[rows[::-1]])])
    end, begin, points = point_of(history, best), point_of(history, first), history.rows(rows)
    scale = _sizes(points, end)
    with unrecorded(), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        again = Reevaluated(objective, history, scale)
        value, second = first_value(again.function, end), first_value(again.function, end)
        again.evaluations += 2
        none = np.empty((0, len(end)))
        if abs(value - second) > _SAME * max(abs(value), abs(second)):
            lost = (none, none, none[:, 0], none[:, 0])
            return Checks(best, again.evaluations, value, second, "unknown", best, -1, 0.0, 0.0, value, *lost), None
        check_value(value, history, best)
        check_value(again.value(begin), history, first)
        verdict = _gradient(run, again, rows, scale)
        curvature, counted = _curvature(run, objective, int(rows[-1]), _sizes(points, points[-1]))
        again.evaluations += counted
        equal = _EQUAL * max(float(np.ptp(run.loss[rows])), 0.0)
        low, high = limits(run, points)
        search = Restarts(again, scale, low, high, equal, again.evaluations + _MOST)
        level = value
        if len(end) <= _WIDEST and not any(call.options.get("constraints") for call in history.calls):
            level = search.around(begin, end).loss
    found = sorted(search.found, key=lambda each: each.loss)
    starts, others = (np.array([getattr(m, of) for m in found]).reshape(-1, len(end)) for of in ("start", "point"))
    losses, ridges = np.array([m.loss for m in found]), np.array([m.ridge for m in found])
    return (
        Checks(best, again.evaluations, value, second, *verdict, level, starts, others, losses, ridges),
        curvature,
    )


def _sizes(points: Floats, end: Floats) -> Floats:
    """Return the size of each parameter: its value at the end or the range it moved through, whichever is larger."""
    found = np.maximum(np.abs(end), np.ptp(points, axis=0))
    return np.asarray(np.where((found > 0) & np.isfinite(found), found, 1.0), dtype=np.float64)


def _gradient(
    run: RecordedRun, again: Any, rows: NDArray[np.intp], scale: Floats
) -> tuple[str, int, int, float, float]:
    """Return what the values say of the recorded gradient: a word, where and along what, and the slope by either."""
    from xinv_nb.recording.checking import compared

    found: list[tuple[str, int, int, float, float]] = []
    for row in dict.fromkeys(int(rows[k]) for k in (0, len(rows) // 2)):
        point, gradient = run.history.rows(np.array([row]))[0], run.history.rows(np.array([row]), "gradients")[0]
        steepest = gradient * scale
        length = float(np.linalg.norm(steepest))
        if not np.isfinite(length) or length == 0:
            continue
        across = np.cos(np.arange(len(scale)))
        directions = [(-1, steepest / length), (-1, across / np.linalg.norm(across))]
        if len(scale) <= _ENTRIES:
            directions = [*enumerate(np.eye(len(scale))), *directions]
        for column, direction in directions:
            slope = compared(again, point, gradient, scale, direction)
            found.append((slope.verdict, row, column, slope.promised, slope.measured))
    for word in ("wrong", "kinked", "unknown", "right"):
        for each in found:
            if each[0] == word:
                return each
    return "unknown", int(rows[-1]), -1, 0.0, 0.0


def _curvature(
    run: RecordedRun, objective: Callable[..., Any], evaluation: int, scale: Floats
) -> tuple[Curvature | None, int]:
    """Return second derivatives at the end, where there are any to be trusted, and how many evaluations they took."""
    from xinv_nb.recording.curvature import FULL, curvature_of

    count = 0

    @functools.wraps(objective)
    def counted(*point: Any) -> Any:
        nonlocal count
        count += 1
        return objective(*point)

    found = None
    if run.history.width <= FULL:
        with suppress(XinvError):
            found = curvature_of(counted, run.history, evaluation, scale)
    return found, count
