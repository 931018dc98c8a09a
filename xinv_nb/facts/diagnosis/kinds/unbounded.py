"""The loss falls without end: it crosses zero and falls ever further, while the slope grows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.diagnosis.naming import called_in
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.losses import Rows, finite_iterates
from xinv_nb.facts.measures.names import named
from xinv_nb.facts.measures.sizes import norms
from xinv_nb.language.slots import Named, Slot, Value, loss_pair, pair
from xinv_nb.recorded.run import RecordedRun

_FEWEST = 8
"""Iterates from which on it is told, where the loss does not run away at once."""
_AT_ONCE = 1e3
"""How many times as large as at the start the loss is then."""
_AT_ONCE_WITHOUT_SLOPE = 1e9
_DOWN = 0.95
"""Share of the steps that have to lower the loss."""
_FURTHER = 2.0
"""How many times as low as at the start it is at the end, where it began below zero."""
_AS_FAST = 0.9
"""Share of the fall, and of the way, of one half of the run that the other half has to make at least."""
_STEEPER = 1.1
"""How many times as steep as at the start it is at the end."""


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield that there is no lowest loss on the way that the run took.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     x = 1.0
    ...     for _ in range(20):
    ...         run.add(10.0 - x**2, x, -2 * x)
    ...         x += 0.2 * x
    >>> run.diagnosis[0].kind
    'unbounded'
    """
    run = evidence.run
    if evidence.players is not None or evidence.downhill_share is not None or not run.history.is_real:
        return
    rows = _falling(run)
    if rows is None:
        return
    first, last = int(rows[0]), int(rows[-1])
    slots: dict[str, Slot] = {"objective": called_in(run, "the loss")}
    slots["start"], slots["end"] = loss_pair(float(run.loss[first]), float(run.loss[last]))
    if run.has_gradients:
        slope, steepest = norms(run, run.history.rows(rows[[0, -1]], "gradients")).tolist()
        slots["slope_start"], slots["slope_end"] = pair(slope, steepest)
    points = run.history.rows(rows[[0, -1]])
    entry = next((each for each in run.entries() if each.column == _runaway(run, rows)), None)
    form = "falls"
    if entry is not None:
        at_first, at_last = points[:, entry.column].tolist()
        slots["from"], slots["to"] = pair(at_first, at_last, entry.parameter.unit)
        slots["parameter"] = named(entry)
        form = "falls, with a parameter"
    yield KIND.finding(form, (0, evidence.last), slots)


def _falling(run: RecordedRun) -> Rows | None:
    """Return evaluations along which the loss falls without end, the first and the lowest at their ends."""
    rows = finite_iterates(run)
    rows = rows if run.history.kept is None else np.intersect1d(rows, run.kept)
    if _keeps_falling(run.loss[rows]) and _is_steeper(run, rows) and _runaway(run, rows) is not None:
        return rows
    return _at_once(run)


def _keeps_falling(loss: Floats) -> bool:
    """Whether a loss falls ever further below zero, no slower in the end than before."""
    count = len(loss)
    if count < _FEWEST or not loss[-1] == loss.min() < 0 or np.mean(np.diff(loss) < 0) < _DOWN:
        return False
    middle, quarter = count // 2, count // 4
    half = bool(loss[middle] - loss[-1] >= _AS_FAST * (loss[0] - loss[middle]))
    late = bool(loss[-1 - quarter] - loss[-1] >= _AS_FAST * (loss[-1 - 2 * quarter] - loss[-1 - quarter]))
    return half and late and bool(loss[0] > 0 or loss[-1] <= _FURTHER * loss[0])


def _is_steeper(run: RecordedRun, rows: Rows) -> bool:
    if not run.has_gradients:
        return False
    sizes = norms(run, run.history.rows(rows, "gradients"))
    return bool(sizes[-1] >= _STEEPER * sizes[0] and sizes[-1] >= _AS_FAST * sizes.max())


def _runaway(run: RecordedRun, rows: Rows) -> int | None:
    """Return the column of the parameter that goes on as far as before, and that matters most of these."""
    start, middle, end = run.history.rows(rows[[0, len(rows) // 2, -1]])
    way, before = np.abs(end - middle), np.abs(middle - start)
    if len(rows) < _FEWEST:
        way, before = np.abs(end - start), np.zeros_like(start)
    pull = np.abs(run.history.rows(rows[-1:], "gradients")[0]) if run.has_gradients else np.ones_like(way)
    weight = np.where((way >= _AS_FAST * before) & (way > 0) & np.isfinite(way * pull), way * pull, 0.0)
    return int(np.argmax(weight)) if weight.any() else None


def _at_once(run: RecordedRun) -> Rows | None:
    """Return the first and the lowest evaluation, also one that was only tried, where that is far below and steep."""
    if not run.evaluations or not np.isfinite(run.loss[0]):
        return None
    times = _AT_ONCE if run.has_gradients else _AT_ONCE_WITHOUT_SLOPE
    low = np.flatnonzero(np.isfinite(run.loss) & (run.loss < -times * max(1.0, abs(float(run.loss[0])))))
    low = low[np.isin(low, run.kept)]
    if run.has_gradients and len(low):
        low = low[np.isfinite(norms(run, run.history.rows(low, "gradients")))]
    if not len(low):
        return None
    rows = np.array([0, low[np.argmin(run.loss[low])]])
    if _runaway(run, rows) is None:
        return None
    return rows if not run.has_gradients or _is_steeper(run, rows) else None


KIND = FindingKind(
    name="unbounded",
    severity="warning",
    rank=3,
    slots={
        "objective": Named,
        "start": Value,
        "end": Value,
        "slope_start": Value,
        "slope_end": Value,
        "parameter": Named,
        "from": Value,
        "to": Value,
    },
    compute=compute,
    means="The loss has no lowest value on the way that the run took: what is to be raised is lowered, mostly.",
    seen_by="a loss that falls ever further below zero, no slower in the end than before, while the slope grows",
    example="a log-likelihood that is handed to a minimizer",
    asked_with=r"\b(?:unbounded|minus infinity|without end|below (?:0|zero)|negative)\b",
    silences=("advice", "minimum", "convergence", "identifiability", "left-to-gain", "poor-start"),
)
