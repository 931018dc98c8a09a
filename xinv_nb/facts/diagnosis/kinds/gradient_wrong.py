"""The gradient is not that of the loss: what it promises of short steps is not what the loss does."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.diagnosis.asking import WRONG_GRADIENT
from xinv_nb.facts.diagnosis.finding import Finding, Severity
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.contradictions import OFF, contradictions, disagree, matters, visible
from xinv_nb.facts.measures.names import named
from xinv_nb.facts.measures.promises import Ways
from xinv_nb.facts.measures.short_trials import steady_ray
from xinv_nb.language.slots import Clause, Count, Iteration, LossValue, Named, Slot, Value
from xinv_nb.recorded.checks import Checks
from xinv_nb.recorded.run import RecordedRun

_FEWEST = 6
"""Steps that have to disagree."""
_SHORT = 0.6
"""How much the promises of both ends may differ on a way that is short beside the curvature."""
_MOSTLY = 0.8
"""Share of the short ways that have to be off."""
_SOME = 0.3
"""The same where a wrong factor of one entry explains every step."""
_UNEXPLAINED = 0.05
"""Share of the disagreement that such a factor may leave unexplained."""
_FEWEST_A_PARAMETER = 3
"""Steps for each parameter from which on it is no chance that one of them explains every step."""
_MOST_PARAMETERS = 100
_SHORTER = 10.0
"""How many times shorter the shortest way has to be than the longest: what comes of curvature vanishes with it."""
_STEADY = 0.3
"""Share of the disagreement by which it may vary from one way to the next: noise and jumps vary more."""
_FEWEST_EXACT, _EXACT = 4, 1e-5
"""Ways that are off by one factor to so many digits, however bent they are,"""
_UNLIKE = 0.2
"""and by how much the bends have to differ: on ways of one shape, a power of the distance is off by a factor, too."""
_NEXT_TO_NOTHING = 0.01
_CONSTANT = 1e-2
"""How nearly the ratios have to be one and the same to be told as a factor."""


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield that the gradient does not belong to the loss: as `run.diagnose` measured it, or by trials or steps.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     x = 4.0
    ...     for _ in range(40):
    ...         run.add(x**2, x, 4 * x)
    ...         x -= 0.05 * 4 * x
    >>> run.diagnosis[0].values["ratio"]
    0.5
    """
    if measured := _measured(evidence):
        yield measured
    elif evidence.is_minimized and not evidence.are_losses_drawn:
        yield from _by_trials(evidence) or _by_steps(evidence) or _by_points(evidence)


def _measured(evidence: Evidence) -> Finding | None:
    """Return what further evaluations, asked for on request, showed of the gradient at one point."""
    run, checks = evidence.run, evidence.run.checks
    if checks is None or checks.gradient not in ("wrong", "kinked"):
        return None
    at, form, size = checks.checked_at, checks.gradient, 1.0
    slots: dict[str, Slot] = {"first": Iteration(at), "count": Count(checks.evaluations)}
    entry = next((e for e in run.entries() if e.column is not None and e.column == checks.column), None)
    if entry is not None:
        form, slots["parameter"] = f"{form}, of one", named(entry)
        size = _size_of(run, checks)
    promised, measured = checks.promised / size, checks.measured / size
    slots |= {"promised": Value(promised), "measured": Value(measured, beside=promised)}
    severity: Severity = "warning" if checks.gradient == "wrong" else "caution"
    return KIND.finding(form, (at, at), slots, severity=severity)


def _size_of(run: RecordedRun, checks: Checks) -> float:
    """Return the size in which the steps of the one parameter were measured along which the gradient was compared."""
    rows = run.history.rows(run.iterates[np.isfinite(run.loss[run.iterates])])[:, checks.column]
    end = run.history.rows(np.array([checks.evaluation]))[0][checks.column]
    return float(max(abs(end), np.ptp(rows))) or 1.0


