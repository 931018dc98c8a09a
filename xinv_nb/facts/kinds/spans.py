"""What happened in a stretch of the run that the reader chose: the loss, what moved, the watched quantities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from xinv_nb.facts.fact import Fact, Phase
from xinv_nb.facts.kinds.course import course_of
from xinv_nb.facts.kinds.movement import moves_in
from xinv_nb.facts.kinds.watched import changes_in
from xinv_nb.facts.measures.iterates import Iterates
from xinv_nb.facts.measures.phases import find_phases
from xinv_nb.recorded.run import RecordedRun, Watch

_SALIENCE = 0.0
"""They are told on request, and come last: a number that a caption cites stays what it is."""


def chosen(run: RecordedRun, watches: Mapping[str, Watch], iterates: Iterates, known: Sequence[Fact]) -> Iterator[Fact]:
    """Yield the facts of each stretch in `run.chosen_spans`, but for those that are `known` already.

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
    told = {(fact.text, fact.span) for fact in known}
    for first, last in run.chosen_spans:
        for fact in _of_span(run, watches, iterates, first, last):
            if (fact.text, fact.span) not in told:
                told.add((fact.text, fact.span))
                yield replace(fact, salience=_SALIENCE)


def _of_span(
    run: RecordedRun, watches: Mapping[str, Watch], iterates: Iterates, first: int, last: int
) -> Iterator[Fact]:
    """Yield what the iterates that were accepted within a span tell, and then of losses that are no numbers."""
    rows = np.arange(first, last + 1)
    rows = rows[run.accepted[first : last + 1]] if run.accepted[first : last + 1].any() else rows
    finite = rows[np.isfinite(run.loss[rows])]
    if len(finite):
        phase = _as_phase(run, int(finite[0]), int(finite[-1]))
        yield replace(course_of(run, phase), kind="stretch")
        yield from moves_in(iterates, phase, run.loss)
        yield from changes_in(run, watches, phase)
    broken = rows[rows > finite[-1]] if len(finite) else rows
    if len(broken):
        a, b = int(broken[0]), int(broken[-1])
        label = find_phases(run.loss[broken])[0].label
        when = f"at iteration {a}" if a == b else f"between iterations {a} and {b}"
        yield Fact("", "stretch", f"The loss was {label} {when}.", {"label": label, "from": a, "to": b}, (a, b))


def _as_phase(run: RecordedRun, first: int, last: int) -> Phase:
    """Return a stretch as a phase; of a character of its own only where it has one and no more."""
    part = slice(first, last + 1)
    of_part = find_phases(run.loss[part], None, run.accepted[part])
    if len(of_part) == 1 and first < last:
        return replace(of_part[0], start=first, stop=last + 1, last=last)
    return Phase(first, last + 1, "stretch", "stretch", last)
