"""The recording of one watched quantity, as it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.errors import XinvError


@dataclass(frozen=True)
class Profile:
    """A quantity along the simulation in one evaluation: an entry for each place."""

    at: NDArray[Any]
    """Where in the simulation."""
    values: NDArray[Any]
    cotangents: NDArray[Any]
    """The derivative of the loss by each value."""


@dataclass(frozen=True)
class Watch:
    """The recording of one watched quantity: one row for each time the simulator came by.

    `evaluation` says in which evaluation each row was recorded; `values` and `cotangents` (the derivative of the loss
    with respect to the quantity) have one entry a row, `at` is where in the simulation.
    """

    name: str
    unit: str
    evaluation: NDArray[np.intp]
    values: NDArray[Any]
    cotangents: NDArray[Any]
    at: tuple[Any, ...]

    def _nearest(self, iteration: object) -> str:
        """Return which evaluation to ask for instead."""
        if not len(self.evaluation):
            return ""
        is_number = isinstance(iteration, (int, float, np.number)) and bool(np.isfinite(iteration))
        near = self.evaluation[int(np.argmin(np.abs(self.evaluation - iteration))) if is_number else -1]  # type: ignore[operator]
        return f"; of evaluation {near} it has: profile({near})"

    def profile(self, iteration: int) -> Profile:
        """Return the quantity along the simulation in one evaluation.

        For what is watched with `at`: once with an array, or several times on the way. Raises `XinvError` where it was
        not, or where of a long run that evaluation was not kept.

        Examples
        --------
        >>> import numpy as onp
        >>> import autograd.numpy as np
        >>> import xinv_nb as xi
        >>> from autograd import grad
        >>> days = onp.array([1.0, 2.0, 4.0])
        >>> def cost(rate):
        ...     return np.sum(xi.watch(rate * days, "growth", at=days) ** 2)
        >>> with xi.record() as run:
        ...     slope = grad(cost)(0.5)
        >>> profile = run.watches["growth"].profile(0)
        >>> profile.at.tolist(), profile.values.tolist(), profile.cotangents.tolist()
        ([1.0, 2.0, 4.0], [0.5, 1.0, 2.0], [1.0, 2.0, 4.0])
        """
        rows = np.flatnonzero(self.evaluation == iteration)
        if not len(rows):
            raise XinvError(f"{self.name!r} has no values kept of evaluation {iteration!r}{self._nearest(iteration)}.")
        found = [(self.at[row], self.values[row], self.cotangents[row]) for row in rows]
        at, values, cotangents = found[0] if len(found) == 1 else (np.array(each) for each in zip(*found, strict=True))
        if at is None or np.size(at) != np.size(values) or any(place is None for place, _, _ in found):
            raise XinvError(f"{self.name!r} is not watched along the simulation: give xinv_nb.watch an `at` each time.")
        return Profile(*(np.ravel(np.asarray(each)) for each in (at, values, cotangents)))
