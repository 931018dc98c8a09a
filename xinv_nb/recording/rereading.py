"""The user's own objective evaluated again at points of our choice, with the watched quantities and their gradients.

A recording of its own takes these evaluations, and the user's run sees nothing of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.errors import XinvError, told
from xinv_nb.recorded.history import History
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.recording.backends.protocol import Derivatives
from xinv_nb.recording.backends.registry import differentiating
from xinv_nb.recording.context import unrecorded
from xinv_nb.recording.recorder import Recorder
from xinv_nb.recording.reevaluating import flat

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Reading:
    """What one evaluation says."""

    loss: float
    gradient: Floats
    values: Mapping[str, float]
    """The watched quantities that are one real number each, and the terms of the loss."""
    gradients: Mapping[str, Floats]
    """The gradient of each by the parameters."""


class Rereader:
    """Evaluates an objective again, and counts how often."""

    def __init__(self, derivatives: Derivatives, run: RecordedRun) -> None:
        self._derivatives, self._run = derivatives, run
        self.evaluations = 0

    def at(self, x: Floats) -> Reading:
        """Return what the objective says at a point; raises `XinvError` where it cannot be had there."""
        self.evaluations += 1
        try:
            gradient = np.asarray(self._derivatives.gradient(x), dtype=float)
        except Exception as error:
            raise XinvError(
                f"The objective could not be evaluated between two recorded points ({told(error)}). "
                "Pass a function that takes the recorded parameters and nothing else, such as lambda x: loss(x, 0)."
            ) from error
        history = self._run.history
        latest = len(history) - 1
        if latest < 0:
            raise XinvError(
                "The objective returned no number that depends on the parameters. Pass the function whose gradient was "
                "recorded."
            )
        watched = {name: columns for name, columns in history.slopes.items() if columns.evaluation[-1:] == [latest]}
        evaluations, of_terms = history.sums.arrays()
        values: dict[str, float] = {}
        if evaluations[-1:].tolist() == [latest]:
            values = dict(zip((term.name for term in history.sums.terms), of_terms[-1].tolist(), strict=True))
        for name in watched.keys() & history.watches.keys():
            values[name] = float(np.real(history.watches[name].values.stacked()[-1]))
        watched = {name: columns for name, columns in watched.items() if name in values}
        gradients = {name: np.real(columns.gradients[-1]) for name, columns in watched.items()}
        return Reading(float(history.loss.array[latest]), gradient, values, gradients)


@contextmanager
def rereading(objective: Callable[..., Any], history: History) -> Iterator[Rereader]:
    """Have an objective evaluated again inside; its parameters are laid out as in `history`."""
    run = RecordedRun()
    with unrecorded():
        recorder = Recorder(run, max_events=0, reads_all=True)
        recorder.start()
        try:
            yield Rereader(differentiating().derivatives(flat(objective, history)), run)
        finally:
            recorder.stop()
