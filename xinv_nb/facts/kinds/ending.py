"""What stopped the run, and what the loss was doing then."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.drift import CLEAR, drift
from xinv_nb.facts.measures.losses import Rows, finite_iterates, height
from xinv_nb.facts.measures.names import named_optimizer
from xinv_nb.facts.measures.optimizers import last_stop
from xinv_nb.facts.measures.phases import unusable
from xinv_nb.facts.measures.scale import visible_swing
from xinv_nb.facts.measures.ups_and_downs import comes_down
from xinv_nb.language.slots import (
    Clause,
    Count,
    Iteration,
    Said,
    Slot,
    SolverIterations,
    Value,
    Word,
    loss_pair,
)
from xinv_nb.recorded.endings import OUT_OF, why_of
from xinv_nb.recorded.run import RecordedRun

_UNCHANGED = 1e-3
"""Share of the loss, or of its range where it is looked at on a plain scale, below which it hardly changes any more."""
_FALLING = 1e-2
"""Share of its range by which a loss falls in the last part of the run, for it to be said to be falling still."""
_DONE = ("converged", "flat", "hardly changes", "tiny steps", "first-order conditions")
"""Reasons to stop that say that a test for convergence is met."""
_FEW = 4
"""Accepted points up to which the last step alone is the last part."""
_LATE = 10
"""The last part of the run that is looked at: one in ten iterations."""
_FEWEST_IDLE = 10
"""Evaluations without a step from which on a loss may be said to have stood still."""

Floats = NDArray[np.float64]
Told = tuple[str, dict[str, Slot], dict[str, object]]


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield why the run ended: in the words of its optimizer, or by what the loss was doing.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> with xi.record() as run:
    ...     for x in (4.0, 2.0, 1.0):
    ...         slope = grad(lambda x: x**2)(x)
    >>> next(fact for fact in run.facts if fact.kind == "ending").text
    'The run ended after 3 iterations, while the loss was still falling, from 4 at iteration 1 to 1 at the end.'
    """
    run, last = evidence.run, evidence.last
    if last < 0:
        return
    slots: dict[str, Slot] = {"iterations": Count(run.evaluations)}
    if run.status == "interrupted":
        yield KIND.fact("by hand", (last, last), 1.0, slots)
    elif run.status == "failed":
        why: dict[str, Slot] = {"why": Said(run.ending.rstrip("."))} if run.ending else {}
        yield KIND.fact("broke off, why" if why else "broke off", (last, last), 1.0, slots | why)
    elif run.status == "finished":
        yield from _why(evidence, slots)


def _why(evidence: Evidence, slots: dict[str, Slot]) -> Iterator[Fact]:
    run, last, stop = evidence.run, evidence.last, last_stop(evidence.run)
    stopped = () if stop is None else ((stop.id,) if stop.id else ())
    cites = () if stop is None else (*stopped, *(fact.id for fact in evidence.of("stopping tests")))
    slots["stopped"] = Clause("the run ended", {})
    if stop is not None:
        slots["stopped"] = Clause("an optimizer stopped", {"optimizer": named_optimizer(str(stop.values["optimizer"]))})
    if stop is not None and stop.values.get("message"):
        evaluations = int(stop.values["evaluations"])
        slots["evaluations"] = Count(evaluations)
        if "nit" in stop.values:
            slots["own"] = SolverIterations(int(stop.values["nit"]))
        data = {
            name: stop.values[name] for name in ("optimizer", "message", "reason", "tried_lower") if name in stop.values
        }
        why = why_of(stop.values)
        if stop.values.get("reason") in _DONE and not np.isfinite(run.loss[run.accepted][-1:]).all():
            why = None  # tests that compare with what is no number
        if why:
            if stop.values.get("reason") in OUT_OF:
                doing, told, found = _doing(evidence)
                data |= found
                why = Clause(doing.removeprefix(", "), {"why": why, **told}) if doing else why
            slots["why"] = why
        is_all = why is not None and evaluations == run.evaluations and evaluations > 1
        form = "stopped, why" if is_all else "stopped, why, of some evaluations"
        yield KIND.fact(form, (last, last), 0.9, slots, cites=cites, data=data)
    elif last > 0:
        form, told, data = _doing(evidence)
        yield KIND.fact(f"stopped{form}", (last, last), 0.9, slots | told, cites=cites, data=data)


