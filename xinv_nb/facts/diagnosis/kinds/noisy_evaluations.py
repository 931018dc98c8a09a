"""A search that trusts every digit of the loss works on evaluations that scatter."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.diagnosis.asking import WRONG_GRADIENT
from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.optimizers import last_stop
from xinv_nb.facts.measures.promises import Ways, precision
from xinv_nb.facts.measures.scattering import scatter_of_neighbours
from xinv_nb.language.slots import Count, Iteration, Named, Slot, Value
from xinv_nb.recorded.calls import OptimizerCall
from xinv_nb.recorded.endings import NO_LOWER_LOSS

_TRAINERS = ("Adam", "RMSProp", "Gradient descent")
"""Beginnings of the names of optimizers that are made for noise."""
_COMPARE_LOSSES = ("Nelder-Mead", "Powell", "COBYLA", "COBYQA")
"""Searches without gradients that go on from the lowest of single losses."""
_FLOOR = 1e-7
"""Share of the largest loss below which a scatter may be rounding, wherever in the program."""
_FAR = 10.0
"""How many times what the gradients promise the loss has to change."""
_FEWEST = 3
"""Such changes from one point that tell of noise."""
_MOST_SEARCHES = 20
"""Searches that are looked at, of those with such changes: the last, when little is left to gain."""
_SHORTER = 0.1
"""Share of the longest trial up to which a trial is short."""
_EDGE = 0.1
"""Share of their mean up to which changes are one and the same: an edge, and no noise."""
_SPAN, _POWER = 3.0, 0.6
"""How many times as long as the shortest the longest trial has to be, and from which power of its length on the loss
changes with it: noise does with none."""
_TINY = 1e-300
_OF_WHOLE = 1e-3
"""Share of what a whole step does from which on a difference over next to no distance is noise."""
_FEWEST_DIFFERENCES = 6
_MOSTLY = 0.5
"""Share of the differences that have to be noise."""
_BOTH_WAYS = 0.2
"""Share of the differences that have to be rises, and falls: noise goes both ways as often."""
_MUCH = 1e-3
"""Share of the range of the losses up to which a scatter does not spoil the result of a search that has converged."""
_NOTHING = 1e-5
"""Share of a parameter's size that is next to no distance."""
_ODD = np.random.default_rng(0).integers(1, 2**62, 64, dtype=np.uint64) | np.uint64(1)


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield by how much evaluations scatter in a run of an optimizer that cannot work with that.

    Examples
    --------
    >>> import numpy as np
    >>> import xinv_nb as xi
    >>> from scipy.optimize import minimize
    >>> rng = np.random.default_rng(0)
    >>> with xi.record() as run:
    ...     result = minimize(lambda x: (x @ x + rng.normal(), 2 * x), np.ones(2), jac=True, method="BFGS")
    >>> run.diagnosis[0].kind
    'noisy-evaluations'
    """
    yield from _recorded(evidence) or _evaluated_again(evidence)


def _recorded(evidence: Evidence) -> list[Finding]:
    """Return by how much recorded evaluations scatter that an optimizer compared."""
    of_slopes = evidence.trials is not None
    calls = [call for call in evidence.run.history.calls if of_slopes or call.differences or _compares(call)]
    calls = [call for call in calls if not call.optimizer.startswith(_TRAINERS)]
    if not calls or not evidence.is_minimized:
        return []
    loss = evidence.run.loss
    largest = float(np.abs(loss[np.isfinite(loss)]).max(initial=0.0))
    floor = max(_FLOOR, 10 * precision(evidence.run)) * largest
    searched = _on_a_search(evidence, floor)
    again = _at_one_point(evidence, calls, floor)
    if again is not None and searched is not None:
        again[1]["scatter"] = searched[1]["scatter"]
    found = again or searched or _by_differences(evidence, calls, floor) or _of_neighbours(evidence, calls[-1], floor)
    return [] if found is None else [_finding(evidence, calls[-1], *found)]


def _evaluated_again(evidence: Evidence) -> list[Finding]:
    """Return that one point had two losses when `run.diagnose` evaluated it twice."""
    checks = evidence.run.checks
    if checks is None or checks.again == checks.loss:
        return []
    start, end = Value(checks.loss, beside=checks.again), Value(checks.again, beside=checks.loss)
    slots: dict[str, Slot] = {"first": Iteration(checks.evaluation), "start": start, "end": end}
    slots["count"] = Count(checks.evaluations)
    return [KIND.finding("evaluated again", (checks.evaluation, checks.evaluation), slots)]


Found = tuple[str, dict[str, Slot], tuple[int, int]]


def _finding(
    evidence: Evidence, call: OptimizerCall, form: str, slots: dict[str, Slot], span: tuple[int, int]
) -> Finding:
    run, stop = evidence.run, last_stop(evidence.run)
    finite = run.loss[run.accepted & np.isfinite(run.loss)]
    size = slots["scatter"].plain if "scatter" in slots else abs(slots["end"].plain - slots["start"].plain)
    is_little = size <= _MUCH * float(np.ptp(finite)) and call.ending.get("reason") not in NO_LOWER_LOSS
    slots["optimizer"] = Named(call.optimizer, is_of_domain=False)
    cites = () if stop is None else (stop.id,)
    return KIND.finding(form, span, slots, cites=cites, severity="caution" if is_little else None)


def _at_one_point(evidence: Evidence, calls: list[OptimizerCall], floor: float) -> Found | None:
    """Return points that were evaluated again, one after the other, with another loss."""
    history = evidence.run.history
    if history.kept is not None or not history.width:
        return None
    points, loss = history.values.array, history.loss.array
    bits = np.ascontiguousarray(points).view(np.uint64)
    order = np.argsort(bits @ _ODD[np.arange(bits.shape[1]) % len(_ODD)], kind="stable")  # equal points, equal sums
    same = np.flatnonzero((points[order[1:]] == points[order[:-1]]).all(axis=1))
    pairs = np.sort(np.stack([order[same], order[same + 1]], axis=1), axis=1)
    within = np.full(len(loss), -1)
    for number, call in enumerate(calls):
        within[call.start : call.stop] = number  # another call may be of other data
    apart = np.abs(loss[pairs[:, 1]] - loss[pairs[:, 0]])
    differ = (
        np.isfinite(apart) & (apart > floor) & (within[pairs] >= 0).all(axis=1) & (np.ptp(within[pairs], axis=1) == 0)
    )
    if not differ.any():
        return None
    first, second = (int(row) for row in pairs[np.flatnonzero(differ)[0]])
    slots: dict[str, Slot] = {
        "first": Iteration(first),
        "last": Iteration(second),
        "start": Value(float(loss[first]), beside=float(loss[second])),
        "end": Value(float(loss[second]), beside=float(loss[first])),
    }
    return "at one point", slots, (first, second)


def _on_a_search(evidence: Evidence, floor: float) -> Found | None:
    """Return the search whose short trials scatter by far more than the gradients promise."""
    trials = evidence.trials
    if trials is None:
        return None
    allowed = np.abs(trials.before) + np.abs(np.nan_to_num(trials.behind))
    far = (np.abs(trials.change) > _FAR * allowed) & (np.abs(trials.change) > floor)
    best: Found | None = None
    most = _FEWEST - 1
    starts, counts = np.unique(trials.start[far], return_counts=True)
    for start in starts[counts >= _FEWEST][-_MOST_SEARCHES:]:
        ray = trials.start == start
        short = trials.lengths <= _SHORTER * trials.lengths[ray].max()
        # A short way of a search that has failed is short beside the steps before, too.
        chosen = trials[ray & far & (short | (trials.lengths <= _SHORTER * trials.lengths.max()))]
        if len(chosen) <= most:
            continue
        changes = np.append(chosen.change, 0.0)  # the loss where it began is a draw like the others
        scatter, apart = (float(np.std(each, ddof=1)) for each in (changes, chosen.change))
        if apart <= max(_EDGE * abs(float(np.mean(chosen.change))), floor) or _is_in_proportion(chosen):
            continue
        most = len(chosen)
        slots: dict[str, Slot] = {
            "first": Iteration(int(start)),
            "count": Count(len(chosen)),
            "length": Value(float(chosen.lengths.max())),
            "scatter": Value(scatter, digits=2),
        }
        promised = float((np.abs(chosen.before) + np.abs(np.nan_to_num(chosen.behind))).max())
        slots["promised"] = Value(promised, digits=2)
        best = "on a search", slots, (int(start), int(chosen.end.max()))
    return best


def _is_in_proportion(trials: Ways) -> bool:
    """Whether the loss changes as the trials get longer, which is the work of a gradient that is wrong."""
    lengths = np.log(trials.lengths)
    apart, moved = lengths - lengths.mean(), trials.change != 0
    power = float(apart[moved] @ np.log(np.abs(trials.change[moved]))) / max(float(apart @ apart), _TINY)
    return bool(np.ptp(lengths) >= math.log(_SPAN)) and power > _POWER


def _by_differences(evidence: Evidence, calls: list[OptimizerCall], floor: float) -> Found | None:
    """Return the finite differences that change the loss, over next to no distance, as whole steps do."""
    history = evidence.run.history
    if history.kept is not None or not history.is_real:
        return None
    points, loss = history.values.array, history.loss.array
    rows = _rows_of_differences(calls, len(loss))
    if len(rows) < _FEWEST_DIFFERENCES:
        return None
    plain = np.ones(len(loss), dtype=bool)
    plain[rows] = False
    base = np.maximum.accumulate(np.where(plain, np.arange(len(loss)), -1))[rows]
    rows, base = rows[base >= 0], base[base >= 0]
    apart, size = np.abs(points[rows] - points[base]), np.abs(points).max(axis=0)
    near = ((apart > 0).sum(axis=1) == 1) & (apart <= _NOTHING * np.maximum(size, 1e-3 * size.max())).all(axis=1)
    rows, base, apart = rows[near], base[near], apart[near]
    change, begun = loss[rows] - loss[base], np.unique(base)
    if len(rows) < _FEWEST_DIFFERENCES or len(begun) < 2 or not np.isfinite(change).all():
        return None
    whole = np.abs(np.diff(loss[begun]))
    whole = np.maximum(np.append(whole, 0.0), np.append(0.0, whole))[np.searchsorted(begun, base)]
    moved = np.abs(change) > np.maximum(_OF_WHOLE * whole, floor)
    if np.mean(moved) < _MOSTLY:
        return None
    rises = float(np.mean(change[moved] > 0))
    if not _BOTH_WAYS <= rises <= 1 - _BOTH_WAYS:
        return None
    slots: dict[str, Slot] = {
        "count": Count(len(change)),
        "scatter": Value(float(np.median(np.abs(change))), digits=2),
        "length": Value(float(np.median(apart.max(axis=1))), digits=2),
    }
    return "by differences", slots, (int(base[0]), int(rows[-1]))


def _compares(call: OptimizerCall) -> bool:
    return call.optimizer in _COMPARE_LOSSES


def _of_neighbours(evidence: Evidence, call: OptimizerCall, floor: float) -> Found | None:
    """Return the neighbours among the last points of a search without gradients whose losses scatter."""
    run, stop = evidence.run, call.stop
    if not _compares(call) or run.history.kept is not None or not run.history.is_real:
        return None
    own = slice(call.start, stop)
    found = scatter_of_neighbours(run.history.values.array[own], run.history.loss.array[own], floor)
    if found is None:
        return None
    last = (len(run.loss) if stop is None else stop) - 1
    slots: dict[str, Slot] = {
        "count": Count(found.count),
        "length": Value(found.near, digits=2),
        "farther": Value(found.far, digits=2),
        "scatter": Value(found.of_near, digits=2),
    }
    return "of neighbours", slots, (last + 1 - found.count, last)


def _rows_of_differences(calls: list[OptimizerCall], count: int) -> NDArray[np.intp]:
    found = np.zeros(count, dtype=bool)
    for call in calls:
        for first, after in call.differences:
            found[first:after] = True
    return np.flatnonzero(found)


KIND = FindingKind(
    name="noisy-evaluations",
    severity="warning",
    rank=4,
    slots={
        "optimizer": Named,
        "first": Iteration,
        "last": Iteration,
        "start": Value,
        "end": Value,
        "count": Count,
        "length": Value,
        "farther": Value,
        "scatter": Value,
        "promised": Value,
    },
    compute=compute,
    means="Single evaluations scatter, and a search that trusts every digit of the loss cannot work with that.",
    seen_by="one point with two losses, also when run.diagnose(objective) evaluates it twice, or differences of the "
    "loss that do not shrink as the steps do",
    example="BFGS on an expectation value that is drawn anew, or on batches that change",
    asked_with=WRONG_GRADIENT + r"|\bnois[ey]|\brandom",
    silences=("left-to-gain", "advice", "phase", "minimum", "identifiability", "estimate", "best", "gradient"),
)
