"""The loss jumps: over one short step it rises far beyond what the slopes at both ends and the curvature allow."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.diagnosis.asking import ROSE
from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.jumps import FAR, jumps_of
from xinv_nb.facts.measures.promises import Ways
from xinv_nb.language.slots import Count, Iteration, Slot, Value, loss_pair

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
    jumps = jumps_of(evidence.ways)
    if jumps is not None:
        yield _between(evidence, jumps)
    elif evidence.trials is not None:
        yield from _in_front(evidence.trials)


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
    ray = ray[ray.change > FAR * allowed + ray.rounding]
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
