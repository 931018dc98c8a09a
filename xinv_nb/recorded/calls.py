"""The calls of optimizers that were seen while recording, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class OptimizerCall:
    """One call of an optimizer over one objective: which evaluations it made, how it was set, what it said at its end.

    Examples
    --------
    >>> OptimizerCall("BFGS", start=0, stop=12, ending={"reason": "converged"}).is_over
    True
    """

    optimizer: str
    start: int
    """Its first evaluation."""
    stop: int | None = None
    """The evaluation after its last; None while it runs."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Its settings, plain numbers, texts and lists of them: `step_size`, `maxiter`, `gtol`, `bounds`, …; of SciPy's
    solvers also `function`, which the user called, and `within`, the search that started it, if one did."""
    ending: Mapping[str, Any] = field(default_factory=dict)
    """What it said of its end: `reason`, `message`, `status`, `success`, `nit`, `nfev`, …; empty where it said none."""
    title: str = ""
    """The optimizer with the setting that tells it apart, such as `Adam · step size 0.1`; may be empty."""
    differences: list[list[int]] = field(default_factory=list)
    """The evaluations for finite differences of its own, which are no steps: first, and the one after the last, of each
    row of them."""

    @property
    def counts_iterations(self) -> bool:
        """Whether it is a solver, which makes evaluations as it needs them, and no loop that was seen from outside."""
        return "function" in self.options or "nit" in self.ending

    @property
    def is_over(self) -> bool:
        """Whether it was seen to stop."""
        return self.stop is not None
