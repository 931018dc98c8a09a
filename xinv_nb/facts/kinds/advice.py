"""What an expert would try next, each suggestion with the facts that suggest it.

The rules are those of the textbooks: step size and stability (Polyak 1964; Nocedal & Wright 2006, section 3.1), scaling
(Gill, Murray & Wright 1981, section 8.7), noise and batches (Bottou, Curtis & Nocedal 2018, section 4).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact, Phase
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.kinds.held_out import has_risen
from xinv_nb.facts.measures.constraints import is_constrained
from xinv_nb.facts.measures.drift import CLEAR, drift
from xinv_nb.facts.measures.kinks import end_at_kink
from xinv_nb.facts.measures.losses import finite_iterates
from xinv_nb.facts.measures.ups_and_downs import comes_down, height_of_late
from xinv_nb.language.slots import Iteration, Slot, Value
from xinv_nb.recorded.endings import NO_LOWER_LOSS
from xinv_nb.recorded.run import RecordedRun

_MOST = 3
_MOSTLY = 0.9
"""Share of the steps that have to point one way for a rule about their direction."""
_LONG = 0.3
"""Share of the run from which on a slow beginning is long."""
_LITTLE = 1e-4
"""Share of the whole fall below which what is left is not worth more iterations."""
_SWINGS = 0.01
"""Share of the whole fall up to which the last swings do not matter."""
_GAVE_UP = (*NO_LOWER_LOSS, "no progress", "not a number", "iterations", "evaluations")
"""Reasons to stop that say that a search did not arrive."""
_FEW_ITERATES = 3
"""Accepted points up to which a search has hardly begun."""
_MUCH_BETTER = 0.7
"""Salience from which on the lowest loss is much lower than the last."""
_CURVED = ("BFGS", "Newton", "trust", "Trust", "SLSQP", "TNC", "dogleg", "Dogbox", "Levenberg", "hybrid")
"""Parts of the names of methods that use the curvature."""


Suggestion = tuple[str, dict[str, Slot], list[Fact]]
"""A form, its slots, and the facts that suggest it."""
Suggestions = Iterator[Suggestion]


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield at most three suggestions, the most urgent first."""
    if evidence.run.status == "running" or evidence.last < 1 or not evidence.phases:
        return
    if evidence.is_maximized:
        return  # it rises as it is meant to
    if evidence.wandering is not None:
        return  # it may draw samples, which no step size brings lower
    if evidence.players is not None:
        return  # what the loss did is not by its own steps alone
    told = 0
    for rule in _RULES:
        for form, slots, because in rule(evidence):
            if told == _MOST:
                return
            cites = tuple(dict.fromkeys(fact.id for fact in because))
            data = {"rule": rule.__name__[1:]}
            yield KIND.fact(form, (0, evidence.last), 0.65 - 0.15 * told, slots, cites=cites, data=data)
            told += 1


def _about(evidence: Evidence, phase: Phase) -> list[Fact]:
    """Return the fact that tells of a phase; that of the whole run where it is the only one."""
    return [f for f in evidence.of("phase") if f.span[0] == phase.start] or evidence.of("course")


def _at_minimum(evidence: Evidence) -> bool:
    return any(fact.data["minimum"] for fact in evidence.of("minimum"))


def _along_the_gradient(run: RecordedRun) -> float:
    """Return the share of the steps that went up the gradient."""
    rows = run.iterates[np.isfinite(run.loss[run.iterates])]
    if len(rows) < 3 or not run.has_gradients:
        return math.nan
    steps = np.diff(run.history.rows(rows), axis=0)
    slopes = run.history.rows(rows[:-1], "gradients")
    return float(np.mean(np.einsum("ij,ij->i", steps, slopes).real > 0))


def _diverged(evidence: Evidence) -> Suggestions:
    loss = evidence.run.loss
    rising = [p for p in evidence.phases if p.kind in ("rise", "divergence") and np.isfinite(loss[p.start])]
    broken = [p for p in evidence.phases if p.kind == "divergence" and not np.isfinite(loss[p.start])]
    finite = loss[evidence.run.accepted & np.isfinite(loss)]
    if rising and len(finite) and finite[-1] > finite[0]:
        if is_constrained(evidence.run):
            return  # it may rise on the way to where the constraints hold
        uphill = _along_the_gradient(evidence.run)
        form = "smaller step, rose"
        if uphill >= _MOSTLY:
            form = "check the sign"
        elif uphill <= 1 - _MOSTLY:
            form = "smaller step, downhill"
        yield form, {}, _about(evidence, rising[-1])
    elif not len(finite):
        yield "another start", {}, evidence.of("course")
    elif broken:
        yield "keep in bounds", {}, _about(evidence, broken[0])


def _search_failed(evidence: Evidence) -> Suggestions:
    for fact in evidence.of("ending"):
        failed = fact.data.get("reason") in NO_LOWER_LOSS
        if failed and not _at_minimum(evidence) and not list(_tried_outside(evidence)):
            had_lower = "tried_lower" in fact.data
            if not evidence.run.has_gradients:
                yield "check the differences" + ", lower points" * had_lower, {}, [fact]
            elif end_at_kink(evidence.trials):
                yield "at a kink", {}, [fact]
            elif not had_lower:
                yield "check the gradient", {}, [fact]


