"""What became of the quantities that the simulator watches, and what the gradient asked of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xinv_nb.quantities import asked, pair
from xinv_nb.run import Fact, Phase, Run, Watch


def watched(run: Run, phases: Sequence[Phase]) -> Iterator[Fact]:
    """Yield the change of each watched quantity over the run, and of the one that changed most in each phase."""
    last = run.evaluations - 1
    followed = [w for w in run.watches.values() if _is_one_number(w, run.evaluations)]
    for watch in followed:
        yield _changed(watch, 0, last)
    if len(phases) > 1 and len(followed) > 1:
        for phase in phases:
            a, b = phase.start, min(phase.stop, last)
            yield from (_changed(w, a, b) for w in followed if _share_of_range(w, a, b) > 0.05)


def _is_one_number(watch: Watch, evaluations: int) -> bool:
    """Whether the quantity is one number in every evaluation."""
    return watch.values.dtype != object and watch.values.ndim == 1 and len(watch.values) == evaluations


def _share_of_range(watch: Watch, a: int, b: int) -> float:
    whole = float(np.ptp(watch.values))
    return abs(float(watch.values[b] - watch.values[a])) / whole if whole else 0.0


def _changed(watch: Watch, a: int, b: int) -> Fact:
    start, end = float(np.real(watch.values[a])), float(np.real(watch.values[b]))
    cotangents = np.real(watch.cotangents[a : max(b, a + 1)])
    values = {"quantity": watch.name, "start": start, "end": end, "cotangent": float(cotangents[0])}
    first, second = pair(start, end, watch.unit)
    name = watch.name[:1].upper() + watch.name[1:]
    if start == end:
        text = f"{name} stayed at {second}"
    else:
        text = f"{name} {'rose' if end > start else 'fell'} from {first} to {second}"
    constant = bool(np.allclose(cotangents, cotangents[0])) and cotangents[0] > 0
    if not constant and np.isfinite(cotangents).all() and len(set(np.sign(cotangents))) == 1:
        text += f"; all along, {asked(watch.name, float(cotangents[0]))}"
    return Fact("", "watch", text + ".", values | {"is_term": constant, "from": a, "to": b}, (a, b))
