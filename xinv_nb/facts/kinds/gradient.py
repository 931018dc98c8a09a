"""What the last gradient says.

Method: first-order optimality, measured by the gradient's norm beside that at the start (Gill, Murray & Wright 1981,
section 8.2.3; Dennis & Schnabel 1983, section 7.2).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.scale import quarters
from xinv_nb.facts.measures.sizes import end_of, gradient_sizes
from xinv_nb.language.slots import Share, Slot, Value, pair

_LEVEL = 0.01
"""Share of the first gradient below which the last one is almost level."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield the size of the last gradient beside the first one; of gradients of batches, their medians."""
    run = evidence.run
    if evidence.last < 0 or run.status == "running" or not run.has_gradients:
        return
    sizes, last = gradient_sizes(run), end_of(run)
    if last == 0 or not np.isfinite(run.loss[[0, last]]).all() or not np.isfinite(sizes[0]):
        return
    if evidence.is_noisy:
        yield from _medians(sizes, last)
        return
    first, end = pair(float(sizes[0]), float(sizes[last]))
    slots: dict[str, Slot] = {"first": first, "last": end}
    if first.number:
        slots["ratio"] = Share(end.number / first.number)
    yield KIND.fact(_form(first, end), (0, last), 0.55, slots)


def _form(first: Value, last: Value) -> str:
    if not np.isfinite(last.number):
        return "not finite"
    if last.number == 0:
        return "level"
    if first.number == 0:
        return "from level"
    if first.looks_like(last):
        return "as steep"
    if last.number > first.number:
        return "steeper"
    return "almost level" if last.number < _LEVEL * first.number else "less steep"


def _medians(sizes: Floats, last: int) -> Iterator[Fact]:
    """Tell of the gradients of batches by their medians: a single one says nothing of the end."""
    early, late = pair(*quarters(sizes[: last + 1]))
    if np.isfinite(early.number + late.number):
        form = "same median" if early.looks_like(late) else "medians"
        yield KIND.fact(form, (0, last), 0.3, {"early": early, "late": late})


KIND = Kind(
    name="gradient",
    question=Question.ENDING,
    rank=71,
    slots={"first": Value, "last": Value, "ratio": Share, "early": Value, "late": Value},
    compute=compute,
    method="norm of the last gradient beside the first (Gill, Murray & Wright 1981, 8.2.3)",
)
