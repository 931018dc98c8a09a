"""Reasons with the long steps of the optimizer subdivided by new evaluations of the objective."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from xinv_nb.errors import XinvError, shown
from xinv_nb.facts.analysis import shown_excerpt
from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.objective import told_of_loss
from xinv_nb.facts.measures.path import MOST_LEFT_OVER, FollowedPath, Quantity, left_over
from xinv_nb.facts.measures.recorded_path import LOSS, Unknown, grouped, path_of
from xinv_nb.facts.reasons import Reasons, reasons_along, reasons_of
from xinv_nb.language.quantities import listed
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.recorded.writer import RunWriter

_MOST = 2000
"""New evaluations at most."""
_TOLERANCE = 0.003
"""Share of the largest part of a change by which halving the steps may still change it, over the whole path."""
_DEEPEST = 10
"""Times that a step is halved at most."""
_LOSS = None
"""What stands for the name of the loss: a program may call something else by any name."""
_COUNTED = "run.reasons_for evaluated the objective"
_KEPT = "subdivided reasons"
"""Where a run keeps them, once they have been asked for with its owner's leave."""


def reasons_for(run: RecordedRun, objective: Callable[..., Any]) -> Reasons:
    """Return the reasons of the fit that is shown: the work of `Run.reasons_for`."""
    if not callable(objective):
        raise XinvError(
            f"run.reasons_for(objective) takes the function that was minimized, not {shown(objective, 40)}: write "
            "run.reasons_for(loss), where loss is what was given to grad."
        )
    part, places = shown_excerpt(run)
    path = path_of(part)
    if isinstance(path, Unknown):
        raise XinvError(f"There is no path to follow. {path.text}")
    from xinv_nb.recording.reevaluating import check_value
    from xinv_nb.recording.rereading import rereading

    with rereading(objective, part.history) as again, warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        check_value(again.at(path.points[0]).loss, part.history, int(path.evaluations[0]))
        check_value(again.at(path.points[-1]).loss, part.history, int(path.evaluations[-1]))
        refined = _refined(path, again)
    found = reasons_along(refined, grouped(part), (0, max(part.evaluations - 1, 0)), places)
    lost = [q for q in path.quantities if not q.is_loss and q.name not in found.quantities]
    writer = RunWriter(run)
    writer.withdraw_notices(_COUNTED)
    writer.notice(
        f"{_COUNTED} {again.evaluations} times more; none of that is among the recorded evaluations.{_of(lost)}"
    )
    return found


def _of(lost: Sequence[Quantity]) -> str:
    """Return that some terms are known where the recording has them only, with what to write; empty without any."""
    if not lost:
        return ""
    names = [quantity.name for quantity in lost]
    return (
        f" Between the recorded points nothing shows {listed(names)}: watch what you ask about, as in "
        f"xi.watch({names[0]}, {names[0] if names[0].isidentifier() else 'its name'!r})."
    )


def reasons_with_leave(run: RecordedRun) -> Reasons:
    """Return the reasons of the fit that is shown: from the recording, or subdivided where its owner gave leave.

    Leave is given by `Objective(function=…)`, and used where the recording alone is not enough. It never raises.

    >>> reasons_with_leave(RecordedRun()).why_not
    'There are fewer than two accepted evaluations, so nothing moved.'
    """
    found, told = reasons_of(run), told_of_loss(run)
    is_path_known = len(found.parameters) > 0
    if not (found.why_not and is_path_known) or told is None or told.function is None or run.status == "running":
        return found
    state = run.evaluations, found.span, told
    subdivided: Reasons
    known, subdivided = run.memo.get(_KEPT, (None, found))
    if known != state:  # evaluating costs: once for each state of the run
        try:
            subdivided = reasons_for(run, told.function)
        except XinvError as error:
            subdivided = replace(found, why_not=f"{found.why_not} The function of Objective(function=…): {error}")
        run.memo[_KEPT] = state, subdivided
    return subdivided


def reasons_without_evaluating(run: RecordedRun) -> Reasons:
    """Return the reasons of the fit that is shown: subdivided where somebody has asked for that before.

    >>> reasons_without_evaluating(RecordedRun()).why_not
    'There are fewer than two accepted evaluations, so nothing moved.'
    """
    found = reasons_of(run)
    known, subdivided = run.memo.get(_KEPT, (None, found))
    return subdivided if known == (run.evaluations, found.span, told_of_loss(run)) else found


class _Point:
    """A point of the path that was evaluated again."""

    def __init__(self, x: Floats, evaluation: int, reading: Any) -> None:
        self.x, self.evaluation = x, evaluation
        self.values: dict[str | None, float] = {**reading.values, _LOSS: reading.loss}
        self.gradients: dict[str | None, Floats] = {**reading.gradients, _LOSS: reading.gradient}


