"""What the iterations were spent on: the last hundredth of the gain, and trials that were not accepted.

Method: data profiles count evaluations, not iterates (Moré & Wild 2009); rejected trials are what a line search or a
trust region costs (Nocedal & Wright 2006, chapters 3 and 4).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xinv_nb.facts.fact import Fact, Phase
from xinv_nb.facts.kinds.course import is_noisy
from xinv_nb.facts.measures.scale import visible_swing
from xinv_nb.language.quantities import share
from xinv_nb.recorded.run import RecordedRun

_GAIN = 0.99
_LATE = 0.3
"""Share of the iterations after 99 % of the gain from which on it is told."""
_FEWEST = 10


def effort(run: RecordedRun, phases: Sequence[Phase]) -> Iterator[Fact]:
    """Yield when nearly all of the gain was made, and how many evaluations were trials.

    Examples
    --------
    >>> list(effort(RecordedRun(), ()))
    []
    """
    if run.evaluations >= _FEWEST and not any(is_noisy(phase) for phase in phases):
        yield from _gain(run)
    yield from _trials(run)


def _gain(run: RecordedRun) -> Iterator[Fact]:
    last = run.evaluations - 1
    rows = np.flatnonzero(run.accepted & np.isfinite(run.loss))
    if len(rows) < _FEWEST // 2 or not np.isfinite(run.loss[run.accepted][-1]):
        return
    loss = run.loss[rows]
    total = float(loss[0] / 2 - loss[-1] / 2)
    if not total > 0 or float(loss.max() / 2 - loss.min() / 2) > 1.02 * total:
        return  # the end is not the best of it
    short = np.flatnonzero(loss[0] / 2 - loss / 2 < _GAIN * total)
    at = int(rows[short[-1] + 1])
    spent = last - at
    if spent < _LATE * last:
        return
    values = {"at": at, "after": spent, "share": spent / last}
    text = f"99 % of the fall of the loss was reached by iteration {at}; the {spent} iterations after it "
    text += "brought the last 1 %."
    logarithmic = visible_swing(loss)[0]
    yield Fact("", "gain", text, values, (at, last), salience=0.25 if logarithmic else 0.45)


def _trials(run: RecordedRun) -> Iterator[Fact]:
    rejected = ~run.accepted
    count = int(np.count_nonzero(rejected))
    if not count:
        return
    edges = np.flatnonzero(np.diff(np.concatenate([[False], rejected, [False]]).astype(int)))
    lengths = edges[1::2] - edges[::2]
    longest, part = int(lengths.max()), count / run.evaluations
    a = int(edges[2 * int(np.argmax(lengths))])
    values = {"count": count, "share": part, "longest": longest, "from": a, "to": a + longest - 1}
    was = "was a trial" if count == 1 else "were trials"
    text = f"{count} of {run.evaluations} evaluations {was} that the optimizer did not accept ({share(part)})"
    if longest > 1:
        text += f", at most {longest} of them in a row, from iteration {a} to {a + longest - 1}"
    yield Fact("", "trials", text + ".", values, (0, run.evaluations - 1), salience=0.5 if part > 0.4 else 0.3)
