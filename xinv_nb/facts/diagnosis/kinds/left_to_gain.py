"""The run is over, and much of what the loss could fall is still left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xinv_nb.facts.diagnosis.finding import Finding, Severity
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.constraints import is_constrained
from xinv_nb.facts.measures.ends import last_call
from xinv_nb.facts.measures.left import (
    Decrement,
    Rate,
    is_consistent,
    parts,
    steady_rate,
    steepness,
)
from xinv_nb.facts.measures.losses import finite_iterates
from xinv_nb.facts.measures.names import named
from xinv_nb.facts.measures.stopping import stopping_tests
from xinv_nb.facts.measures.tape import tape_events
from xinv_nb.facts.measures.turned_down import lowest_turned_down
from xinv_nb.language.slots import Count, Iteration, LossValue, Named, Said, Share, Slot, Value

_LEFT = 0.03
"""Share of the fall that has to be left to be told."""
_MUCH = 0.05
"""The same from which the result cannot be used."""
_SAME = 1.5
"""Factor by which what is left may differ between the two ways to tell it."""
_SEEN = 0.8
"""Share of the first decrease that the last one may be at most to tell by them alone what is left."""
_WHOLE = 1.05
"""What is left, as a share of a loss that was never below 0, up to which it is told."""
_STARVED = 0.3
"""Share of its own steepest slope that a parameter has at the end that was left behind."""
_DONE = 0.01
"""The same of the parameters that are done."""
_LITTLE = 0.01
"""Share of all moves' effect on the loss up to which one was left behind."""
_FELT = 1e-9
"""Share of the fall from which on a parameter's moves are no rounding."""
_STEEP = 0.3
"""Share of the steepest slope of the run from which on the end is as steep."""
_STEP = 1e-3
"""Share of the whole fall by which the loss still fell at each of the latest steps."""
_LATEST = 5
_LAST_STEPS = 5
"""The part of the steps of a solver that was cut short, a fifth, by which it is told whether it was done."""
_STILL_FALLS = 0.01
"""Share of the whole fall that these brought from which on it was not;"""
_OF_ITSELF = 0.2
"""or of a loss that is not below 0, share of itself;"""
_TO_THE_LAST = 1e-3
"""and share of the whole fall that the latter half of them brought at least."""
_FEWEST = 4
_PRECISE = 1e3
"""Units in the last place of the loss below which what is left is rounding."""