def _refined(path: FollowedPath, again: Any) -> FollowedPath:
    """Return the path with as many points in between as its bends ask for."""
    points: list[_Point] = []
    for x, evaluation in zip(path.points, path.evaluations.tolist(), strict=True):
        is_known = points and np.array_equal(points[-1].x, x)
        points.append(_Point(x, evaluation, again.at(x)) if not is_known else _moved(points[-1], evaluation))
    names = [name for name in points[0].gradients if all(name in point.gradients for point in points)]
    recorded = [q for q in path.quantities if not q.is_loss and q.name not in names and _is_told(path, q)]
    sizes = {name: _size(points, name) for name in names}
    tolerance = _TOLERANCE / np.sqrt(max(len(points) - 1, 1))

    def between(one: _Point, other: _Point, depth: int) -> Iterator[_Point]:
        """Yield points between two, in order."""
        if depth == 0 or again.evaluations >= _MOST or np.array_equal(one.x, other.x):
            return
        x = (one.x + other.x) / 2
        middle = _Point(x, one.evaluation, again.at(x))
        if any(name not in middle.gradients for name in names):
            return
        if depth < _DEEPEST and _agree(one, middle, other, sizes, tolerance):
            yield middle
            return
        yield from between(one, middle, depth - 1)
        yield middle
        yield from between(middle, other, depth - 1)

    found, kept = [points[0]], [0]
    for one, other in itertools.pairwise(points):
        found += [*between(one, other, _DEEPEST), other]
        kept.append(len(found) - 1)
    known = {None if quantity.is_loss else quantity.name: quantity for quantity in path.quantities}
    quantities = [_again(found, name, known.get(name)) for name in names]
    quantities += [_as_recorded(path, quantity, found, kept) for quantity in recorded]
    order = {quantity.name: place for place, quantity in enumerate(path.quantities)}
    return FollowedPath(
        np.array([point.evaluation for point in found]),
        np.array([point.x for point in found]),
        tuple(sorted(quantities, key=lambda quantity: order.get(quantity.name, len(order)))),
    )


def _is_told(path: FollowedPath, quantity: Quantity) -> bool:
    """Whether the recording alone tells the reasons of a quantity."""
    last = len(path.points) - 1
    change = path.change(quantity, 0, last)
    doubt = path.doubt(quantity, 0, last)
    return np.isfinite(change) and left_over(path.brought(quantity, 0, last), change, doubt) <= MOST_LEFT_OVER


def _as_recorded(path: FollowedPath, quantity: Quantity, points: Sequence[_Point], kept: Sequence[int]) -> Quantity:
    """Return a quantity that new evaluations do not show, with its slopes between its recorded points as read there."""
    values, places = np.full(len(points), np.nan), np.zeros(len(points))
    values[kept] = quantity.values
    for k, (i, j) in enumerate(itertools.pairwise(kept)):
        way = points[j].x - points[i].x
        parts = np.array([(point.x - points[i].x) @ way for point in points[i : j + 1]])
        places[i : j + 1] = k + np.linspace(0, 1, j - i + 1) if not parts[-1] else k + parts / parts[-1]
    gradients = path.gradient_along(quantity, places)
    return replace(quantity, values=values, places=np.arange(len(points)), gradients=gradients)


def _moved(point: _Point, evaluation: int) -> _Point:
    """Return a point that is visited again in a later evaluation."""
    again = object.__new__(_Point)
    again.x, again.evaluation, again.values, again.gradients = point.x, evaluation, point.values, point.gradients
    return again


def _again(points: list[_Point], name: str | None, known: Quantity | None) -> Quantity:
    """Return a quantity at all points; what is known of it is how it is called."""
    if known is None:
        known = Quantity(name or LOSS, "", np.zeros(0), np.zeros(0, np.intp), np.zeros((0, 0)), is_loss=name is None)
    values = np.array([point.values[name] for point in points])
    gradients = np.array([point.gradients[name] for point in points])
    return replace(known, values=values, places=np.arange(len(points)), gradients=gradients)


def _size(points: list[_Point], name: str | None) -> float:
    """Return the size of the changes of a quantity: what an error of its parts is measured by."""
    values = np.array([point.values[name] for point in points])
    return float(np.ptp(values)) or 1.0


def _agree(one: _Point, middle: _Point, other: _Point, sizes: dict[str | None, float], tolerance: float) -> bool:
    """Whether a step gives the same parts in one piece and in two."""
    step = other.x - one.x
    for name, size in sizes.items():
        first, half, last = (point.gradients[name] for point in (one, middle, other))
        if np.max(np.abs((first + last) / 2 - half) / 2 * np.abs(step), initial=0.0) > tolerance * size:
            return False
    return True
