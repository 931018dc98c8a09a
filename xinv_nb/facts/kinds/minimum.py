"""Whether the end is a minimum.

Method: first-order optimality, measured by the gradient's norm beside the largest of the run, and the decrease at the
end (Gill, Murray & Wright 1981, section 8.2.3; Dennis & Schnabel 1983, section 7.2).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.estimates import Why
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.constraints import is_constrained
from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.left import parts, steepness
from xinv_nb.facts.measures.losses import finite_iterates
from xinv_nb.facts.measures.optimizers import last_stop
from xinv_nb.facts.measures.scale import visible_swing
from xinv_nb.facts.measures.sizes import end_of, gradient_sizes
from xinv_nb.recorded.endings import OUT_OF
from xinv_nb.recorded.run import RecordedRun

_FLAT = 1e-3
"""Share of the largest gradient of the run below which the end is level, as far as the recording shows."""
_LEVEL_FOR_SURE = 1e-6
"""The same where the loss still falls: only so that it comes nearer to its limit."""
_STEEP = 0.1
"""Share of the largest gradient from which on the end is no minimum."""
_LEFT = 1e-3
"""Share of the fall that may be left to gain at a minimum."""
_LOWEST, _ALIKE, _ROUNDING = 5e-4, 1.1, 1e-12
"""Share of the fall up to which the end is as low as any evaluation; and where the loss is looked at on a logarithmic
scale, also how many times the lowest it is at most, or which share of the fall is rounding."""
_FELT = 1e-8
"""Share of all that the moves did to the loss from which on a parameter's are no rounding."""
_LATEST, _OUTSIDE, _VISIBLE = 10, 0.3, 3.0
"""How many of the latest changes of the loss are looked at, by which share of them and how many times the rounding they
lie outside of what the slopes promise, where the slopes are not to be trusted."""
_HELD = 4
"""The latest points at which a parameter with a slope is the same to the last bit where the program holds it."""
_FEWEST_LATE, _CREEPS, _STEADILY, _NOTHING_LEFT = 8, 0.005, 0.9, 1e-8
"""Steps in the last part of the run, the share of the loss at the end by which it fell there, and the share of these
steps that lowered it, from which on it still goes down; but for what is left of the loss that is none."""
_LATE = 10
"""The last part of the run that is looked at: one in ten iterations."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield whether the end is a level point at which the loss falls no longer, or is still steep."""
    run = evidence.run
    if evidence.last < 0 or run.status == "running" or evidence.is_noisy or not run.has_gradients:
        return
    if evidence.is_maximized:
        return  # it goes to where the loss is largest
    if evidence.players is not None:
        return  # who plays is at rest where nobody gains by moving alone, which need be no minimum
    if isinstance(evidence.estimate, Why) and evidence.estimate.without_effect:
        return  # level it is in what has no slope anywhere near, such as what is rounded
    if any(fact.data["how"] == "down" for fact in evidence.of("identifiability")):
        return  # level it may be, but there is a way down
    sizes, last = gradient_sizes(run), end_of(run)
    if last == 0 or not np.isfinite(run.loss[[0, last]]).all() or not np.isfinite(sizes[[0, last]]).all():
        return
    steepest = float(sizes[np.isfinite(sizes)].max())
    rows = finite_iterates(run)
    if not steepest > 0 or len(rows) < 3 or rows[-1] != last:
        return
    steepness, loss = float(sizes[last]) / steepest, run.loss[rows]
    logarithmic, swing = visible_swing(loss)
    late = loss[-1 - max(len(loss) // _LATE, 1) :]
    fell = float(np.ptp(np.log10(late) if logarithmic else late))
    data = {"steepness": steepness, "late_fall": fell}
    low = float(run.loss[np.isfinite(run.loss)].min())  # of what was only tried, too
    above, fall = float(loss[-1]) - low, float(loss[0]) - low
    lowest = above <= _LOWEST * fall and (not logarithmic or loss[-1] <= _ALIKE * low or above <= _ROUNDING * fall)
    level = steepness < _LEVEL_FOR_SURE or (steepness < _FLAT and fell < swing / 2 and not _goes_on(evidence))
    doubts = (_has_more(evidence), _is_still_steep(evidence), _is_in_doubt(evidence), _creeps(late, float(loss[0])))
    if lowest and level and not any(doubts):
        yield KIND.fact("reached", (0, last), 0.6, {}, data=data | {"minimum": True})
    elif steepness > _STEEP and not (_rises(evidence) or _is_bounded(run) or _is_held(run)):
        yield KIND.fact("not yet", (0, last), 0.5, {}, data=data | {"minimum": False})


def _goes_on(evidence: Evidence) -> bool:
    """Whether the loss was falling at the end, or the solver was out of steps: a start far off makes all else level."""
    stop = last_stop(evidence.run)
    falls = any(fact.data.get("doing") == "descent" for fact in evidence.of("ending"))
    return falls or (stop is not None and stop.values.get("reason") in OUT_OF)


def _has_more(evidence: Evidence) -> bool:
    """Whether a step by the curvature that was seen would lower the loss by a part of the fall that matters."""
    run = evidence.run
    found, rows = evidence.bowl, finite_iterates(run)
    return found is not None and found.left > _LEFT * float(run.loss[rows[0]] - run.loss[rows[-1]])


def _is_still_steep(evidence: Evidence) -> bool:
    """Whether a parameter that moved the loss has a slope at the end that is no small share of its own steepest."""
    path = evidence.path
    if path is None:
        return False
    effects = parts(path)
    return bool((steepness(path)[effects > _FELT * effects.sum()] > _STEEP).any())


def _is_in_doubt(evidence: Evidence) -> bool:
    """Whether one of the latest changes of the loss lies far outside of what the slopes at both ends promise."""
    if evidence.trials is None:
        return False
    ways = evidence.trials[np.arange(max(len(evidence.trials) - _LATEST, 0), len(evidence.trials))]
    outside = ways.excess > _OUTSIDE * np.maximum(np.abs(ways.before) + np.abs(ways.behind), np.abs(ways.change))
    return bool((outside & (ways.excess > _VISIBLE * ways.rounding)).any())


def _creeps(late: Floats, first: float) -> bool:
    """Whether the loss still falls step by step, by a part of what is left of it: little beside a start far off."""
    steps, end = np.diff(late), abs(float(late[-1]))
    if len(steps) < _FEWEST_LATE or end <= _NOTHING_LEFT * abs(first):
        return False  # what comes ever nearer to 0 is at its minimum for all that anybody can see
    return float(late[0] - late[-1]) > _CREEPS * end and float(np.mean(steps < 0)) >= _STEADILY


def _rises(evidence: Evidence) -> bool:
    return evidence.phases[-1].kind in ("rise", "divergence")


def _is_held(run: RecordedRun) -> bool:
    """Whether the program leaves a parameter where it is, for all its slope: a bound of its own, as by `numpy.clip`."""
    rows = run.iterates[-_HELD:]
    points, slopes = run.history.rows(rows), run.history.rows(rows, "gradients")
    still = (points == points[-1]).all(axis=0) & (slopes != 0).all(axis=0)
    return len(rows) == _HELD and bool(still.any())


def _is_bounded(run: RecordedRun) -> bool:
    """Whether a parameter may lie at a bound, or the end on a constraint, where a minimum need not be level."""
    if is_constrained(run):
        return True
    at_bound = any(event.kind == "bound" for event in run.events_as_recorded())
    return at_bound or any(entry.parameter.bounds for entry in run.entries())


KIND = Kind(
    name="minimum",
    question=Question.ENDING,
    rank=72,
    slots={},
    compute=compute,
    method="the last gradient beside the largest, and the decrease at the end (Gill, Murray & Wright 1981, 8.2.3)",
)