@dataclass(frozen=True)
class _Left:
    amount: float
    fall: float
    bowl: Decrement | None
    rate: Rate | None


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield how much is left, where steps and slopes agree on it, or the parameter that was left behind.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     x = 8.0
    ...     for _ in range(20):
    ...         run.add(x**2 + 3, x, gradients=2 * x)
    ...         x = x - 0.02 * 2 * x
    >>> run.diagnosis[0].kind
    'left-to-gain'
    """
    run = evidence.run
    is_minimized = evidence.downhill_share is None and evidence.players is None and not is_constrained(run)
    rows = finite_iterates(run)
    if run.status != "finished" or evidence.is_noisy or not is_minimized:
        return
    turned_down = _turned_down(evidence)
    if turned_down is not None or len(rows) < _FEWEST:
        yield from () if turned_down is None else (turned_down,)
        return
    if rows[-1] != np.flatnonzero(run.accepted)[-1] or run.loss[rows[-1]] > run.loss[rows].min():
        return  # it ended above its best: that is another matter
    if not _has_fallen(evidence) or any(fact.values.get("pull", 0.0) > 0 for fact in evidence.of("bound")):
        return
    if evidence.held:
        return  # what its slope promises the program does not allow
    if tape_events(evidence, "broadcast"):
        return  # it is not to be minimized further, but to be mended
    found = _left(evidence)
    if found is not None:
        yield _of_amount(evidence, found)
        return
    yield from list(_left_behind(evidence)) or list(_cut_short(evidence)) or _still_steep(evidence)


def _turned_down(evidence: Evidence) -> Finding | None:
    """Return that the last line search accepted none of its points, of which some are lower by far."""
    run, call = evidence.run, last_call(evidence.run)
    at, rows = lowest_turned_down(run), finite_iterates(run)
    if at is None or call is None or not run.has_gradients:
        return None  # differences of an inexact loss would mislead the next search as well
    gain, fall = float(run.loss[rows[-1]] - run.loss[at]), float(run.loss[rows[0]] - run.loss[rows[-1]])
    if not gain > _LEFT * fall:
        return None
    slots: dict[str, Slot] = {
        "optimizer": Named(call.optimizer, call.optimizer, is_of_domain=False),
        "loss": LossValue(float(run.loss[rows[-1]])),
        "lowest": LossValue(float(run.loss[at])),
        "iteration": Iteration(at),
    }
    return KIND.finding("turned down", (int(rows[-1]), evidence.last), slots, severity="warning")


def _has_fallen(evidence: Evidence) -> bool:
    run = evidence.run
    rows = finite_iterates(run)
    return bool(run.loss[rows[0]] - run.loss[rows[-1]] > _PRECISE * np.finfo(float).eps * np.abs(run.loss[rows]).max())


def _left(evidence: Evidence) -> _Left | None:
    run = evidence.run
    rows = finite_iterates(run)
    fall = float(run.loss[rows[0]] - run.loss[rows[-1]])
    bowl, rate = evidence.bowl, steady_rate(run)
    if bowl is not None and rate is not None and not 1 / _SAME < bowl.left / rate.left < _SAME:
        rate = None
    if bowl is None and rate is not None and not (rate.is_steady and rate.seen <= _SEEN):
        rate = None  # too early to tell where decreases lead that hardly shrink, or that shrink ever less
    amount = bowl.left if bowl is not None else rate.left if rate is not None else 0.0
    end = float(run.loss[rows[-1]])
    if run.loss[rows].min() > 0 and amount > _WHOLE * end:
        return None  # a loss that was never below 0 need not go there
    rounding = _PRECISE * np.finfo(float).eps * abs(end)
    if not amount > max(_LEFT * fall, rounding):
        return None
    return _Left(amount, fall, bowl, rate)


def _of_amount(evidence: Evidence, found: _Left) -> Finding:
    run = evidence.run
    end = int(finite_iterates(run)[-1])
    slots: dict[str, Slot] = {"loss": LossValue(float(run.loss[end])), "left": LossValue(found.amount)}
    form = "left"
    if found.rate is not None:
        form = "left, by a rate"
        slots |= {"rate": Value(100 * (1 - found.rate.factor), "%"), "more": Count(round(found.rate.more))}
    if found.rate is not None and found.bowl is not None and (farthest := _farthest(evidence, found.bowl)):
        form, slots = f"{form}, of a parameter", slots | farthest
    share = found.amount / found.fall
    data = {"left_of_fall": share}
    severity = "warning" if share >= _MUCH else "caution"
    return KIND.finding(form, (0, evidence.last), slots, data=data, severity=severity)  # type: ignore[arg-type]


def _farthest(evidence: Evidence, bowl: Decrement) -> dict[str, Slot]:
    """Return the parameter with the most of its way before it, where it is and where it heads for."""
    run, iterates = evidence.run, evidence.iterates
    slope = run.history.rows(iterates.rows[-1:], "gradients")[0]
    here = run.history.rows(iterates.rows[-1:])[0]
    gains = slope * (here - bowl.target)
    tracks = {track.entry.column: track for track in iterates.tracks}
    track = tracks.get(int(np.argmax(gains)))
    if track is None or track.entry.statistic:
        return {}
    column, unit = int(np.argmax(gains)), track.entry.parameter.unit
    return {
        "parameter": named(track.entry),
        "at": Value(float(here[column]), unit),
        "target": Value(float(bowl.target[column]), unit, digits=2),
    }


def _left_behind(evidence: Evidence) -> Iterator[Finding]:
    """Yield the parameter that hardly moved for what its slope asked, while the others are done."""
    run = evidence.run
    path = evidence.path
    call = last_call(run)
    if path is None or call is None or call.ending.get("reason") == "callback" or not is_consistent(path):
        return
    steep, moved = steepness(path), parts(path)
    j = int(np.argmax(steep))
    asked = path[1][:, j]
    same_way = bool((np.sign(asked[-max(len(asked) // 3, 3) :]) == np.sign(asked[-1])).all())
    behind = steep[j] >= _STARVED and _FELT * moved.sum() < moved[j] <= _LITTLE * moved.sum()
    others = np.delete(steep, j)
    tolerance = float(call.options.get("gtol", call.options.get("pgtol", 1e-5)))
    if not (behind and same_way and len(others) and others.max() <= _DONE and abs(asked[-1]) > 100 * tolerance):
        return
    track = next((t for t in evidence.iterates.tracks if t.entry.column == j and not t.entry.statistic), None)
    if track is None:
        return
    unit = track.entry.parameter.unit
    slots: dict[str, Slot] = {
        "optimizer": Named(call.optimizer, call.optimizer, is_of_domain=False),
        "loss": LossValue(float(path[2][-1])),
        "parameter": named(track.entry),
        "slope": Value(float(abs(asked[-1]))),
        "steepest": Value(float(np.abs(asked).max())),
        "start": Value(float(path[0][0, j]), unit),
        "at": Value(float(path[0][-1, j]), unit),
    }
    yield KIND.finding("left behind", (0, evidence.last), slots, severity="warning")


def _cut_short(evidence: Evidence) -> Iterator[Finding]:
    """Yield that a solver had no more steps or evaluations while its last steps still did much of what all did."""
    run, call = evidence.run, last_call(evidence.run)
    limit = next((test for test in stopping_tests(run) if test.is_count and test.is_met), None)
    if call is None or limit is None or call.ending.get("reason") not in ("iterations", "evaluations"):
        return
    losses = np.minimum.accumulate(run.loss[finite_iterates(run)])
    steps = max(len(losses) // _LAST_STEPS, 2)
    if steps >= len(losses):
        return
    brought = (losses[[-1 - steps, -1 - steps // 2]] - losses[-1]) / (losses[0] - losses[-1])
    share, before = float(brought[0]), float(losses[-1 - steps])
    is_much = share >= _STILL_FALLS
    if not (is_much or 0 <= losses[-1] <= (1 - _OF_ITSELF) * before) or brought[1] < _TO_THE_LAST:
        return
    slots: dict[str, Slot] = {
        "optimizer": Named(call.optimizer, call.optimizer, is_of_domain=False),
        "option": Said(limit.option),
        "limit": Count(round(limit.size)),
        "loss": LossValue(float(losses[-1])),
        "before": LossValue(before),
        "since": Iteration(int(finite_iterates(run)[-1 - steps])),
    }
    slots |= {"share": Share(share)} if is_much else {}
    severity: Severity = "warning" if share >= _MUCH else "caution"
    yield KIND.finding(f"cut short by {limit.about}", (0, evidence.last), slots, severity=severity)


def _still_steep(evidence: Evidence) -> Iterator[Finding]:
    """Yield that the loss fell to the last in a slope that is nearly as steep as any before."""
    run = evidence.run
    rows, path = finite_iterates(run), evidence.path
    if path is None or len(path[2]) < 2 * _LATEST or not is_consistent(path):
        return
    sizes = np.linalg.norm(path[1], axis=1)
    drops = -np.diff(path[2][-_LATEST - 1 :])
    fall = float(run.loss[rows[0]] - run.loss[rows[-1]])
    if not sizes[-1] >= _STEEP * sizes.max() or not drops.min() > _STEP * fall:
        return
    slots: dict[str, Slot] = {
        "loss": LossValue(float(path[2][-1])),
        "slope": Value(float(sizes[-1])),
        "steepest": Value(float(sizes.max())),
        "step": Value(float(drops[-1])),
    }
    yield KIND.finding("steep", (0, evidence.last), slots)


KIND = FindingKind(
    name="left-to-gain",
    severity="caution",
    rank=40,
    slots={
        "loss": Value,
        "left": Value,
        "rate": Value,
        "more": Count,
        "parameter": Named,
        "start": Value,
        "at": Value,
        "target": Value,
        "optimizer": Named,
        "slope": Value,
        "steepest": Value,
        "step": Value,
        "option": Said,
        "limit": Count,
        "before": Value,
        "since": Iteration,
        "share": Share,
        "lowest": Value,
        "iteration": Iteration,
    },
    compute=compute,
    means="The run is over, and much of what the loss could fall is still left.",
    seen_by="the Newton decrement from the path's own steps and changes of the gradient (Boyd & Vandenberghe 2004, "
    "9.5), the rate of the decreases, each slope beside its own steepest, and what the last steps of a solver did that "
    "was cut short",
    example="25 gradient steps in an elongated bowl; a regression with columns of very different units",
    asked_with=(
        r"\b(?:could|can) (?:\w+ )?(?:go |be |get )?(?:lower|better)|\bleft to gain|\bmore iterations"
        r"|\bconverg|\bdone\b"
    ),
    silences=("minimum", "gradient", "advice: more iterations", "advice: rescale"),
)
