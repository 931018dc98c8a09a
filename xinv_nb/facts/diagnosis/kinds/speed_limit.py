"""Adam or RMSProp moves as far as its step size lets it, all the time, and much is left to go."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.promises import Ways
from xinv_nb.language.slots import Count, Named, Share, Slot, Value, pair

_FEWEST = 50
"""Steps below which more of them are the plain remedy."""
_FULL = 0.9
"""Share of the step size from which on a move is as long as it may be."""
_MOSTLY = 0.6
"""Share of the moves that have to be so long, over the whole run and over its last third."""
_ONE_WAY = 0.9
"""Share of the moves of a parameter that have to go one way."""
_FARTHER, _UNKNOWN = 2.0, 1e6
"""How many times the way so far has to be left, by the curvature along it, and from where on that is not known."""
_LONGER = 10.0
"""How many times as long a step is advised where that is not known."""
_ONE = 10.0
"""How far a parameter has yet to go, from which on that is more than about 1."""
_FELL = 0.9
"""Share of the loss of which no more than that may have gone, where it is positive: else little is left."""
_SAME = 1e-5
"""How nearly the first moves of all parameters agree, where a hand-written Adam makes them."""


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield which share of the moves were as long as the step size lets them be, where much is left to go.

    Examples
    --------
    >>> import numpy as np
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> from autograd.misc.optimizers import rmsprop
    >>> with xi.record() as run:
    ...     end = rmsprop(grad(lambda x, i: (x - 40.0) ** 2), 0.0, num_iters=100, step_size=0.01)
    >>> run.diagnosis[0].kind
    'speed-limit'
    """
    ways = evidence.ways
    if ways is None or len(ways) < _FEWEST:
        return
    name, size = _limit(evidence, ways)
    if not size > 0:
        return
    moving = ways.steps.any(axis=0)
    steps = ways.steps[:, moving]
    full = np.abs(steps) >= _FULL * size
    one_way = (1 + np.abs(np.sign(steps).mean(axis=0))) / 2 >= _ONE_WAY
    late = len(steps) - len(steps) // 3
    if not steps.size or full.mean() < _MOSTLY or full[late:].mean() < _MOSTLY or one_way.mean() < _MOSTLY:
        return
    left = _left(ways)
    if not _little_fell(evidence, ways) or left < _FARTHER:
        return
    first, last = int(ways.start[0]), int(ways.end[-1])
    start, end = pair(float(evidence.run.loss[first]), float(evidence.run.loss[last]))
    far = float(np.abs(steps.sum(axis=0)).max())
    slots: dict[str, Slot] = {
        "optimizer": Named(name, is_of_domain=False),
        "size": Value(size),
        "share": Share(float(full.mean())),
        "far": Value(far),
        "steps": Count(len(steps)),
        "start": start,
        "end": end,
        "longer": Value(size * (1 + left if left < _UNKNOWN else _LONGER), digits=2, in_powers=True),
    }
    if far * left > _ONE or left >= _UNKNOWN:
        slots["unit"] = Value(1)
    yield KIND.finding("as told" if name else "by hand", (first, evidence.last), slots)


def _limit(evidence: Evidence, ways: Ways) -> tuple[str, float]:
    """Return the optimizer and about how far it moves a parameter in a step at most; 0 where that is not limited."""
    for call in evidence.run.history.calls:
        size = call.options.get("step_size")
        if call.optimizer in ("Adam", "RMSProp") and isinstance(size, (int, float)):
            return call.optimizer, float(size)
    if evidence.run.history.calls:
        return "", 0.0
    # The first step of Adam goes as far along each parameter, whatever its slope.
    moves, slopes = np.abs(ways.steps[0]), np.abs(ways.slopes[0])
    moved = moves > 0
    if not moved.any() or np.ptp(moves[moved]) > _SAME * moves.max() or (moves > 0)[slopes == 0].any():
        return "", 0.0
    several = np.count_nonzero(moved) > 1 and np.ptp(slopes[moved]) > _SAME * slopes.max()
    same_again = np.ptp(np.abs(ways.steps[:3]).max(axis=1)) <= 0.1 * moves.max()
    return "", float(moves.max()) if several and same_again else 0.0


def _little_fell(evidence: Evidence, ways: Ways) -> bool:
    """Whether the loss fell, and by no more than a part of what it could where it is a positive number."""
    loss = evidence.run.loss
    first, last = float(loss[ways.start[0]]), float(loss[ways.end[-1]])
    fell = first - last
    return fell > 0 and not (last >= 0 and fell > _FELL * first)


def _left(ways: Ways) -> float:
    """Return how many times the way so far is left, by how the slope along it shrinks; 0 where it is down no more."""
    part = len(ways) // 10 + 1
    way = ways.steps.sum(axis=0)
    first, last = (-float(slopes.mean(axis=0) @ way) for slopes in (ways.slopes[:part], ways.slopes[-part:]))
    if not last > 0:
        return 0.0
    between = 1 - part / len(ways)  # the share of the way from the middle of the first part to that of the last
    return between * last / (first - last) if first - last > last / _UNKNOWN else _UNKNOWN


KIND = FindingKind(
    name="speed-limit",
    severity="warning",
    rank=9,
    slots={
        "optimizer": Named,
        "size": Value,
        "share": Share,
        "far": Value,
        "steps": Count,
        "start": Value,
        "end": Value,
        "longer": Value,
        "unit": Value,
    },
    compute=compute,
    means="Adam or RMSProp moves every parameter as far as its step size lets it, and there is far to go.",
    seen_by="the share of moves that are 0.9 of the step size or more, their direction, and the slope along the way",
    example="a network with outputs of order 1 that has to reach 100, at a step size of 0.001",
    asked_with=r"\bslow|\btakes? so long|\bspeed|\bstep size",
    silences=("advice", "minimum", "identifiability", "left-to-gain"),
)