def _doing(evidence: Evidence) -> Told:
    """Return what the loss was doing when the run ended."""
    run, phase = evidence.run, evidence.phases[-1]
    data: dict[str, object] = {"doing": phase.kind}
    rows, finite = np.flatnonzero(run.accepted), finite_iterates(run)
    broken = rows[rows > finite[-1]] if len(finite) else rows
    if len(broken):
        told = {"label": Word(unusable(run.loss[broken])), "since": Iteration(int(broken[0]))}
        return ", broken", told, {"doing": "broken"}
    if phase.kind == "oscillation":
        falls = evidence.players is None and comes_down(run.loss[finite[finite >= phase.start]])
        return ", swinging down" if falls else ", swinging", {}, data | ({"doing": "descent"} if falls else {})
    if phase.noisy and evidence.players is None:
        return _beside_noise(run.loss[finite[finite >= phase.start]], phase.kind)
    whole = finite_iterates(run)
    rows = whole[whole >= phase.start]
    if phase.kind == "converged" or (phase.kind == "plateau" and not _still_falls(run, whole)):
        return ", hardly changing", {}, data
    if evidence.players is not None:
        return "", {}, {"doing": "unclear"}  # where it goes on to is up to the others as well
    if len(rows) < 2:
        return "", {}, data
    since = int(rows[-1 - max(len(rows) // _LATE, 2 if len(rows) > _FEW else 1)])  # steps may be short by turns
    if not run.has_gradients:  # what was accepted lies far apart where it is the best of many points
        before = rows[rows <= evidence.last - max(run.evaluations // _LATE, _FEWEST_IDLE)]
        since = int(before[-1]) if len(before) else since
    start, end = loss_pair(float(run.loss[since]), float(run.loss[rows[-1]]))
    scale = abs(end.number) if visible_swing(run.loss[whole])[0] else height(run.loss[whole])
    if start.looks_like(end) or abs(start.number - end.number) <= _UNCHANGED * scale:
        return ", hardly changing", {}, {"doing": "plateau"}
    if abs(start.number - end.number) <= CLEAR * _scatter(run.loss[rows]):
        return "", {}, {"doing": "unclear"}
    falls = end.number < start.number
    if falls and phase.kind == "rise":
        return "", {}, {"doing": "unclear"}  # it may just have turned
    data = {"doing": "descent" if falls else "rise", "from": start.number, "to": end.number, "since": since}
    slots: dict[str, Slot] = {"late_start": start, "late_end": end, "since": Iteration(since)}
    return ", falling" if falls else ", rising", slots, data


def _scatter(loss: Floats) -> float:
    """Return by how much single losses of the last part of a stretch scatter, which a smooth curve hardly does."""
    late = loss[-(len(loss) // 3) :]
    return float(np.median(np.abs(np.diff(late, 2)))) / 6**0.5 if len(late) >= _FEWEST_IDLE else 0.0


def _beside_noise(loss: Floats, kind: str) -> Told:
    """Return what a noisy loss was doing in its last stretch, and in the last half of that, too: not only at first."""
    whole, late = drift(loss), drift(loss[len(loss) // 2 :])
    if kind == "plateau" and abs(whole) < CLEAR:
        return ", only noise", {}, {"doing": kind}
    if late < -CLEAR and kind != "rise":
        return ", falling apart from noise", {}, {"doing": "descent" if kind == "plateau" else kind}
    if late > CLEAR and kind == "rise":
        return ", rising apart from noise", {}, {"doing": kind}
    return "", {}, {"doing": "unclear"}


def _still_falls(run: RecordedRun, whole: Rows) -> bool:
    """Whether a loss that is no longer steep beside its fall goes on falling at each of the last accepted steps."""
    late = run.loss[whole[-1 - max(len(whole) // _LATE, 2) :]]
    return len(late) > 2 and bool((np.diff(late) < 0).all()) and late[0] - late[-1] > _FALLING * height(run.loss[whole])


KIND = Kind(
    name="ending",
    question=Question.ENDING,
    rank=70,
    slots={
        "iterations": Count,
        "evaluations": Count,
        "own": SolverIterations,
        "stopped": Clause,
        "why": (Clause, Said),
        "late_start": Value,
        "late_end": Value,
        "since": Iteration,
        "label": Word,
    },
    compute=compute,
    method="the optimizer's own message; the decrease over the last tenth (Gill, Murray & Wright 1981, 8.2.3)",
)
