"""How many evaluations were trials that were not accepted, and how many the solver's own finite differences.

A search without gradients has no trials apart: looking at points that are no better is what it consists of.

Method: rejected trials are what a line search or a trust region costs (Nocedal & Wright 2006, chapters 3 and 4).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.looks import is_check, takes_differences
from xinv_nb.facts.measures.names import named_optimizer
from xinv_nb.language.slots import Count, Iteration, Named, Share, Slot
from xinv_nb.recorded.columns import in_real_numbers
from xinv_nb.recorded.run import RecordedRun

_MANY = 0.4
"""Share of the evaluations from which on trials are many."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield how many evaluations the optimizer did not accept, and the most of them in a row."""
    run, rejected = evidence.run, ~evidence.run.accepted
    differences = _differences(run)
    asked = int(np.count_nonzero(differences))
    if asked:
        share = asked / run.evaluations
        slots: dict[str, Slot] = {"count": Count(asked), "evaluations": Count(run.evaluations), "share": Share(share)}
        yield KIND.fact("one difference" if asked == 1 else "differences", (0, evidence.last), 0.4, slots)
    searched = _searched(run)
    rejected &= ~differences & ~searched
    taken = _taken_by_the_program(run, rejected)
    if count := int(np.count_nonzero(taken)):
        slots = {"count": Count(count), "evaluations": Count(run.evaluations), "share": Share(count / run.evaluations)}
        yield KIND.fact("own differences", (0, evidence.last), 0.4, slots)
    rejected &= ~taken
    count = int(np.count_nonzero(rejected))
    if not count:
        return
    edges = np.flatnonzero(np.diff(np.concatenate([[False], rejected, [False]]).astype(int)))
    lengths = edges[1::2] - edges[::2]
    longest, share = int(lengths.max()), count / run.evaluations
    first = int(edges[2 * int(np.argmax(lengths))])
    last = first + longest - 1
    slots = {"count": Count(count), "evaluations": Count(run.evaluations), "share": Share(share)}
    slots |= {"longest": Count(longest), "first": Iteration(first), "last": Iteration(last)}
    form = "one" if count == 1 else "several" if longest == 1 else "several in a row"
    if searched.any():  # of those of a search, none is a trial
        names = {call.optimizer for call in run.history.calls if not searched[slice(call.start, call.stop)].any()}
        own = int(np.count_nonzero(~searched))
        if len(names) != 1:
            return
        slots |= {"evaluations": Count(own), "share": Share(count / own), "optimizer": named_optimizer(names.pop())}
        form += ", of an optimizer"
    elif not run.has_gradients and not run.history.calls:
        form += ", no lower"  # what the program's own search did with them is not known: annealing accepts some
    data = {"from": first, "to": last}
    yield KIND.fact(form, (0, evidence.last), 0.5 if share > _MANY else 0.3, slots, data=data)


def _differences(run: RecordedRun) -> NDArray[np.bool_]:
    """Return which evaluations were for finite differences."""
    found = np.zeros(run.evaluations, dtype=bool)
    for call in run.history.calls:
        for first, after in call.differences:
            found[first:after] = True
    return found


def _taken_by_the_program(run: RecordedRun, rejected: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which evaluations were for finite differences that the program takes by itself, around each iterate."""
    found = np.zeros(run.evaluations, dtype=bool)
    history = run.history
    if history.without_gradient is None or history.kept is not None or not rejected.any():
        return found
    points = in_real_numbers(history.values.array)
    if not takes_differences(points):
        return found
    edges = np.flatnonzero(np.diff(np.concatenate([[False], rejected, [False]]).astype(int)))
    for first, after in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if first > 0 and is_check(points[first:after], points[[first - 1]]):
            found[first:after] = True
    return found


def _searched(run: RecordedRun) -> NDArray[np.bool_]:
    """Return which evaluations an optimizer made that has neither gradients nor differences in their place."""
    found = np.zeros(run.evaluations, dtype=bool)
    unknown = run.history.without_gradient
    if unknown is not None:
        without = np.zeros(run.evaluations, dtype=bool)
        without[unknown.array[unknown.array < run.evaluations]] = True
        for call in run.history.calls:
            rows = slice(call.start, call.stop)
            if not call.differences and without[rows].all():
                found[rows] = True
    return found


KIND = Kind(
    name="trials",
    asked_with=r"\b(?:line search|reject|trials?|finite differences?)\b",
    question=Question.SPEED,
    rank=62,
    slots={
        "count": Count,
        "evaluations": Count,
        "share": Share,
        "longest": Count,
        "first": Iteration,
        "last": Iteration,
        "optimizer": Named,
    },
    compute=compute,
    method="evaluations that are no iterates (Nocedal & Wright 2006, chapters 3 and 4)",
)
