"""What the evaluations of a recording are called: iterations, where each of them is one, or evaluations.

In a loop of one gradient a step the two are the same. A solver makes several evaluations an iteration, for a search of
its step or for differences: there an evaluation is called what it is, and an iteration is what the solver counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, TypeVar

from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.measures.objective import told_of_loss, with_loss
from xinv_nb.language.renderer import COUNTED
from xinv_nb.language.slots import Slot, Word
from xinv_nb.recorded.run import RecordedRun

Noun = Literal["iteration", "evaluation"]
T = TypeVar("T", Fact, Finding)


def noun_of(run: RecordedRun) -> Noun:
    """Return what one evaluation of the objective that is shown is called.

    >>> noun_of(RecordedRun())
    'iteration'
    """
    searches = any(call.counts_iterations for call in run.history.calls)
    return "evaluation" if searches or not run.accepted.all() else "iteration"


def noun_of_all(runs: Sequence[RecordedRun]) -> Noun:
    """Return what one evaluation is called where several runs are told of together.

    >>> noun_of_all([RecordedRun(), RecordedRun()])
    'iteration'
    """
    return "evaluation" if any(noun_of(run) == "evaluation" for run in runs) else "iteration"


def counted_slots(run: RecordedRun) -> Mapping[str, Slot]:
    """Return the slots by which sentences about a run say what its evaluations are called."""
    noun = noun_of(run)
    return {} if noun == "iteration" else {COUNTED: Word(noun)}


def counted(run: RecordedRun, told: Sequence[T]) -> list[T]:
    """Return facts or findings so that they say what the evaluations of their run, and its loss, are called.

    >>> counted(RecordedRun(), [])
    []
    """
    slots, is_named = counted_slots(run), told_of_loss(run) is not None
    if not slots and not is_named:
        return list(told)
    return [replace(each, slots={**with_loss(run, each.slots), **slots}) for each in told]


def iterations_of_solver(run: RecordedRun, first: int, last: int) -> int | None:
    """Return how many iterations the last solver among some evaluations says it made; None where it says none.

    >>> iterations_of_solver(RecordedRun(), 0, 0)
    """
    endings = [call.ending for call in run.history.calls if first <= call.start <= last]
    made = endings[-1].get("nit") if endings else None
    return made if isinstance(made, int) and made >= 0 else None
