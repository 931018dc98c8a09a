"""Which parameter earned the fall of the loss, over the run and in each of its main drops.

Method: loss change allocation (Lan et al., NeurIPS 2019): the change of the loss along the accepted iterates is the
path integral of the gradient, split by parameter; the trapezoidal rule on the recorded points. What the integral leaves
unexplained is said where it matters, as with mini-batches, whose losses are not one function.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xinv_nb.facts.fact import Fact, Phase
from xinv_nb.facts.kinds.movement import name_of
from xinv_nb.facts.measures.iterates import Iterates
from xinv_nb.facts.measures.phases import last_of
from xinv_nb.language.quantities import number, share
from xinv_nb.recorded.run import RecordedRun

_REMAINDER = 0.1
"""Share of the fall up to which what the integral leaves over need not be told."""
_LARGEST_REMAINDER = 0.35
"""The same from which on the integral explains nothing."""
_MAIN = 0.15
"""Share of the whole fall from which the fall in one phase is a main drop."""
_MOST_DROPS = 3
_WORTH = 0.05
"""Share of a fall from which a parameter's part in it is told."""


def credit(run: RecordedRun, iterates: Iterates, phases: Sequence[Phase]) -> Iterator[Fact]:
    """Yield how the fall of the loss splits between parameters, if the recorded path accounts for most of it."""
    if run.evaluations < 3 or not _complete(run, iterates) or len(iterates) < 2:
        return
    last = run.evaluations - 1
    if fact := _split(run, iterates, (0, last), "credit", 0.75):
        yield fact
    fall = float(run.loss[iterates.rows[0]] - run.loss[iterates.rows[-1]])
    drops = []
    for phase in phases if len(phases) > 1 else ():
        if "noisy" in phase.label:
            continue  # a single loss at either end of it says little
        a, b = phase.start, last_of(phase, run.loss)
        down = float(run.loss[iterates.rows[iterates.at(a)]] - run.loss[iterates.rows[iterates.at(b)]])
        if down > _MAIN * fall > 0 and a < b:
            drops.append((down, (a, b)))
    for _, span in sorted(sorted(drops, reverse=True)[:_MOST_DROPS], key=lambda drop: drop[1]):
        if fact := _split(run, iterates, span, "drop", 0.5):
            yield fact


def _complete(run: RecordedRun, iterates: Iterates) -> bool:
    """Whether all parameters are among the tracks: of several, or else there is nothing to split."""
    entries = [track.entry for track in iterates.tracks]
    columns = sum(1 if e.column is not None else e.leaf.end - e.leaf.start for e in entries)
    return len(entries) > 1 and columns == run.history.width


def _split(run: RecordedRun, iterates: Iterates, span: tuple[int, int], kind: str, salience: float) -> Fact | None:
    i, j = iterates.at(span[0]), iterates.at(span[1])
    total = float(run.loss[iterates.rows[j]] - run.loss[iterates.rows[i]])
    earned = iterates.earned[:, j] - iterates.earned[:, i]
    accounted = float(np.sum(earned))
    if not (np.isfinite(total) and np.isfinite(accounted)) or total >= 0:
        return None
    remainder = abs(accounted - total) / abs(total)
    if remainder > _LARGEST_REMAINDER:
        return None
    order = np.argsort(earned, kind="stable")
    first, second = (name_of(iterates.tracks[k].entry) for k in order[:2])
    one, two = (float(earned[k]) for k in order[:2])
    entries = [track.entry for track in iterates.tracks]
    if kind == "credit":
        text, of = "Along the path, ", "the fall of the loss"
    else:
        text, of = f"Between iterations {span[0]} and {span[1]} the loss fell by {number(-total)}: ", "that"
    if one / total > 1:
        text += f"moving {first} alone lowered the loss by {number(-one)}, more than it fell in all ({number(-total)})"
        text += ": other moves raised it"
    else:
        text += f"moving {first} accounts for {share(one / total)} of {of}"
        if two / total > _WORTH:
            text += f" and moving {second} for {share(two / total)}"
    if remainder > _REMAINDER:
        text += f"; in all, the recorded gradients account for {share(accounted / total)} of it"
    if any(e.leaf.kept is not None for e in entries):
        text += " (estimated from a sample of the entries of large arrays)"
    parts = {entry.name: float(part) for entry, part in zip(entries, earned, strict=True)}
    values = {"total": total, "parts": parts, "remainder": remainder, "accounted": accounted}
    return Fact("", kind, text + ".", values, span, (), salience)
