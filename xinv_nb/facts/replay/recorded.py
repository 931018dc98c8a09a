"""How the fit that is shown was optimized, as far as the recording shows it: what it takes to do the same again.

An optimizer of the framework or of SciPy is run as it was set; a loop of the program's own where its steps follow one
rule of gradients throughout.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from xinv_nb.facts.measures.promises import ways_of_iterates
from xinv_nb.facts.measures.updates import Rule, rule_of
from xinv_nb.recorded.calls import OptimizerCall
from xinv_nb.recorded.run import RecordedRun

LOOPS = ("Adam", "RMSProp", "Gradient descent with momentum")
"""The optimizers of autograd."""
DESCENT = "Gradient descent"
MINIMIZERS = {
    "BFGS": "BFGS", "L-BFGS-B": "L-BFGS-B", "Conjugate gradient": "CG", "SLSQP": "SLSQP", "TNC": "TNC",
    "Nelder-Mead": "Nelder-Mead", "Powell": "Powell", "COBYLA": "COBYLA",
}  # fmt: skip
"""Methods of SciPy's `minimize` that need no second derivatives, which a recording does not have."""
SEARCHES = ("Nelder-Mead", "Powell", "COBYLA")
"""Those that take no gradient."""
FITTERS = {"Trust region reflective": "trf", "Dogbox": "dogbox", "Levenberg-Marquardt": "lm"}
"""Methods of SciPy's `least_squares`."""
_NO_OPTION = frozenset(
    {"function", "within", "bounds", "constraints", "absolute_sigma", "sigma_given", "disp", "iprint"}
)
_RULE_HOLDS = 1e-6
"""Share of a step that its rule may leave unexplained."""


@dataclass(frozen=True)
class Recorded:
    """An optimizer and its settings."""

    optimizer: str = ""
    """As a recording names it; empty where it is not known well enough to be run again."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What it is told, by the names of its arguments and options."""
    bounds: list[Any] | None = None
    steps: int = 0
    """How many evaluations a loop makes."""
    rule: tuple[float, float, float] = (0.0, 0.0, 0.0)
    step_size: float | None = None
    with_slopes: bool = True
    why_not: str = ""
    """Why it cannot be run again as it was."""
    is_free: bool = True
    """Whether another optimizer may be put in its place: not where what constrains it is not recorded."""


def recorded_optimizer(run: RecordedRun) -> Recorded:
    """Return how a run that is one fit was optimized.

    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     x = 4.0
    ...     for _ in range(8):
    ...         run.add(x**2, x, 2 * x)
    ...         x -= 0.25 * 2 * x
    >>> found = recorded_optimizer(run)
    >>> found.optimizer, found.step_size, found.steps
    ('Gradient descent', 0.25, 8)
    """
    calls = run.history.calls
    if any(call.options.get("constraints") for call in calls):
        return Recorded(why_not="its constraints are functions, which are not recorded", is_free=False)
    if any(_lost_bounds(call) for call in calls):
        return Recorded(why_not="its bounds are too many to be kept", is_free=False)
    bounds = calls[0].options.get("bounds") if calls else None
    if any(call.options.get("bounds") != bounds for call in calls):
        return Recorded(why_not="its optimizers had different bounds", is_free=False)
    found = _optimizer(run, calls)
    return found if found.optimizer else replace(found, bounds=bounds)


def _optimizer(run: RecordedRun, calls: Sequence[OptimizerCall]) -> Recorded:
    if len(calls) > 1:
        return Recorded(why_not=f"{len(calls)} optimizers ran here, one after or inside another")
    if not calls:
        return _by_rule(run)
    call = calls[0]
    if call.optimizer in LOOPS:
        options = dict(call.options)
        steps = options.pop("num_iters", run.evaluations)
        return Recorded(call.optimizer, options, None, int(steps), step_size=options.get("step_size"))
    if call.options.get("function") == "minimize" and call.optimizer in MINIMIZERS:
        return _minimizer(run, call)
    if call.options.get("function") in ("least_squares", "leastsq", "curve_fit") and call.optimizer in FITTERS:
        return _fitter(run, call)
    return Recorded(why_not=f"how {call.optimizer} was set is not recorded in full")


def _minimizer(run: RecordedRun, call: OptimizerCall) -> Recorded:
    settings = _settings(call)
    has_slopes = run.has_gradients and not call.differences
    if not has_slopes and call.optimizer not in SEARCHES and not call.differences:
        return Recorded(why_not=f"whether {call.optimizer} was given a gradient is not recorded")
    with_slopes = has_slopes and call.optimizer not in SEARCHES
    return Recorded(call.optimizer, settings, call.options.get("bounds"), with_slopes=with_slopes)


def _fitter(run: RecordedRun, call: OptimizerCall) -> Recorded:
    if run.history.residuals is None:
        return Recorded(why_not="the residuals of the fit are not recorded")
    settings, is_older = _settings(call), "x_scale" not in call.options
    if (not is_older and "jac" not in settings) or (is_older and not call.differences):
        return Recorded(why_not="the Jacobian was a function, which is not recorded")
    return Recorded(call.optimizer, settings, call.options.get("bounds"), with_slopes=False)


def _settings(call: OptimizerCall) -> dict[str, Any]:
    """Return what an optimizer was told; an infinite limit is told in words."""
    given = {name: value for name, value in call.options.items() if name not in _NO_OPTION}
    return {name: math.inf if value == "inf" else value for name, value in given.items()}


def _lost_bounds(call: OptimizerCall) -> bool:
    return bool(call.ending.get("bounded")) and not call.options.get("bounds")


def _by_rule(run: RecordedRun) -> Recorded:
    unknown = "its optimizer is not known, and its steps follow no rule that is"
    if not run.has_gradients or run.history.kept is not None or not run.accepted.all():
        return Recorded(why_not=unknown)
    with np.errstate(all="ignore"):
        ways = ways_of_iterates(run)
        rule = None if ways is None else rule_of(run, ways)
        if rule is None:
            return Recorded(why_not=unknown)
        if not _holds_throughout(run, rule):
            return Recorded(why_not="the size of its steps changed on the way, by a rule that is not recorded")
    momentum, along, along_before = (_as_written(each) for each in (rule.momentum, rule.along, rule.along_before))
    factors, step_size = (momentum, along, along_before), abs(_as_written(along + along_before))
    return Recorded(DESCENT, {}, None, run.evaluations, factors, step_size)


def _as_written(factor: float) -> float:
    """Return a factor without the last digits, which least squares leave to rounding: 0.25 is found as such."""
    return float(f"{factor:.12g}")


def _holds_throughout(run: RecordedRun, rule: Rule) -> bool:
    """Whether every step follows from the one before and the gradients by the rule."""
    points, slopes = run.history.values.array, run.history.gradients.array[:-1]
    steps = np.diff(points, axis=0)
    if not np.isfinite(points).all() or not np.isfinite(slopes).all():
        return False
    before = [np.vstack([np.zeros_like(rows[:1]), rows[:-1]]) for rows in (steps, slopes)]
    predicted = rule.momentum * before[0] + rule.along * slopes + rule.along_before * before[1]
    rounding = np.finfo(float).eps * np.abs(points[1:]).max(axis=1) * 8
    apart = np.linalg.norm(steps - predicted, axis=1)
    return bool((apart <= _RULE_HOLDS * np.linalg.norm(steps, axis=1) + rounding).all())
