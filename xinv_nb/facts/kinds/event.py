"""Which events of the simulation began or ended during the run."""

from __future__ import annotations

from collections.abc import Iterator

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.events import EventGroup, changing, said_of_range, words_of
from xinv_nb.language.slots import Iteration, Said, Slot


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield the first or the last time of events that did not happen throughout, the most frequent first.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> def loss(x):
    ...     if x < 3:
    ...         xi.event("the ball lands")
    ...     return x**2
    >>> with xi.record() as run:
    ...     slopes = [grad(loss)(x) for x in (4.0, 2.0, 1.0)]
    >>> next(fact for fact in run.facts if fact.kind == "event").text
    'From iteration 1 on: the ball lands.'
    """
    for group in changing(evidence.event_groups):
        yield _began_or_ended(group, evidence.last)
        if group.begins and group.ends and group.final.until and not group.is_tried_only:
            yield _left(group)


def _began_or_ended(group: EventGroup, last: int) -> Fact:
    first, final, told_of = group.first, group.final, group.told_of
    if not group.begins and final.until and not group.is_tried_only:
        return _left(group)
    form, said = "began" if group.begins else "ended", Said(words_of(told_of))
    if first.evaluation == final.evaluation and (group.ends or final.evaluation == last):
        form = "happened once"
    elif not group.is_tried_only:
        said = said_of_range(group)
        form = "between" if group.begins and group.ends else form
        form += "" if group.is_unbroken else ", at times"
    data: dict[str, object] = {"first": first.evaluation, "last": final.evaluation, "count": len(group.events)}
    data["words"] = tuple(dict.fromkeys((words_of(told_of), words_of(first), words_of(final))))
    if group.is_tried_only:
        form += ", at a rejected point" if first is final else ", at rejected points"
        data["trials only"] = True
    slots: dict[str, Slot] = {"at": Iteration(told_of.evaluation), "said": said}
    if form.startswith("between"):
        slots["last"] = Iteration(final.evaluation)
    cites = (first.id,) if final is first else (first.id, final.id)
    return KIND.fact(form, (first.evaluation, final.evaluation), 0.6, slots, cites=cites, data=data)


def _left(group: EventGroup) -> Fact:
    """Tell of an end in the words that the simulator has for it."""
    first, final = group.first, group.final
    slots = {"at": Iteration(final.evaluation), "said": Said(" ".join(final.until.split()).rstrip("."))}
    data = {"first": first.evaluation, "last": final.evaluation, "count": len(group.events)}
    span = (first.evaluation, final.evaluation)
    return KIND.fact("ended, in its own words", span, 0.6, slots, cites=(final.id,), data=data)


KIND = Kind(
    name="event",
    question=Question.SIMULATION,
    rank=50,
    slots={"at": Iteration, "last": Iteration, "said": Said},
    compute=compute,
    method="the first and the last time that something happened, with the range of its numbers",
    of_samples=True,
)
