"""When a watched quantity passed zero, and when the gradient began to ask for the other direction, each if once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.kinds.watch import MOST
from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.names import watched
from xinv_nb.facts.measures.precision import tolerance
from xinv_nb.facts.measures.watched import is_loss
from xinv_nb.language.slots import Iteration, Named, Slot, Value
from xinv_nb.recorded.watch import Watch


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield where quantities, and what the gradient asks of them, change their sign for good."""
    for watch, values in evidence.followed[:MOST]:
        if not is_loss(values, evidence.run.loss):
            yield from _crossed(evidence, watch, values)


def _crossed(evidence: Evidence, watch: Watch, values: Floats) -> Iterator[Fact]:
    rows = evidence.iterates.rows
    path, last = values[rows], int(rows[-1])
    if (k := _one_change_of_sign(path)) is not None:
        at = int(rows[k])
        slots: dict[str, Slot] = {"quantity": watched(watch), "at": Iteration(at)}
        slots["end"] = Value(float(path[-1]), watch.unit)
        form = "became positive" if path[k] > 0 else "became negative"
        yield KIND.fact(form, (at, last), 0.5, slots, data={"sign": float(np.sign(path[k]))})
    if watch.cotangents.dtype.kind not in "f" or len(watch.cotangents) != len(values):
        return
    cotangents = watch.cotangents[rows]
    if (k := _one_change_of_sign(cotangents)) is not None:
        slots = {"quantity": watched(watch), "at": Iteration(int(rows[k])), "before": Iteration(int(rows[k - 1]))}
        slots["value"] = Value(float(path[k]), watch.unit)
        form = "asked for less" if cotangents[k] > 0 else "asked for more"
        yield KIND.fact(form, (0, last), 0.55, slots, data={"cotangent": float(cotangents[k])})


def _one_change_of_sign(numbers: Floats) -> int | None:
    """Return where numbers change their sign for good, if they do so once and are never zero or unknown."""
    sizes = np.abs(numbers)
    if not np.isfinite(numbers).all() or (sizes <= tolerance(float(sizes.max()))).any():
        return None
    changes = np.flatnonzero(np.diff(np.sign(numbers)))
    return int(changes[0]) + 1 if len(changes) == 1 else None


KIND = Kind(
    name="crossing",
    question=Question.GRADIENT,
    rank=22,
    slots={"quantity": Named, "at": Iteration, "before": Iteration, "end": Value, "value": Value},
    compute=compute,
    method="one change of sign along the accepted iterates",
)
