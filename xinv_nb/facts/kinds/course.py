"""What became of the loss from first to last.

Method: the losses of accepted iterates count, not those of trials; medians stand for the single values of a noisy loss
(Cleveland 1979: a robust smoother before anything is read off noisy data).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.losses import Floats, Rows, finite_iterates, smoothing
from xinv_nb.facts.measures.phases import unusable
from xinv_nb.facts.measures.ups_and_downs import comes_down
from xinv_nb.language.slots import Count, Iteration, LossValue, Share, Slot, Value, Way, Word, loss_pair

_ALMOST = 1 - 1e-9
"""A loss that is not 0 has not fallen by all of it, even if the difference is rounded to that."""
_FAR = 2.0
"""Width of a noise, in that of nine tenths of its draws, up to which a draw lies from its median."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield the fact of the first and the last loss.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> with xi.record() as run:
    ...     for x in (4.0, 2.0, 1.0):
    ...         slope = grad(lambda x: x**2)(x)
    >>> run.facts[0].text
    'The loss fell from 16 to 1 over 3 iterations, 94 % lower than at the start.'
    """
    run, last = evidence.run, evidence.last
    if last < 0:
        return
    finite = finite_iterates(run)
    if not len(finite):
        tried, label = np.isfinite(run.loss).any(), Word(unusable(run.loss[run.accepted]))
        form = "never a number, accepted" if tried else "never a number, only" if last == 0 else "never a number"
        yield KIND.fact(form, (0, last), 1.0, {"label": label, "iterations": Count(last + 1)})
        return
    if last == 0:
        start = float(run.loss[0])
        yield KIND.fact("only", (0, 0), 1.0, {"start": LossValue(start), "iterations": Count(1)}, data={"end": start})
        return
    tells_little = len(evidence.phases) == 1 and tells_more(evidence) and not comes_down(run.loss[finite])
    yield _whole(evidence, finite, 0.3 if tells_little else 1.0)


def tells_more(evidence: Evidence) -> bool:
    """Whether a run of one phase is told better by that phase than by its first and last loss."""
    return evidence.phases[0].kind == "oscillation" or evidence.phases[0].noisy


def _whole(evidence: Evidence, finite: Rows, salience: float) -> Fact:
    """Tell of the first and the last loss that are numbers."""
    run, phases, loss = evidence.run, evidence.phases, evidence.run.loss
    first, final = int(finite[0]), int(finite[-1])
    early, late = smoothing(phases[0], len(finite)), smoothing(phases[-1], len(finite))
    start, end = float(np.median(loss[finite[:early]])), float(np.median(loss[finite[-late:]]))
    one, two = loss_pair(start, end)
    slots: dict[str, Slot] = {"start": one, "end": two, "went": Way(end - start), "iterations": Count(len(loss))}
    data = {"change": end - start, "from": first, "to": final}
    after = final + np.flatnonzero(~np.isfinite(loss[final:]) & run.accepted[final:])
    if broken := bool(len(after)):
        slots |= {"broken": Count(int(after[0])), "label": Word(phases[-1].label)}
    part = loss[finite]
    low, high = loss_pair(float(part.min()), float(part.max()))
    then = " between" if first > 0 else ", then broken" if broken else ""
    if first > 0:
        slots |= {"from": Iteration(first), "to": Iteration(final)}
    if len(part) == 1:
        form = "once"
        slots["from"] = Iteration(first)
    elif low.looks_like(high):
        form = ("stayed" if part.min() == part.max() else "hardly changed") + then
    elif len(phases) == 1 and phases[0].label == "noisy plateau" and _is_draw(part):
        form = "noise between" if first > 0 else "noise"
        slots["median"] = LossValue(float(np.median(part)))
    elif one.looks_like(two):
        form = "returned" + then
    else:
        form = "changed" + then
        if early > 1 or late > 1:
            form = "changed in the median"
            slots |= {name: Count(of) for name, of in (("early", early), ("late", late)) if of > 1}
            data |= {"early": early, "late": late}
        if start > 0 and 0 < end < start and first == 0:  # that it fell to 0 says it all
            slots["share"] = Share(min((start - end) / start, _ALMOST))
            whole = form != "changed in the median" or (early > 1 and late > 1 and not broken)
            form += ", by share" if whole else ""
    if not form.startswith("changed"):
        slots["start"] = replace(one, leads=False)  # it stands alone
    return KIND.fact(form, (0, evidence.last), salience, slots, data=data)


def _is_draw(loss: Floats) -> bool:
    """Whether the first loss is a draw of the same noise as the others, and not where they fell from."""
    others = loss[1:]
    low, high = np.quantile(others, [0.05, 0.95])
    return bool(abs(loss[0] - np.median(others)) <= _FAR * (high - low))


KIND = Kind(
    name="course",
    question=Question.LOSS,
    rank=10,
    slots={
        "start": Value,
        "end": Value,
        "went": Way,
        "iterations": Count,
        "share": Share,
        "early": Count,
        "late": Count,
        "median": Value,
        "from": Iteration,
        "to": Iteration,
        "broken": Count,
        "label": Word,
    },
    compute=compute,
    method="first and last loss of accepted iterates; medians where it is noisy (Cleveland 1979)",
)
