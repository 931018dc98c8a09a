"""The optimizer's own tolerance ended the run, by the loss's unit or by a constant in it, and not by a minimum.

A tolerance that is absolute says nothing of a loss in tiny units, one that is relative nothing of a loss with a large
constant (Gill, Murray & Wright 1981, sections 8.2.3 and 8.7; Dennis & Schnabel 1983, section 7.2).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.diagnosis.asking import STANDS_STILL
from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.constraints import is_constrained, pulled_across
from xinv_nb.facts.measures.ends import last_call, slope_at_end
from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.left import steepness
from xinv_nb.facts.measures.losses import finite_iterates
from xinv_nb.facts.measures.sizes import end_of, gradient_sizes
from xinv_nb.facts.measures.stopping import stopping_tests
from xinv_nb.language.slots import Count, LossValue, Named, Said, Slot, Value
from xinv_nb.recorded.calls import OptimizerCall
from xinv_nb.recorded.run import RecordedRun

_EPSILON = float(np.finfo(float).eps)

_OF_THE_LOSS = {"SLSQP": (("ftol", "acc"), 1e-6)}
"""Optimizers that end when the loss changes by less than an absolute tolerance: its names, and SciPy's default."""
_OF_THE_SLOPE = {
    "BFGS": (("gtol",), 1e-5),
    "Conjugate gradient": (("gtol",), 1e-5),
    "L-BFGS-B": (("gtol", "pgtol"), 1e-5),
    "trust-constr": (("gtol",), 1e-8),
    "trust-ncg": (("gtol",), 1e-4),
    "trust-exact": (("gtol",), 1e-4),
    "trust-krylov": (("gtol",), 1e-4),
    "dogleg": (("gtol",), 1e-4),
    "Trust region reflective": (("gtol",), 1e-8),
    "Dogbox": (("gtol",), 1e-8),
}
"""The same for the largest entry of the gradient."""
_RELATIVE = {"L-BFGS-B": (("ftol", "factr"), 1e7 * _EPSILON)}
"""Optimizers that end when the loss changes by less than a share of itself."""

