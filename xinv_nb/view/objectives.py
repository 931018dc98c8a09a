"""The objectives of a run for the view, and the run of the one that is shown."""

from __future__ import annotations

from xinv_nb.recorded.run import RecordedRun
from xinv_nb.view import protocol

_MOST = 12
"""Objectives that can be chosen: a cell may have hundreds, such as the products of a Hessian with each direction."""


class ShownObjective:
    """Which objective of a run is shown: the first, until the reader chooses another.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> def cost(x):
    ...     return x**2
    >>> def risk(x):
    ...     return x**4
    >>> with xi.record() as run:
    ...     slopes = [grad(cost)(x) + grad(risk)(1.0) for x in (3.0, 2.0)] + [grad(cost)(1.0)]
    >>> shown = ShownObjective(run)
    >>> shown.choose(1).loss
    array([1., 1.])
    >>> shown.for_view()
    {'names': ['cost · 3 evaluations', 'risk · 2 evaluations'], 'shown': 1}
    """

    def __init__(self, run: RecordedRun) -> None:
        self._runs = [run]
        self._shown = 0

    def for_view(self) -> protocol.Objectives | None:
        """Return the names of the objectives; None where there is one, and while the run goes on: the first may change.

        That it ended is looked at here, and which objectives there are then stays.
        """
        whole = self._runs[0]
        if whole.status == "running" or len(whole.histories) < 2:
            return None
        if len(self._runs) == 1:
            found = list(whole.objectives.items())[:_MOST]
            self._runs += [each for _, each in found[1:]]
            self._names = [f"{name} · {_evaluations(each)}" for name, each in found]
            for each in self._runs[1:]:
                each.id = whole.id  # the view is still that of this run, and its record stays folded
        return {"names": self._names, "shown": self._shown}

    def choose(self, place: int) -> RecordedRun:
        """Return the run of an objective, by its place; of the one that is shown where there is no such place."""
        if self.for_view() is not None and 0 <= place < len(self._runs):
            self._shown = place
        return self._runs[self._shown]


def _evaluations(run: RecordedRun) -> str:
    return f"{run.evaluations} evaluation{'' if run.evaluations == 1 else 's'}"
