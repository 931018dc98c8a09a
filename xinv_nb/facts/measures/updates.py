"""By which rule the steps of a loop follow from its gradients: plain descent, momentum, Nesterov's momentum.

Method: least squares for the numbers a, b, c in `step = a · step before + b · gradient + c · gradient before`, the
simplest rule that explains every step to many digits (Polyak 1964; Nesterov 1983). By them a loss of curvature L is
followed stably up to a step size 2 (1 + a) / (L (c − b)) times as long.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.promises import Ways
from xinv_nb.recorded.run import RecordedRun

_FEWEST = 4
"""Steps that show a rule."""
_READ = 200
"""Steps that it is read from."""
_EXACT = 1e-6
"""Share of a step that a rule may leave unexplained."""
_VISIBLE = 1e-8
"""Share of the parameters' size below which rounding spoils a step."""
_CALMER = 0.9
"""How much shorter, beside those of the first third, the steps of the last are that become shorter."""
_PLAIN = "Gradient descent"


@dataclass(frozen=True)
class Rule:
    """How the next step follows from the last one and from the gradients."""

    momentum: float
    along: float
    """Factor of the gradient: less than 0 where the steps go down."""
    along_before: float = 0.0
    """Factor of the gradient before."""
    told: float | None = None
    """The step size as the optimizer was told it; None where nobody told it."""
    calms: bool = False
    """Whether the steps become shorter for one and the same gradient, as by a schedule."""

    @property
    def step_size(self) -> float:
        """The step size, as the optimizer was told it or else as the factor of the gradient."""
        return -(self.along + self.along_before) if self.told is None else self.told

    @property
    def in_the_end(self) -> float:
        """The length to which the steps along a steady gradient grow, beside that gradient."""
        return -(self.along + self.along_before) / (1 - self.momentum)

    def stable_up_to(self, curvature: float) -> float:
        """Return the step size from which on a loss of this curvature is not followed any more.

        >>> round(Rule(0.8, -0.004, told=0.02).stable_up_to(38000.0), 9)
        0.000473684
        """
        times = 2 * (1 + self.momentum) / (curvature * (self.along_before - self.along))
        return self.step_size * times


def rule_of(run: RecordedRun, ways: Ways) -> Rule | None:
    """Return by which rule the ways from iterate to iterate follow from their gradients; None where by none of these.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from xinv_nb.facts.measures.promises import ways_of_iterates
    >>> with xi.record() as run:
    ...     x = 4.0
    ...     for _ in range(6):
    ...         run.add(x**2, x, 2 * x)
    ...         x -= 0.25 * 2 * x
    >>> rule_of(run, ways_of_iterates(run)).step_size
    0.25
    """
    ways = ways[np.arange(min(_READ, len(ways)))]
    if len(ways) < _FEWEST or (ways.end[:-1] != ways.start[1:]).any():
        return None
    size = np.abs(run.history.values.array[ways.start]).max(axis=1)
    visible = ways.lengths > _VISIBLE * size
    if np.count_nonzero(visible) < _FEWEST:
        return None
    steps, slopes = ways.steps, ways.slopes
    before = [np.vstack([np.zeros_like(rows[:1]), rows[:-1]]) for rows in (steps, slopes)]
    for parts in ((slopes,), (before[0], slopes), (before[0], slopes, before[1])):
        found = _factors(ways, visible, parts)
        if found is not None:
            momentum, along, along_before = [*([0.0] if len(found) == 1 else []), *found, 0.0][:3]
            return Rule(momentum, along, along_before, _told(run))
    return _with_changing_size(ways, visible)


def _factors(ways: Ways, visible: NDArray[np.bool_], parts: tuple[Floats, ...]) -> list[float] | None:
    """Return the factors of the parts that explain every step, each measured by its own length."""
    weights = 1 / ways.lengths[visible]
    columns = np.stack([(part[visible] * weights[:, None]).ravel() for part in parts], axis=1)
    steps = (ways.steps[visible] * weights[:, None]).ravel()
    if not np.isfinite(columns).all() or columns.shape[0] <= columns.shape[1]:
        return None
    scale = np.abs(columns).max(axis=0)
    if not (scale > 0).all():
        return None
    factors, *_ = np.linalg.lstsq(columns / scale, steps, rcond=None)
    left = (steps - columns / scale @ factors).reshape(len(weights), -1)
    return [float(each) for each in factors / scale] if np.linalg.norm(left, axis=1).max() <= _EXACT else None


def _with_changing_size(ways: Ways, visible: NDArray[np.bool_]) -> Rule | None:
    """Return the usual rule of plain steps of which the size changes, by a schedule or by clipping."""
    steps, slopes = ways.steps[visible], ways.slopes[visible]
    squares = np.einsum("ij,ij->i", slopes, slopes)
    rates = -np.einsum("ij,ij->i", steps, slopes) / squares
    left = np.linalg.norm(steps + rates[:, None] * slopes, axis=1)
    is_plain = np.isfinite(rates).all() and (rates > 0).all() and steps.shape[1] > 1
    if not is_plain or (left > _EXACT * ways.lengths[visible]).any():
        return None
    third = max(len(rates) // 3, 1)
    return Rule(
        0.0, -float(np.median(rates)), calms=bool(np.median(rates[-third:]) < _CALMER * np.median(rates[:third]))
    )


def _told(run: RecordedRun) -> float | None:
    """Return the step size of autograd's own descent, which weighs each gradient by one less its momentum."""
    for call in run.history.calls:
        size = call.options.get("step_size")
        if call.optimizer.startswith(_PLAIN) and isinstance(size, (int, float)):
            return float(size)
    return None