def _by_trials(evidence: Evidence) -> list[Finding]:
    """Return the finding where, however short the trials of a search, the loss does not what was promised."""
    ray = None if evidence.trials is None else steady_ray(evidence.trials)
    if ray is None or not matters(evidence.run, ray.trials):
        return []
    trials, start = ray.trials, int(ray.trials.start[0])
    slots: dict[str, Slot] = {
        "first": Iteration(start),
        "length": Value(float(trials.lengths[-1])),
        "shortest": Value(float(trials.lengths[0])),
        "moved": _moved(float(trials.change[-1])),
        "promised": Value(float(trials.promised[-1])),
    }
    form = "along a search" if ray.is_of_both_ends else "along a search, of its start"
    turned = ray.turned()
    entry = next((e for e in evidence.run.entries() if turned is not None and e.column == turned), None)
    if entry is not None:
        slope = float(trials.slopes[0, turned])
        form += ", one sign"
        slots |= {"parameter": named(entry), "slope": Value(slope), "opposite": Value(-slope)}
    data = {"ratio": float(np.mean(trials.ratio))}
    return [KIND.finding(form, (start, max(start, int(trials.end[-1]))), slots, data=data)]


def _by_steps(evidence: Evidence) -> list[Finding]:
    """Return the finding where steady ways from iterate to iterate disagree, and shorter ones no less."""
    if evidence.ways is None or evidence.trials is None:
        return []
    ways, tried = _short(evidence.ways), _short(evidence.trials)
    off = disagree(ways)
    entry = _one_entry(evidence, tried) if len(tried) and np.mean(disagree(tried)) >= _SOME else None
    if entry is not None and not off.any():
        ways, off = tried, disagree(tried)
    if entry is None and not (len(ways) >= _FEWEST and _is_steady(ways, off)):
        ways = visible(evidence.ways)
        off = np.full(len(ways), _is_by_a_factor(ways))
    if not off.any() or not matters(evidence.run, ways[off]):
        return []
    first = int(np.argmax(off))
    slots: dict[str, Slot] = {
        "first": Iteration(int(ways.start[first])),
        "last": Iteration(int(ways.end[first])),
        "change": Value(float(ways.change[first])),
        "promised": Value(float(ways.promised[first])),
        "ratio": Value(float(ways.ratio[first])),
    }
    form = "along the steps"
    if _is_constant(ways):
        form, slots["ratio"] = "by a factor", Value(float(np.median(ways.ratio)))
    elif entry is not None:
        form = "along the steps, one entry"
        slots |= {"parameter": entry[0], "factor": Value(entry[1], digits=2)}
    return [KIND.finding(form, (int(ways.start[0]), int(ways.end[-1])), slots)]


def _by_points(evidence: Evidence) -> list[Finding]:
    """Return the finding where near points contradict each other, between which the optimizer need not have gone."""
    ways = contradictions(evidence.run)
    if ways is None:
        return []
    entry = _one_entry(evidence, ways)
    shown = int(np.argmax(np.where(ways.bend <= _SHORT, np.abs(ways.change - ways.promised), 0.0)))
    one, other = int(ways.start[shown]), int(ways.end[shown])
    slots: dict[str, Slot] = {
        "first": Iteration(one),
        "last": Iteration(other),
        "length": Value(float(ways.lengths[shown])),
        "shortest": Value(float(ways.lengths.min()), digits=2),
        "change": Value(float(ways.change[shown])),
        "promised": Value(float(ways.promised[shown])),
    }
    form = "between points"
    if entry is not None:
        form = "between points, one entry"
        slots |= {"parameter": entry[0], "factor": Value(entry[1], digits=2)}
    span = (int(ways.start.min()), int(ways.end.max()))
    return [KIND.finding(form, span, slots)]


def _short(ways: Ways) -> Ways:
    ways = visible(ways)
    return ways[ways.bend <= _SHORT]


