"""What happened in a stretch of the run that the reader chose: the loss, what moved, the watched quantities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact, Phase
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.kinds import movement, phase, reason, watch
from xinv_nb.facts.measures.phases import find_phases
from xinv_nb.language.slots import Iteration, Slot, Word
from xinv_nb.recorded.run import RecordedRun

_SALIENCE = 0.0
"""They are told on request, and come last: a number that a caption cites stays what it is."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield the facts of each stretch in `run.chosen_spans`, but for those that are known already.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> with xi.record() as run:
    ...     x = 8.0
    ...     for _ in range(5):
    ...         x = x - 0.25 * grad(lambda x: x**2)(x)
    >>> run.choose_span((1, 3))
    >>> [fact.text for fact in run.facts if fact.kind == "stretch"]
    ['The loss fell from 16 to 1 between iterations 1 and 3.']
    """
    told = {_said(fact) for fact in evidence.found}
    for first, last in evidence.run.chosen_spans:
        for fact in _of_span(evidence, first, last):
            if (said := _said(fact)) not in told:
                told.add(said)
                yield replace(fact, salience=_SALIENCE)


def _said(fact: Fact) -> tuple[object, ...]:
    """Return what tells facts apart that say something: a stretch may say what a phase says."""
    return fact.wordings or fact.kind, fact.form, fact.span, repr(sorted(fact.slots.items()))


def _of_span(evidence: Evidence, first: int, last: int) -> Iterator[Fact]:
    """Yield what the iterates that were accepted within a span tell, and then of losses that are no numbers."""
    run = evidence.run
    rows = np.arange(first, last + 1)
    rows = rows[run.accepted[first : last + 1]] if run.accepted[first : last + 1].any() else rows
    finite = rows[np.isfinite(run.loss[rows])]
    if len(finite):
        stretch = _as_phase(run, int(finite[0]), int(finite[-1]))
        yield replace(phase.story_of(run, stretch), kind="stretch", wordings="phase")
        yield from movement.moves_in(evidence, stretch)
        yield from reason.reasons_in(evidence, stretch)
        yield from watch.changes_in(evidence, stretch)
    broken = rows[rows > finite[-1]] if len(finite) else rows
    if len(broken):
        a, b = int(broken[0]), int(broken[-1])
        label = find_phases(run.loss[broken])[0].label
        slots: dict[str, Slot] = {"first": Iteration(a), "last": Iteration(b), "label": Word(label)}
        form = "not a number, once" if a == b else "not a number, between"
        yield KIND.fact(form, (a, b), _SALIENCE, slots, data={"label": label, "from": a, "to": b})


def _as_phase(run: RecordedRun, first: int, last: int) -> Phase:
    """Return a stretch as a phase; of a character of its own only where it has one and no more."""
    part = slice(first, last + 1)
    of_part = find_phases(run.loss[part], None, run.accepted[part])
    if len(of_part) == 1 and first < last:
        return replace(of_part[0], start=first, stop=last + 1, last=last)
    return Phase(first, last + 1, "stretch", "stretch", last)


KIND = Kind(
    name="stretch",
    question=Question.LOSS,
    rank=90,
    slots=phase.KIND.slots,
    compute=compute,
    method="as for phases, movements and watched quantities, between the evaluations that the reader chose",
    wordings="phase",
)
