"""What a fit is, as a reader holds it: one optimization by one optimizer from one start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xinv_nb.facts.measures.fits import Stretch
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
    return Fit(part.start, part.stop, name, optimizer, part.options, status, ending, best_of(run, part))


def best_of(run: RecordedRun, part: Stretch) -> int:
    """Return the evaluation of a stretch with the lowest loss that was accepted; the first, where none is a number."""
    loss = np.where(run.accepted[part.start : part.stop], run.loss[part.start : part.stop], np.nan)
    return part.start + (int(np.nanargmin(loss)) if np.isfinite(loss).any() else 0)