def _is_by_a_factor(ways: Ways) -> bool:
    """Whether the loss changes by one and the same multiple of what is promised, on straight ways and on bent ones."""
    if len(ways) < _FEWEST_EXACT or not np.ptp(ways.ratio) <= _EXACT * abs(float(np.mean(ways.ratio))):
        return False
    return bool(np.ptp(ways.bend) > _UNLIKE and abs(float(ways.ratio[0]) - 1) > OFF)


def _is_constant(ways: Ways) -> bool:
    """Whether the loss changes by one and the same multiple of what is promised, to many digits."""
    return bool(np.ptp(ways.ratio) <= _CONSTANT * abs(float(np.mean(ways.ratio))))


def _is_steady(ways: Ways, off: NDArray[np.bool_]) -> bool:
    """Whether most ways are off, the shorter ones as well, and each about as much as the one before."""
    size = np.abs(ways.promised)
    if np.mean(off) < _MOSTLY or not size.max() >= _SHORTER * size.min():
        return False
    wrong = np.abs(ways.ratio - 1)
    varies = float(np.median(np.abs(np.diff(ways.ratio))))
    if abs(float(np.median(ways.ratio))) < _NEXT_TO_NOTHING:
        return False  # steps across many waves of the loss bring next to nothing of what is promised
    return bool(np.mean(off[size <= np.median(size)]) >= _MOSTLY and varies <= _STEADY * np.median(wrong))


def _one_entry(evidence: Evidence, ways: Ways) -> tuple[Named, float] | None:
    """Return the one entry of the gradient that is off by a factor, and by which, where that explains every step."""
    if not _FEWEST_A_PARAMETER * ways.steps.shape[1] <= len(ways) or ways.steps.shape[1] > _MOST_PARAMETERS:
        return None
    parts = ways.steps * (ways.slopes + evidence.run.history.gradients.array[ways.end]) / 2
    scale = np.abs(parts).sum(axis=1)
    parts, wrong = parts / scale[:, None], (ways.change - ways.promised) / scale
    squares = np.einsum("ij,ij->j", parts, parts)
    factors = parts.T @ wrong / np.where(squares > 0, squares, np.inf)
    left = np.linalg.norm(wrong[:, None] - parts * factors, axis=0)
    best = int(np.argmin(left))
    varies = float(np.std(np.abs(parts[:, best])))  # else any wrong factor, or a power of the distance, looks like this
    if left[best] > _UNEXPLAINED * np.linalg.norm(wrong) or abs(factors[best]) < OFF or varies < OFF:
        return None
    for entry in evidence.run.entries():
        if entry.column == best:
            return named(entry), 1 + float(factors[best])
    return None


def _moved(change: float) -> Clause:
    """Return that the loss rises or falls by so much."""
    slots = {"parameter": Named("", "the loss"), "amount": LossValue(abs(change))}
    return Clause("rises" if change > 0 else "falls", slots)


KIND = FindingKind(
    name="gradient-wrong",
    severity="warning",
    rank=3,
    slots={
        "first": Iteration,
        "last": Iteration,
        "length": Value,
        "shortest": Value,
        "change": Value,
        "moved": Clause,
        "promised": Value,
        "ratio": Value,
        "parameter": Named,
        "slope": Value,
        "opposite": Value,
        "factor": Value,
        "measured": Value,
        "count": Count,
    },
    compute=compute,
    means="The gradient is not that of the loss: over short steps, too, the loss does not do what it promises. (A "
    "caution where it is not that to either side of a kink.)",
    seen_by="the change of the loss beside gradient times step at both ends, as the steps shrink; or, by "
    "run.diagnose(objective), differences over steps of several lengths (a Taylor test)",
    example="a derivative written by hand with a sign lost in one entry",
    asked_with=WRONG_GRADIENT,
    silences=(
        "left-to-gain",
        "advice",
        "minimum",
        "asked",
        "credit",
        "drop",
        "idle",
        "identifiability",
        "estimate",
        "turns",
        "left-to-gain",
        "step-too-short",
    ),
)
