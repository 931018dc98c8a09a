"""What a fit is, as a reader holds it: one optimization by one optimizer from one start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.measures.stretch import Stretch
from xinv_nb.language.renderer import said
from xinv_nb.recorded.endings import why_of
from xinv_nb.recorded.run import RecordedRun, Status


@dataclass(frozen=True)
class Fit:
    """One optimization by one optimizer from one start: evaluations `start` up to, but not including, `stop`.

    Examples
    --------
    >>> Fit(0, 12, "cost", "BFGS", {}, "finished", "", 11).start
    0
    """

    start: int
    stop: int
    objective: str
    """The name of the objective of which these are evaluations, as in `run.objectives`."""
    optimizer: str = ""
    """Its name where it is known, else empty."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Its settings where they are known, such as `step_size`, also of a loop of plain gradient steps."""
    status: Status = "finished"
    ending: str = ""
    """Why the optimizer stopped, in words, where it said so."""
    best: int = 0
    """The evaluation with the lowest loss that was accepted."""
    looks: tuple[tuple[int, int], ...] = ()
    """The evaluations between its own that were no part of it, such as those of a plot: first, and after the last."""


def fits_of(run: RecordedRun, parts: Sequence[Stretch], name: str) -> list[Fit]:
    """Return the fits among the stretches of the objective that `run` shows, which is called `name`."""
    return [_fit(run, part, name) for part in parts if not part.look]


def _fit(run: RecordedRun, part: Stretch, name: str) -> Fit:
    call = part.call
    reaches_the_end = part.stop == run.evaluations
    status: Status = run.status if reaches_the_end and (call is None or not call.is_over) else "finished"
    why = None if call is None else why_of({"optimizer": call.optimizer, **call.ending})
    ending = "" if why is None else said("why", {"why": why})
    optimizer = "" if call is None else call.optimizer
    fit = Fit(part.start, part.stop, name, optimizer, part.options, status, ending, part.start, part.left_out)
    rows = iterates_of_fit(run, fit)
    loss = run.loss[rows]
    return replace(fit, best=int(rows[np.nanargmin(loss)])) if np.isfinite(loss).any() else fit


def iterates_of_fit(run: RecordedRun, fit: Fit) -> NDArray[np.intp]:
    """Return the evaluations of a fit that were accepted.

    >>> iterates_of_fit(RecordedRun(), Fit(0, 0, "cost")).tolist()
    []
    """
    accepted = run.accepted[fit.start : fit.stop].copy()
    for first, stop in fit.looks:
        accepted[first - fit.start : stop - fit.start] = False
    return np.flatnonzero(accepted) + fit.start
