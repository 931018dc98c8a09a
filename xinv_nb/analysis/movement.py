"""Which parameters moved, how far, and whether the gradient asked for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from xinv_nb.quantities import pair
from xinv_nb.run import Entry, Fact, Phase, Run

_MOVERS = 2
"""Parameters told of in each phase."""


def movement(run: Run, phases: Sequence[Phase]) -> Iterator[Fact]:
    """Yield, for the whole run and each phase, the moves of the parameters that moved most."""
    if run.evaluations < 2:
        return
    entries = run.entries()
    columns = [run.column(entry) for entry in entries]
    slopes = [run.column(entry, "gradients") for entry in entries]
    scales = [_scale(column) for column in columns]
    last = run.evaluations - 1
    spans = [(0, last)] if len(phases) < 2 else [(p.start, min(p.stop, last)) for p in phases]
    for a, b in spans:
        moves = [
            abs(c[b] - c[a]) / s if np.isfinite(c[b] - c[a]) else 0.0 for c, s in zip(columns, scales, strict=True)
        ]
        order = sorted(range(len(entries)), key=lambda i: -moves[i])[:_MOVERS]
        for i in order:
            if moves[i] > 0.05 and moves[i] >= 0.3 * moves[order[0]]:
                yield _moved(entries[i], columns[i], slopes[i], a, b, most=i == order[0] and len(entries) > 1)


def _scale(column: NDArray[np.float64]) -> float:
    """Return the range over the whole run, so that parameters of different units compare by their share of it."""
    finite = column[np.isfinite(column)]
    return float(np.ptp(finite)) or 1.0 if len(finite) else 1.0


def _moved(
    entry: Entry, column: NDArray[np.float64], slopes: NDArray[np.float64], a: int, b: int, *, most: bool
) -> Fact:
    start, end = float(column[a]), float(column[b])
    first, second = pair(start, end, entry.parameter.unit)
    rose = end > start
    asked, steps = _asked(slopes[a:b], rose)
    values = {"parameter": entry.name, "start": start, "end": end, "asked": asked, "steps": steps, "from": a, "to": b}
    verb = "rose" if rose else "fell"
    if entry.parameter.directions:
        verb = f"moved {entry.parameter.directions[1 if rose else 0]}"
    text = f"{sentence_start(entry)} {verb} from {first} to {second}"
    if entry.statistic:
        return Fact("", "movement", text + ".", values | {"most": most}, (a, b))
    if asked == steps:
        text += f"; the gradient asked for this at {'every iteration' if steps > 1 else 'this iteration'}."
    elif asked == 0:
        text += "; the gradient asked for the opposite at every iteration."
    else:
        text += f"; the gradient asked for this at {asked} of {steps} iterations."
    return Fact("", "movement", text, values | {"most": most}, (a, b))


def sentence_start(entry: Entry) -> str:
    """Return the label as a sentence begins with it: a name out of the program keeps its letters."""
    return entry.label[:1].upper() + entry.label[1:] if entry.parameter.name else entry.label


def _asked(slopes: NDArray[np.float64], rose: bool) -> tuple[int, int]:
    """Count the iterations in which the negative gradient points where the parameter went."""
    wanted = -slopes if rose else slopes
    return int(np.count_nonzero(wanted > 0)), len(slopes)
