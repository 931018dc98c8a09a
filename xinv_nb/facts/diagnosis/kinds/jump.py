"""The loss jumps: over one short step it rises far beyond what the slopes at both ends and the curvature allow."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.diagnosis.asking import ROSE
from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.promises import Ways
from xinv_nb.language.slots import Count, Iteration, Slot, Value, loss_pair

_FEWEST = 5
"""Steps that do what their gradients promise, beside which one can stand out."""
_FAR = 6.0
"""How many times what slopes and curvature allow a rise has to be."""
_SHORT = 3.0
"""How many times the usual step of its time a step may be long."""
_NEAR = 5
"""Steps before one and behind it that tell what is usual."""
_EXACT = 0.1
"""How far steps may be from what their gradients promise, and how many of them may be farther."""
_MATTERS = 0.05
"""Share of the range of the losses from which on a jump matters."""
_MOST = 0.7
"""Share of the steps up to which they are jumps, and no noise."""
_SCHEDULE = 5
"""Iterations of which all jumps are at multiples where they are the program's own plan, such as a weight that grows."""
_FEWEST_TRIALS = 3
_SAME_HEIGHT = 0.1
"""How far the rises of trials may differ that met one and the same edge."""
_SHORTER = 100.0
"""How many times shorter the shortest of these trials has to be than the longest."""


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield the highest jump between iterates, or else the edge in front of which a search ended.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for step in range(20):
    ...         x = 1 - 0.05 * step
    ...         run.add(x + 5 * (x < 0.42), x, 1.0)
    >>> run.diagnosis[0].kind, run.diagnosis[0].span
    ('jump', (11, 12))
    """
    ways = evidence.ways
    jumps = None if ways is None else _jumps(ways)
    if jumps is not None:
        yield _between(evidence, jumps)
    elif evidence.trials is not None:
        yield from _in_front(evidence.trials)


def _jumps(ways: Ways) -> Ways | None:
    """Return the ways over which the loss jumps up, where all others do what their gradients promise."""
    allowed = np.abs(ways.before) + np.abs(ways.behind)
    far = np.abs(ways.change) > _FAR * allowed + ways.rounding
    places = np.flatnonzero(far)
    if not 0 < len(places) <= _MOST * len(ways) or len(ways) - len(places) < _FEWEST:
        return None
    exact = np.abs(ways.change - ways.promised) <= _EXACT * allowed + ways.rounding
    if np.mean(exact[~far]) < 1 - _EXACT:
        return None  # nothing does what it promises here: noise, or a wrong gradient
    reach = float(ways.change.max() if len(ways) == 1 else np.ptp(np.cumsum(ways.change)))
    rises = places[ways.change[places] >= _MATTERS * max(reach, float(np.abs(ways.change).max()))]
    bends = np.abs(ways.curvature)
    found = [place for place in rises if _is_short(ways, bends, place)]
    by_plan = len(places) > 1 and math.gcd(*(int(row) for row in ways.end[places])) >= _SCHEDULE
    if not found or by_plan:
        return None
    return ways[np.array(found)]


def _is_short(ways: Ways, bends: NDArray[np.float64], place: int) -> bool:
    """Whether a step is as short as those around it, and the loss rises more than their curvature allows."""
    near = np.r_[max(place - _NEAR, 0) : place, place + 1 : min(place + 1 + _NEAR, len(ways))]
    length = float(ways.lengths[place])
    bent = float(bends[near].max()) * length**2
    return length <= _SHORT * float(np.median(ways.lengths[near])) and float(ways.change[place]) > _FAR * bent


def _between(evidence: Evidence, jumps: Ways) -> Finding:
    highest = int(np.argmax(jumps.change))
    first, last = int(jumps.start[highest]), int(jumps.end[highest])
    low, high = (float(evidence.run.loss[row]) for row in (first, last))
    start, end = loss_pair(low, high)
    slots: dict[str, Slot] = {
        "first": Iteration(first),
        "last": Iteration(last),
        "start": start,
        "end": end,
        "rise": Value(high - low),
        "promised": Value(float(jumps.promised[highest])),
        "length": Value(float(jumps.lengths[highest])),
        "times": Count(len(jumps)),
    }
    form = "once" if len(jumps) == 1 else "often"
    return KIND.finding(form, (first, last), slots)


def _in_front(trials: Ways) -> Iterator[Finding]:
    """Yield the edge that the last search ran into: however short its trials, the loss rose as far."""
    ray = trials[trials.start == trials.start[-1]]
    allowed = np.abs(ray.before) + np.abs(np.nan_to_num(ray.behind))
    ray = ray[ray.change > _FAR * allowed + ray.rounding]
    if len(ray) < _FEWEST_TRIALS or not ray.lengths.max() >= _SHORTER * ray.lengths.min():
        return
    ray = ray[np.argsort(ray.lengths)[: max(len(ray) // 2, _FEWEST_TRIALS)]]
    rise = float(np.median(ray.change))
    if np.ptp(ray.change) > _SAME_HEIGHT * rise:
        return
    slots: dict[str, Slot] = {
        "first": Iteration(int(ray.start[0])),
        "rise": Value(rise),
        "length": Value(float(ray.lengths[0])),
        "promised": Value(float(ray.before[0])),
    }
    yield KIND.finding("in front", (int(ray.start[0]), int(ray.end.max())), slots)


KIND = FindingKind(
    name="jump",
    severity="warning",
    rank=5,
    slots={
        "first": Iteration,
        "last": Iteration,
        "start": Value,
        "end": Value,
        "rise": Value,
        "promised": Value,
        "length": Value,
        "times": Count,
    },
    compute=compute,
    means="The loss jumps: a short step raises it far beyond what slopes and curvature on both sides allow.",
    seen_by="the change of the loss over one step beside gradient times step at both ends, and beside its neighbours'",
    example="a ray that hits a receiver or misses it, a threshold, a number of iterations that depends on a parameter",
    asked_with=ROSE,
    silences=("advice: smaller", "advice: less", "advice: check", "advice: more", "minimum", "identifiability"),
)
