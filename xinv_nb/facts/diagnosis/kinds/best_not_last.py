"""The run ended clearly above the lowest loss that it had reached."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.constraints import is_constrained
from xinv_nb.facts.measures.losses import finite_iterates, height
from xinv_nb.language.slots import Iteration, Named, Slot, Value, loss_pair

_ABOVE = 0.01
"""Share of the run's height by which the last loss has to lie above the lowest."""
_TIMES = 1.5
"""The last loss as a multiple of the lowest from which on it is clearly above, where both are above 0."""
_MUCH = 0.1
"""Share of the height from which on it is so whatever the multiple."""
_EXPLAINED = 0.3
"""Share of the rise that the gradients along the path have to account for: else it is noise."""


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield where the loss was lowest, where that is clearly below the last one and no draw of a noise.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for x in (4.0, 1.0, 2.0, 3.0):
    ...         run.add(x**2, x, gradients=2 * x)
    >>> run.diagnosis[0].text
    'The lowest loss, 1, was at iteration 1; the run ended at 9, 9 times that.'
    """
    run = evidence.run
    rows = finite_iterates(run)
    is_minimized = evidence.downhill_share is None and evidence.players is None and not is_constrained(run)
    if run.status == "running" or len(rows) < 3 or evidence.is_noisy or not is_minimized:
        return
    loss = run.loss[rows]
    at = int(np.argmin(loss))
    above, whole = float(loss[-1] - loss[at]), min(height(loss), float(loss[0] - loss[at]))  # whatever peak lay between
    is_clear = above > _MUCH * whole or (loss[at] > 0 and loss[-1] > _TIMES * loss[at])
    if at == 0 or not np.isfinite(run.loss[run.accepted][-1]) or not (is_clear and above > _ABOVE * whole):
        return
    if not _is_explained(evidence, int(rows[at]), above):
        return
    low, end = loss_pair(float(loss[at]), float(loss[-1]), both=True)
    slots: dict[str, Slot] = {"best": low, "iteration": Iteration(int(rows[at])), "end": end}
    form = "above"
    if loss[at] > 0:
        form, slots["times"] = "times", Value(float(loss[-1] / loss[at]))
    call = run.history.calls[-1] if run.history.calls else None
    step = call.options.get("step_size") if call is not None else None
    if call is not None and isinstance(step, (int, float)):
        form += ", with a step size"
        slots |= {"optimizer": Named(call.optimizer, call.optimizer, is_of_domain=False), "step": Value(float(step))}
    yield KIND.finding(form, (int(rows[at]), evidence.last), slots, data={"above": above})


def _is_explained(evidence: Evidence, best: int, above: float) -> bool:
    """Whether the gradients along the path tell of the rise, too: the losses then are values of one function."""
    run, iterates = evidence.run, evidence.iterates
    late = run.loss[best:][run.accepted[best:]]
    if not run.has_gradients or not iterates.tracks:
        return len(late) > 3 and bool(np.median(late[-3:]) > late[0] + above / 2)
    start = iterates.at(best)
    accounted = float(np.sum(iterates.earned[:, -1] - iterates.earned[:, start]))
    return bool(accounted > _EXPLAINED * above)


KIND = FindingKind(
    name="best-not-last",
    severity="caution",
    rank=50,
    slots={
        "best": Value,
        "iteration": Iteration,
        "end": Value,
        "times": Value,
        "optimizer": Named,
        "step": Value,
    },
    compute=compute,
    means="The run ended clearly above the lowest loss that it had reached: the last parameters are not its best.",
    seen_by="the lowest loss of the accepted points beside the last one, where gradients along the path account for it",
    example="Adam with a lively step size that leaves a good point again",
    asked_with=(
        r"\b(?:last|final|end)\w* (?:\w+ ){0,3}worse|\bworse (?:\w+ ){0,3}(?:end|middle|before|last)|\b(?:best"
        r"|lowest) (?:\w+ ){0,2}(?:not|before)|\bbest (?:ones?|values?|parameters?)\b"
    ),
    silences=("advice: better before", "advice: more iterations", "minimum", "best"),
)
