"""What became of the quantities that the simulator watches, and what the gradient asked of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from xinv_nb.analysis.phases import last_of
from xinv_nb.quantities import asked, pair, sentence_start
from xinv_nb.run import Fact, Phase, Run, Watch


def watched(run: Run, phases: Sequence[Phase]) -> Iterator[Fact]:
    """Yield the change of each watched quantity over the run, and of those that changed in each phase."""
    last = run.evaluations - 1
    followed = [(w, w.values.astype(float)) for w in run.watches.values() if _is_one_number(w, run.evaluations)]
    for watch, values in followed:
        if fact := _changed(run, watch, values, 0, last):
            yield fact
    if len(phases) > 1:
        for phase in phases:
            a, b = phase.start, last_of(phase, run.loss)
            for watch, values in followed:
                if _share_of_range(values, a, b) > 0.05 and (fact := _changed(run, watch, values, a, b)):
                    yield fact


def _is_one_number(watch: Watch, evaluations: int) -> bool:
    """Whether the quantity is one real number in every evaluation."""
    return (
        watch.values.dtype.kind in "fiub"
        and watch.values.ndim == 1
        and len(watch.evaluation) == evaluations
        and bool((watch.evaluation == np.arange(evaluations)).all())
    )


def _share_of_range(values: NDArray[np.float64], a: int, b: int) -> float:
    known = values[np.isfinite(values)]
    whole = float(np.ptp(known)) if len(known) else 0.0
    return abs(float(values[b] - values[a])) / whole if whole else 0.0


def _changed(run: Run, watch: Watch, values: NDArray[np.float64], a: int, b: int) -> Fact | None:
    start, end = float(values[a]), float(values[b])
    if not np.isfinite(end - start):
        return None
    cotangents = np.real(watch.cotangents[a : max(b, a + 1)])
    found = {"quantity": watch.name, "start": start, "end": end, "cotangent": float(cotangents[0]), "from": a, "to": b}
    first, second = pair(start, end, watch.unit)
    name = sentence_start(watch.name)
    if a == b:
        text = f"{name} was {second}"
    elif (values[a : b + 1] == start).all():
        text = f"{name} stayed at {second}"
    elif first == second:
        text = f"{name} ended where it began, at {second}"
    else:
        text = f"{name} {'rose' if end > start else 'fell'} from {first} to {second}"
    # A term of the loss has a constant weight: that less of it would lower the loss goes without saying.
    is_term = bool((cotangents > 0).all() and np.allclose(cotangents, cotangents[0]))
    one_way = bool((cotangents > 0).all() or (cotangents < 0).all())
    if one_way and not is_term:
        text += f"{'; all along,' if a < b else ';'} {asked(watch.name, float(cotangents[0]))}"
    is_loss = bool(np.allclose(values, run.loss, rtol=1e-9, atol=0.0, equal_nan=True))
    return Fact("", "watch", text + ".", found | {"is_term": is_term, "is_loss": is_loss}, (a, b))