_DONE = ("converged", "flat", "hardly changes", "first-order conditions")
"""Reasons that say that a tolerance was met."""
_MOVES = (1e-3, 1e2)
"""What the slopes ask for at least and at most, as a share of the parameters, where the loss is still to fall: as far
as the zero of a sum of squares lies, twice the loss over the slope."""
_AS_BEFORE = 0.03
"""Share of its own steepest slope that some parameter has at the end where it did not get anywhere."""
_HELD = 0.01
"""Share of its start that the loss still has there."""
_AT_ONCE = 2
"""Accepted points up to which an optimizer was content at once."""
_OF_FALL = 1e-3
"""Share of the whole fall from which on a step that the tolerance calls none is one."""
_LOOSE = 10.0
"""How many times as large as by default the program may have set a tolerance: larger, it was meant to end it early."""
_CONSTANT = 100.0
"""The loss as a multiple of its fall from which on it is a constant in the main."""


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield the tolerance that ended the run, where the loss's unit or a constant met it.

    Examples
    --------
    >>> import numpy as np
    >>> import xinv_nb as xi
    >>> from scipy.optimize import minimize
    >>> with xi.record() as run:
    ...     found = minimize(lambda p: 1e-16 * np.sum((p - 3) ** 2), [1.0, 1.0], jac=lambda p: 2e-16 * (p - 3))
    >>> run.diagnosis[0].kind
    'tolerance'
    """
    run, call = evidence.run, last_call(evidence.run)
    if call is None or run.status == "running" or call.ending.get("reason") not in _DONE:
        return
    rows = finite_iterates(run)
    if not len(rows) or rows[-1] != end_of(run) or evidence.is_noisy:
        return
    slots: dict[str, Slot] = {"optimizer": Named(call.optimizer, call.optimizer, is_of_domain=False)}
    loss = float(run.loss[rows[-1]])
    slots |= {"loss": LossValue(loss), "size": LossValue(abs(loss)), "evaluations": Count(run.evaluations)}
    for form, found in (
        ("loss below", _loss_below(evidence, call)),
        ("slope below", _slope_below(evidence, call)),
        ("relative", _relative(evidence, call)),
        ("simplex", _simplex_below(run, call)),
    ):
        if found is not None:
            yield KIND.finding(form, (0, evidence.last), slots | found)
            return
    for form, found in _at_once(evidence, call):
        yield KIND.finding(form, (0, evidence.last), slots | found, severity="caution")


def _option(call: OptimizerCall, known: tuple[tuple[str, ...], float]) -> tuple[str, float]:
    """Return a tolerance: the name that the program gave it, and its value."""
    names, default = known
    for name in names:
        value = call.options.get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return name, float(value) * (_EPSILON if name == "factr" else 1.0)
    return names[0], default


def _loss_below(evidence: Evidence, call: OptimizerCall) -> dict[str, Slot] | None:
    if call.optimizer not in _OF_THE_LOSS:
        return None
    name, tolerance = _option(call, _OF_THE_LOSS[call.optimizer])
    if tolerance > _LOOSE * _OF_THE_LOSS[call.optimizer][1]:
        return None
    if not abs(evidence.run.loss[end_of(evidence.run)]) < tolerance or not _is_far(evidence):
        return None
    return {"option": Said(name), "tolerance": Value(tolerance)}


def _slope_below(evidence: Evidence, call: OptimizerCall) -> dict[str, Slot] | None:
    run = evidence.run
    found = slope_at_end(run)
    if call.optimizer not in _OF_THE_SLOPE or found is None:
        return None
    name, tolerance = _option(call, _OF_THE_SLOPE[call.optimizer])
    if tolerance > _LOOSE * _OF_THE_SLOPE[call.optimizer][1]:
        return None
    end, slope = end_of(run), np.abs(found)
    size = float(_sizes(run.history.rows(np.array([end]))[0]).max())
    if not slope.max() <= tolerance or not abs(run.loss[end]) <= tolerance * size or not _is_far(evidence):
        return None
    return {"option": Said(name), "tolerance": Value(tolerance), "slope": Value(float(slope.max()))}


def _is_far(evidence: Evidence) -> bool:
    """Whether the slopes at the end still ask for moves that matter, and did so all along."""
    run = evidence.run
    end = end_of(run)
    rows = finite_iterates(run)
    slope = slope_at_end(run)
    is_at_once = len(rows) == 1
    if slope is None or not (run.loss[end] >= _HELD * run.loss[rows[0]] > 0 or (is_at_once and run.loss[end])):
        return False
    if pulled_across(run, slope).any() or any(fact.values.get("pull", 0.0) > 0 for fact in evidence.of("bound")):
        return False  # the slope may be that across the bound
    if not run.has_gradients and len(rows) > _AT_ONCE:
        return False  # differences of a loss that small may be rounding
    here, slopes = run.history.rows(np.array([end]))[0], run.history.rows(rows, "gradients")
    pull = float(np.abs((_sizes(here) if is_at_once else here) * slope).max())
    known = slopes[np.isfinite(slopes).all(axis=1)]
    steepest = np.abs(np.vstack([known, slope])).max(axis=0)
    if not pull > 0:
        return False
    share = float((np.abs(slope) / np.where(steepest > 0, steepest, 1.0)).max())
    return share >= _AS_BEFORE and _MOVES[0] <= 2 * abs(float(run.loss[end])) / pull <= _MOVES[1]


def _sizes(point: Floats) -> Floats:
    """Return how large the parameters are; of one that is 0 that is not known, and taken to be 1."""
    return np.asarray(np.where(point != 0, np.abs(point), 1.0))


def _at_once(evidence: Evidence, call: OptimizerCall) -> Iterator[tuple[str, dict[str, Slot]]]:
    """Yield the tolerance that the very start met, so that no step was made, unless the start is next to a zero.

    There the loss, as a sum of squares, is at its lowest; elsewhere one look does not show whether it is.
    """
    run, slope = evidence.run, slope_at_end(evidence.run)
    if call.start > 0 or np.count_nonzero(run.accepted) > 1 or slope is None or not run.loss[end_of(run)]:
        return
    if is_constrained(run) or call.options.get("bounds") is not None or evidence.tape_events or not run.has_gradients:
        return  # slopes by differences may be rounding
    pull = float((_sizes(run.history.rows(np.array([end_of(run)]))[0]) * np.abs(slope)).max())
    if not 2 * abs(float(run.loss[end_of(run)])) >= _MOVES[0] * pull > 0:
        return
    for test in stopping_tests(run):
        if test.is_met and test.about in ("slope", "promise") and test.size > 0:
            option: dict[str, Slot] = {"option": Said(test.option), "tolerance": Value(test.limit)}
            yield f"at once, by its {test.about}", {test.about: Value(test.size), **option}


def _relative(evidence: Evidence, call: OptimizerCall) -> dict[str, Slot] | None:
    """Return what L-BFGS-B's share of the loss is, where that is a step that matters."""
    run = evidence.run
    path = evidence.path
    if call.optimizer not in _RELATIVE or call.ending.get("reason") != "hardly changes" or path is None:
        return None
    name, share = _option(call, _RELATIVE[call.optimizer])
    _, slope_tolerance = _option(call, _OF_THE_SLOPE["L-BFGS-B"])
    loss = path[2]
    fall, size = float(loss[0] - loss[-1]), float(np.abs(loss[-2:]).max())
    slope = float(np.abs(path[1][-1]).max())
    is_constant = 0 < _CONSTANT * fall < size
    if not is_constant or not share * size > _OF_FALL * fall or not slope > 100 * slope_tolerance:
        return None
    bowl = evidence.bowl
    if not steepness(path).max() >= _AS_BEFORE or (bowl is not None and bowl.left < _OF_FALL * fall):
        return None
    sizes = gradient_sizes(run)
    return {
        "option": Said(name if name == "ftol" else "ftol (factr times the machine's precision)"),
        "share": Value(share),
        "tolerance": Value(share * size),
        "slope": Value(float(sizes[end_of(run)])),
        "fall": LossValue(fall),
    }