def _tried_outside(evidence: Evidence) -> Suggestions:
    gaps, endings = evidence.of("gap"), evidence.of("ending")
    gave_up = any(fact.data.get("reason") in _GAVE_UP for fact in endings)
    if gaps and gave_up and np.count_nonzero(evidence.run.accepted) <= _FEW_ITERATES:
        yield "another start, search", {}, gaps


def _swung(evidence: Evidence) -> Suggestions:
    swinging = [p for p in evidence.phases if p.kind == "oscillation" and not evidence.is_drawn]
    if swinging and sum(p.stop - p.start for p in swinging) >= _LONG * evidence.run.evaluations:
        longest = max(swinging, key=lambda p: p.stop - p.start)
        loss, rows = evidence.run.loss, finite_iterates(evidence.run)
        late = loss[rows[(rows >= longest.start) & (rows < longest.stop)]]
        if comes_down(late) or height_of_late(late) <= _SWINGS * float(loss[rows[0]] - late.min()):
            return  # they calm down by themselves
        because = _about(evidence, longest)
        has_period = any("period" in fact.values for fact in because)
        yield "less momentum" if has_period else "smaller step, overshoot", {}, because


def _unfinished(evidence: Evidence) -> Suggestions:
    endings = [f for f in evidence.of("ending") if f.data.get("doing") in ("descent", "slow descent")]
    if not endings or _at_minimum(evidence) or _little_is_left(evidence):
        return
    speed = [f for f in evidence.of("convergence") if f.values["order"] == "linear"]
    if any(has_risen(curve) for curve in evidence.curves):
        return  # lower it would become, and worse on what was kept out of the fit
    if not speed:
        yield "more iterations", {}, endings
    elif speed[0].values["left"] >= _LITTLE * abs(evidence.of("course")[0].data["change"]):
        more = math.ceil(math.log(10) / -math.log(speed[0].values["rate"]))
        yield "more iterations, how many", {"more": Value(more)}, [*endings, *speed]


def _little_is_left(evidence: Evidence) -> bool:
    """Whether a loss that goes up and down does so by next to nothing of its fall any more."""
    last, (loss, rows) = evidence.phases[-1], (evidence.run.loss, finite_iterates(evidence.run))
    late = loss[rows[rows >= last.start]]
    return last.kind == "oscillation" and height_of_late(late) <= _LITTLE * float(loss[rows[0]] - late.min())


def _crept(evidence: Evidence) -> Suggestions:
    slow = [p for p in evidence.phases if p.kind == "slow descent" and not p.noisy]
    if not slow or evidence.is_drawn or any(name in evidence.run.optimizer for name in _CURVED):
        return
    longest = max(slow, key=lambda p: p.stop - p.start)
    if longest.stop - longest.start >= _LONG * evidence.run.evaluations:
        begins = longest is evidence.phases[0] and len(evidence.phases) > 1
        if begins and evidence.run.has_gradients:
            yield "slow beginning", {}, _about(evidence, longest)
        elif not any({"bounds", "constraints"} & set(call.options) for call in evidence.run.history.calls):
            yield "rescale", {}, _about(evidence, longest)


def _undetermined(evidence: Evidence) -> Suggestions:
    poor = [f for f in evidence.of("identifiability") if f.values.get("how") in ("flat", "sloppy")]
    if poor:
        yield "tie", {}, poor[:1]


def _noise(evidence: Evidence) -> Suggestions:
    last, (loss, rows) = evidence.phases[-1], (evidence.run.loss, finite_iterates(evidence.run))
    if evidence.are_steps_drawn:
        return  # the noise is meant, or of the steps: it is not known what would lessen it
    if last.label == "noisy plateau" and abs(drift(loss[rows[rows >= last.start]])) < CLEAR:
        yield "below noise", {}, _about(evidence, evidence.phases[-1])


def _bounded(evidence: Evidence) -> Suggestions:
    pulled = [f for f in evidence.of("bound") if f.values.get("pull", 0) > 0]
    if pulled:
        yield "wider bound", {}, pulled[:1]


def _better_before(evidence: Evidence) -> Suggestions:
    for fact in evidence.of("best"):
        if fact.salience >= _MUCH_BETTER and (at := fact.values["iteration"]) > 0:
            yield "better before", {"iteration": Iteration(at)}, [fact]


_RULES: tuple[Callable[[Evidence], Suggestions], ...] = (
    _diverged,
    _search_failed,
    _tried_outside,
    _swung,
    _better_before,
    _unfinished,
    _crept,
    _undetermined,
    _noise,
    _bounded,
)
"""In the order of urgency."""

KIND = Kind(
    name="advice",
    asked_with=r"\b(?:next|advice|advise|suggest|recommend|should i|try instead|do better)\b",
    question=Question.ENDING,
    rank=80,
    slots={"more": Value, "iteration": Iteration},
    compute=compute,
    method="the rules of the textbooks (Polyak 1964; Gill, Murray & Wright 1981; Bottou, Curtis & Nocedal 2018)",
)
