"""What an expert would try next, each suggestion with the facts that suggest it.

The rules are those of the textbooks: step size and stability (Polyak 1964; Nocedal & Wright 2006, section 3.1), scaling
(Gill, Murray & Wright 1981, section 8.7), noise and batches (Bottou, Curtis & Nocedal 2018, section 4).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from xinv_nb.facts.fact import Fact, Phase
from xinv_nb.language.quantities import number
from xinv_nb.recorded.run import RecordedRun

_MOST = 3
_MOSTLY = 0.9
"""Share of the steps that have to point one way for a rule about their direction."""
_LONG = 0.3
"""Share of the run from which on a slow beginning is long."""
_LITTLE = 1e-4
"""Share of the whole fall below which what is left is not worth more iterations."""
_CURVED = ("BFGS", "Newton", "trust", "SLSQP", "TNC", "dogleg")
"""Parts of the names of methods that use the curvature."""


class _Story(NamedTuple):
    """What the rules read."""

    run: RecordedRun
    phases: Sequence[Phase]
    facts: Sequence[Fact]

    def of(self, kind: str) -> list[Fact]:
        return [fact for fact in self.facts if fact.kind == kind]

    def about(self, phase: Phase) -> list[Fact]:
        """Return the fact that tells of a phase; that of the whole run where it is the only one."""
        return [f for f in self.of("phase") if f.span[0] == phase.start] or self.of("course")

    @property
    def at_minimum(self) -> bool:
        return any(fact.values["minimum"] for fact in self.of("minimum"))


Suggestions = Iterator[tuple[str, list[Fact]]]


def advice(run: RecordedRun, phases: Sequence[Phase], facts: Sequence[Fact]) -> Iterator[Fact]:
    """Yield at most three suggestions, the most urgent first; `facts` are those found so far, with their ids.

    Examples
    --------
    >>> list(advice(RecordedRun(), (), ()))
    []
    """
    if run.status == "running" or run.evaluations < 2 or not phases:
        return
    last, told = run.evaluations - 1, 0
    for rule in _RULES:
        for text, because in rule(_Story(run, phases, facts)):
            if told == _MOST:
                return
            cites = tuple(dict.fromkeys(fact.id for fact in because))
            yield Fact("", "advice", text, {"rule": rule.__name__[1:]}, (0, last), cites, 0.65 - 0.15 * told)
            told += 1


def _along_the_gradient(run: RecordedRun) -> float:
    """Return the share of the steps that went up the gradient."""
    rows = run.iterates[np.isfinite(run.loss[run.iterates])]
    if len(rows) < 3 or not run.has_gradients:
        return math.nan
    steps = np.diff(run.history.rows(rows), axis=0)
    slopes = run.history.rows(rows[:-1], "gradients")
    return float(np.mean(np.einsum("ij,ij->i", steps, slopes.conj()).real > 0))


def _diverged(story: _Story) -> Suggestions:
    rising = [p for p in story.phases if p.kind in ("rise", "divergence") and np.isfinite(story.run.loss[p.start])]
    broken = [p for p in story.phases if p.kind == "divergence" and not np.isfinite(story.run.loss[p.start])]
    finite = story.run.loss[story.run.accepted & np.isfinite(story.run.loss)]
    if rising and len(finite) and finite[-1] > finite[0]:
        uphill = _along_the_gradient(story.run)
        if uphill >= _MOSTLY:
            yield (
                "The steps went up the gradient: if the loss is meant to fall, check the sign of the update.",
                story.about(rising[-1]),
            )
        elif uphill <= 1 - _MOSTLY:
            text = "A smaller step size is worth a try: the steps pointed down the gradient, and yet the loss rose."
            yield text, story.about(rising[-1])
        else:
            yield "A smaller step size is worth a try: the loss rose in the end.", story.about(rising[-1])
    elif not len(finite):
        yield "Another start may help: the loss was no finite number from the first iteration on.", story.of("course")
    elif broken:
        text = "A smaller step size, or bounds that keep the parameters where the loss is a number, may help."
        yield text, story.about(broken[0])


def _search_failed(story: _Story) -> Suggestions:
    for fact in story.of("ending"):
        if "no lower loss" in fact.text and not story.at_minimum and not list(_tried_outside(story)):
            text = "Before more iterations, check that the gradient is exact, and try to rescale the loss or the "
            yield text + "parameters: the search found no lower loss along its direction.", [fact]


def _tried_outside(story: _Story) -> Suggestions:
    gaps = story.of("gap")
    if gaps and np.count_nonzero(story.run.accepted) <= 3:
        text = "Another start, or bounds that exclude points where the loss is no number, may let the search begin."
        yield text, gaps


def _swung(story: _Story) -> Suggestions:
    swinging = [p for p in story.phases if p.kind == "oscillation"]
    if swinging and sum(p.stop - p.start for p in swinging) >= _LONG * story.run.evaluations:
        because = story.about(max(swinging, key=lambda p: p.stop - p.start))
        if any("period" in fact.values for fact in because):
            yield "Less momentum or a smaller step size may calm the swings of the loss.", because
        else:
            yield "A smaller step size is worth a try: steps that overshoot let the loss go up and down.", because


def _unfinished(story: _Story) -> Suggestions:
    endings = [f for f in story.of("ending") if f.values.get("doing") in ("descent", "slow descent")]
    if not endings or story.at_minimum:
        return
    speed = [f for f in story.of("convergence") if f.values["order"] == "linear"]
    text = "More iterations would probably lower the loss further"
    if speed:
        if speed[0].values["left"] < _LITTLE * abs(story.of("course")[0].values["change"]):
            return
        more = math.log(10) / -math.log(speed[0].values["rate"])
        text += f": at its steady rate, about {number(math.ceil(more))} more leave a tenth of what was left"
    yield text + ".", [*endings, *speed]


def _crept(story: _Story) -> Suggestions:
    slow = [p for p in story.phases if p.kind == "slow descent" and not p.label.startswith("noisy")]
    if not slow or any(name in story.run.optimizer for name in _CURVED):
        return
    longest = max(slow, key=lambda p: p.stop - p.start)
    if longest.stop - longest.start < _LONG * story.run.evaluations:
        return
    if longest is story.phases[0] and len(story.phases) > 1:
        text = "Another start, or a larger step size at first, may shorten the slow beginning."
    else:
        text = "Rescaling the parameters, or a method that uses the curvature such as BFGS, may get through the slow "
        text += "stretch faster."
    yield text, story.about(longest)


def _undetermined(story: _Story) -> Suggestions:
    poor = [f for f in story.of("identifiability") if f.values.get("how") in ("flat", "sloppy")]
    if poor:
        text = "Tying or fixing one parameter of the poorly determined combination, or data that tell them apart, may "
        yield text + "make the others well determined.", poor[:1]


def _noise(story: _Story) -> Suggestions:
    if story.phases[-1].label == "noisy plateau":
        text = "If the loss is to fall below this noise, a smaller step size from here on or larger batches may help."
        yield text, story.about(story.phases[-1])


def _bounded(story: _Story) -> Suggestions:
    pulled = [f for f in story.of("bound") if f.values.get("pull", 0) > 0]
    if pulled:
        yield "If the problem itself does not set this bound, a wider one is worth a try.", pulled[:1]


def _better_before(story: _Story) -> Suggestions:
    for fact in story.of("best"):
        if fact.values["iteration"] > 0 and fact.salience >= 0.7:
            at = fact.values["iteration"]
            yield (
                f"The parameters of iteration {at} may serve better than the last ones: the loss was lower there.",
                [fact],
            )


_RULES: tuple[Callable[[_Story], Suggestions], ...] = (
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