def _simplex_below(run: RecordedRun, call: OptimizerCall) -> dict[str, Slot] | None:
    """Return Nelder-Mead's tolerances where all that it ever looked at lay within them."""
    if call.optimizer != "Nelder-Mead":
        return None
    (name, of_points), (_, of_loss) = _option(call, (("xatol", "xtol"), 1e-4)), _option(call, (("fatol", "ftol"), 1e-4))
    loss, points = run.loss, run.history.values.array
    is_within = bool(np.ptp(points, axis=0).max() <= of_points and np.ptp(loss) <= of_loss)
    if not is_within or not np.isfinite(loss).all() or not np.ptp(loss) > 1e-6 * np.abs(loss).max():
        return None
    return {
        "option": Said(name),
        "tolerance": Value(of_points),
        "loss_option": Said("fatol" if name == "xatol" else "ftol"),
        "loss_tolerance": Value(of_loss),
    }


KIND = FindingKind(
    name="tolerance",
    severity="warning",
    rank=20,
    slots={
        "optimizer": Named,
        "loss": Value,
        "evaluations": Count,
        "option": Said,
        "tolerance": Value,
        "size": Value,
        "slope": Value,
        "promise": Value,
        "share": Value,
        "fall": Value,
        "loss_option": Said,
        "loss_tolerance": Value,
    },
    compute=compute,
    means="The optimizer's tolerance ended the run because of the loss's unit or a constant in it, not at a minimum; "
    "or the start met it, so that no step was made.",
    seen_by="the optimizer's own tests, with their options or SciPy's defaults, beside the loss, its fall and the "
    "slopes at the end (Gill, Murray & Wright 1981, 8.2.3)",
    example="L-BFGS-B on a likelihood with a constant of 3e8; SLSQP on data of 1e-8",
    asked_with=STANDS_STILL + r"|\bstop(?:ped)? (?:so )?(?:early|soon)|\btoo (?:early|soon)",
    silences=("minimum", "gradient", "advice", "convergence", "identifiability", "course: hardly changed"),
)
