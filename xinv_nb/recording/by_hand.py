"""Evaluations that a program hands over itself, with no framework that differentiates: the work of `Run.add`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.errors import XinvError
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.recording import given
from xinv_nb.recording.evaluation import Evaluation, Layout, NoTape
from xinv_nb.recording.events import WatchedValue
from xinv_nb.recording.recorder import Recorder, recorder_of
from xinv_nb.recording.structure import copied

_BEFORE = "as in the evaluations before"
_NO_SQUARES = (
    "The loss is neither the sum of the squares of the residuals nor half of it, so that the Jacobian gives no "
    "gradient: run.add(…, gradients=…) takes it."
)
_NO_TAPE = NoTape()


class GivenEvaluation(Evaluation):
    """One evaluation of which the numbers were handed over."""

    inside_a_pass = False

    def layout(self) -> Layout:
        """Return that the objective takes what was handed over, as one argument."""
        return Layout("objective", self.point, (given.ROOT,))


class ByHand:
    """What the evaluations by hand of one recording have in common; the first of them decides."""

    def __init__(self) -> None:
        self._shapes: given.Shapes | None = None
        self._residuals: int | None = None
        self._units: dict[str, str] = {}

    def close(self) -> None:
        """Do nothing: all that was handed over is recorded."""

    def read(
        self,
        loss: Any,
        parameters: Any,
        gradients: Any,
        residuals: Any,
        jacobian: Any,
        quantities: Mapping[str, Any],
        stage: str,
    ) -> tuple[GivenEvaluation, Any | None, bool]:
        """Return an evaluation with its gradient, and whether its Jacobian gave none; raises where it does not fit."""
        value, point = given.number(loss, "loss"), given.parameters(parameters)
        shapes = given.shapes(point)
        if not sum(math.prod(shape) for shape in shapes.values()):
            raise XinvError("parameters must hold at least one number; run.add was given none.")
        if self._shapes is not None:
            given.same_shapes(shapes, self._shapes, "parameters", _BEFORE)
        row = None if residuals is None else given.vector(residuals, "residuals")
        count = None if row is None else len(row)
        if self._shapes is not None and count != self._residuals:
            raise XinvError(f"residuals must be {_many(self._residuals)} {_BEFORE}; run.add was given {_many(count)}.")
        gradient, whole, is_missing = None, None, False
        if jacobian is not None:
            if row is None:
                raise XinvError("jacobian is that of the residuals: hand residuals over as well.")
            whole = given.whole_jacobian(jacobian, len(row), point)
        if gradients is not None:
            gradient = given.parameters(gradients, "gradients")
            given.same_shapes(given.shapes(gradient), shapes, "gradients", "in the parameters")
        elif row is not None and whole is not None:
            with np.errstate(all="ignore"):  # what the program does at an overflow is for its own numbers
                gradient = given.gradient_of_squares(value, row, whole, point)
            is_missing = gradient is None
        units = dict(self._units)
        watched = [_watched(name, quantity, units, stage) for name, quantity in quantities.items()]

        evaluation = GivenEvaluation(("by hand", count), copied(point, summarise=True))
        evaluation.loss, evaluation.residuals, evaluation.jacobian, evaluation.watched = value, row, whole, watched
        evaluation.has_gradient = gradient is not None
        self._shapes, self._residuals, self._units = shapes, count, units
        return evaluation, gradient, is_missing


def add(
    run: RecordedRun,
    loss: Any,
    parameters: Any,
    gradients: Any,
    residuals: Any,
    jacobian: Any,
    quantities: Mapping[str, Any],
) -> None:
    """Record one evaluation into an open recording."""
    recorder = recorder_of(run)
    if recorder is None:
        raise XinvError(
            f"run.add records into a recording that is open, and this run is {run.status}: call it inside the block "
            "of `with xinv_nb.record() as run:`."
        )
    stage = recorder.stages[-1] if recorder.stages else ""
    evaluation, gradient, is_missing = _by_hand(recorder).read(
        loss, parameters, gradients, residuals, jacobian, quantities, stage
    )
    try:
        if is_missing:
            recorder.notice(_NO_SQUARES)
        # The simulator ran before its results are handed over: what it reported meanwhile belongs to them.
        evaluation.happenings = [happening for _, happening in recorder.events.outside]
        for each in recorder.self_and_around():
            each.events.drop_outside(evaluation.happenings)
        if not math.isfinite(evaluation.loss):
            recorder.look_forward(evaluation, _NO_TAPE)
        recorder.take(evaluation, gradient, _NO_TAPE)
    except Exception as error:  # noqa: BLE001 - what goes wrong in recording is a notice, not an error of the program
        recorder.failed(error)


def _by_hand(recorder: Recorder) -> ByHand:
    found: ByHand | None = recorder.beside.get("by hand")
    if found is None:
        found = recorder.beside["by hand"] = ByHand()
    return found


def _watched(name: str, quantity: Any, units: dict[str, str], stage: str) -> WatchedValue:
    """Return a quantity as a watched one, of which nothing is known but its value; takes note of its unit."""
    if not name:
        raise XinvError("A quantity of run.add needs a name, such as run.add(loss, x, speed=3.2).")
    value, unit = quantity, ""
    if isinstance(quantity, tuple):
        if len(quantity) != 2 or not isinstance(quantity[1], str):
            raise XinvError(f"{name} must be a number, an array, or a pair of value and unit such as (3.2, 'km').")
        value, unit = quantity
    found = given.array(value, name, "biuf")
    known = units.setdefault(name, unit)
    if unit and unit != known:
        raise XinvError(f"{name} must be in {known or 'no unit'} {_BEFORE}; run.add was given {unit}.")
    numbers: float | NDArray[np.float64] = found.copy() if found.ndim else float(found)
    unknown = np.full(found.shape, np.nan) if found.ndim else math.nan
    return WatchedValue(name, known, numbers, None, stage, unknown)


def _many(count: int | None) -> str:
    return "none" if count is None else f"a vector of {count}"
