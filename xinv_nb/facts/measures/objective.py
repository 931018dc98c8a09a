"""What the objective is called: as the user told, or as the watched quantity that it is, or as in the program."""

from __future__ import annotations

import math
import weakref
from collections.abc import Mapping
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from xinv_nb.language.renderer import LOSS
from xinv_nb.language.slots import LossNamed, Slot, named_in
from xinv_nb.recorded.history import History
from xinv_nb.recorded.problem import Objective
from xinv_nb.recorded.run import RecordedRun

_MOST_LOOKED_AT = 12
"""Watched quantities, in the order in which the simulator names them."""
_MOST_COMPARED = 64
_NAMES_OF_ANY_OBJECTIVE = {"", "<lambda>", "loss", "objective", "f", "fun", "func", "function"}


def told_of_loss(run: RecordedRun) -> Objective | None:
    """Return what the user told of the objective that is shown; None where nothing, and of players of a game.

    >>> told_of_loss(RecordedRun()) is None
    True
    """
    return None if run.problem is None or run.history.moved_by else run.problem.objective


def loss_slots(run: RecordedRun) -> Mapping[str, Slot]:
    """Return the slots by which sentences about a run call the loss what the user calls it."""
    told = told_of_loss(run)
    return {} if told is None else {LOSS: LossNamed(told.name, told.unit, told.lower, told.higher)}


def with_loss(run: RecordedRun, slots: Mapping[str, Slot]) -> Mapping[str, Slot]:
    """Return slots that call the loss what the user calls it, with its unit at its values.

    >>> with_loss(RecordedRun(), {})
    {}
    """
    for name, loss in loss_slots(run).items():
        return {**named_in(slots, loss), name: loss} if isinstance(loss, LossNamed) else slots
    return slots


def name_of_loss(run: RecordedRun) -> tuple[str, str]:
    """Return what the loss is called, and its unit: as the user told, or by a watched quantity that is the loss.

    Else it is called what the program calls it.

    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> with xi.record() as run:
    ...     slope = grad(lambda x: xi.watch(x**2, "travel time", "min"))(3.0)
    >>> name_of_loss(run)
    ('travel time', 'min')
    """
    if told := told_of_loss(run):
        return told.name, told.unit
    if watched := watch_that_is_the_loss(run):
        return watched, run.history.watches[watched].unit
    # A program that returns residuals is named after these, or after the model, and neither is the loss.
    name = "" if run.history.residuals is not None else run.history.objective
    return ("loss" if name in _NAMES_OF_ANY_OBJECTIVE else name.strip("_").replace("_", " ")), ""


_found: weakref.WeakKeyDictionary[History, tuple[int, str]] = weakref.WeakKeyDictionary()
"""After how many evaluations it was looked for, and what was found: each message of a live run asks several times."""


def watch_that_is_the_loss(run: RecordedRun) -> str:
    """Return the name of the quantity that equals the loss wherever one looks, or an empty string."""
    count, name = _found.get(run.history, (-1, ""))
    if count != run.evaluations:
        count, name = run.evaluations, _look_for_the_loss(run)
        _found[run.history] = count, name
    return name


def _look_for_the_loss(run: RecordedRun) -> str:
    count = run.evaluations
    once = [
        (name, w)
        for name, w in islice(run.history.watches.items(), _MOST_LOOKED_AT)
        if w.stride == 1 and len(w.at) == count
    ]
    if count == 0 or not once:
        return ""
    rows = np.arange(0, count, max(1, count // _MOST_COMPARED))
    loss = run.loss[rows]
    for name, watch in once:
        values = watch.values.between(0, count)
        if not isinstance(values, np.ndarray) or _differ(float(values[-1]), float(run.loss[count - 1])):
            continue  # most of them: told apart by one look
        if not np.array_equal(watch.evaluation.array[rows], rows):
            continue
        if _are_same(values[rows], loss):
            return name
    return ""


def _are_same(values: NDArray[np.float64], loss: NDArray[np.float64]) -> bool:
    """Whether these are the same numbers, or both not a number; `np.allclose` takes ten times as long."""
    known = np.isfinite(loss)
    near = np.abs(values[known] - loss[known]) <= 1e-9 * np.abs(loss[known])
    return bool(near.all()) and np.array_equal(values[~known], loss[~known], equal_nan=True)


def _differ(one: float, other: float) -> bool:
    return math.isfinite(one) and not math.isclose(one, other, rel_tol=1e-8)
