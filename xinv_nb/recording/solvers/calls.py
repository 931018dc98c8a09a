"""One call of a solver, and what a recording wants to know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class SolverCall:
    """One call of a scipy solver."""

    name: str
    frame: int
    """Identity of the frame of `minimize`. Not the frame: that would keep the user's arrays alive."""
    bounds: tuple[NDArray[Any], NDArray[Any]] | None
    has_gradient: bool
    """Whether it was given a gradient; else scipy evaluates points around each for finite differences."""
    free: NDArray[np.intp] | None
    """The parameters that the solver sees, where scipy takes those out that their bounds fix."""

    options: Mapping[str, Any] = field(default_factory=dict)
    """What it was told: tolerances, limits, bounds, as plain data."""
    differences: bool = False
    """Whether scipy evaluates points around each for finite differences of its own."""
    best_so_far: bool = False
    """Whether its iterates are the best points so far, which it need not report."""
    constraints: list[dict[str, Any]] = field(default_factory=list)
    """What is known of its constraints at its end: see `solvers.constraints`."""
    at_end: dict[str, float] = field(default_factory=dict)
    """What only its frame knew of its tests at its end: see `solvers.stopping`."""

    def seen(self, x: Any) -> NDArray[Any]:
        """Return a copy of what the solver sees of the point `x` that the objective is called with."""
        array = np.array(x).reshape(-1)
        return array[self.free] if self.free is not None and len(array) > len(self.free) else array


class Asked(Protocol):
    """One call of a function of the user's by a solver."""

    call: SolverCall
    x: NDArray[Any]
    """A copy of the point as the solver sees it; the user's function may change its own."""
    is_difference: bool
    """Whether it is for a finite difference of the solver's: no step, and no trial of one."""
    function: Any
    """The innermost function that was reached, where solvers call each other's."""
    around: Asked | None
    """The call of another solver that it is inside of."""
    inside: list[tuple[Any, Any]]
    """Evaluations that were recorded meanwhile, by a framework or by hand, with their gradients, until it is known
    whether they are what the solver asked for."""


class Follower(Protocol):
    """What one recording wants to know of scipy's solvers."""

    def begins(self, call: SolverCall) -> None:
        """Take note that a solver is about to start."""

    def searches(self) -> None:
        """Take note that the program calls scipy's line search for its own next step."""

    def iterates(self, call: SolverCall, x: NDArray[Any]) -> None:
        """Take note that the solver has accepted the point `x`."""

    def ends(self, call: SolverCall, result: Any, *, stopped: bool) -> None:
        """Take note of the result, and whether the user's callback stopped the solver."""
