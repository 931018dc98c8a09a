"""What a look at the tape found, beside what the recording shows of it: whose gradient is 0, and from when on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.names import listed, named
from xinv_nb.language.slots import Count, Iteration, Listed, Named, Said, Slot, Value
from xinv_nb.recorded.events import Event
from xinv_nb.recorded.run import RecordedRun

SLOTS: dict[str, type[Slot]] = {
    "who": Listed,
    "operation": Said,
    "line": Count,
    "file": Said,
    "all": Count,
    "since": Iteration,
}
"""What is said of each: see `Ended.slots`."""
_NEXT_TO_NONE = 1e-9
"""Share of what the gradient would be, had an operation passed on what came in, that is next to none of it."""
_FEW = 40
"""Parameters up to which each of them counts; of more, those that make most of an array."""
_SMALL = 8
_MANY = 1 / 3


@dataclass(frozen=True)
class Ended:
    """Parameters whose gradient ends at one operation."""

    run: RecordedRun
    event: Event
    columns: tuple[int, ...]
    since: int
    """The first evaluation from which on their gradient is 0, or next to that, up to the end of the story."""
    story: tuple[int, int]
    largest: float
    """The largest number in the gradient of these parameters, since then."""

    @property
    def span(self) -> tuple[int, int]:
        """The first and the last evaluation of it."""
        return self.since, self.story[1] - 1

    @property
    def is_of_all(self) -> bool:
        """Whether no parameter has a gradient."""
        return len(self.columns) == self.run.history.width

    @property
    def losses(self) -> NDArray[np.float64]:
        """The losses of the story."""
        return self.run.loss[slice(*self.story)]

    @property
    def loss(self) -> float:
        """The loss at the first evaluation of it."""
        return float(self.run.loss[self.since])

    @property
    def is_minimum(self) -> bool:
        """Whether the second derivatives, known from the tape, make it a minimum in these parameters."""
        lowest, highest = (self.event.values.get(f"{which}_curvature") for which in ("lowest", "highest"))
        return lowest is not None and highest is not None and bool(lowest >= 0 < highest)

    @cached_property
    def matters(self) -> bool:
        """Whether it is more than a few idle numbers in a large array, or idle units among others of a network."""
        history, values = self.run.history, self.event.values
        is_of_units = values.get("what") == "dies" and not values.get("is_whole")
        if is_of_units and not values.get("is_direct") and 2 * len(self.columns) < history.width:
            return False
        if history.width <= _FEW:
            return True
        gone = set(self.columns)
        kept = [range(leaf.start, leaf.stop) for leaf in history.leaves]
        return any(len(leaf) <= 2 * sum(column in gone for column in leaf) for leaf in kept)

    @cached_property
    def is_grave(self) -> bool:
        """Whether it takes a good part of the parameters away, and not one unit of a network among others."""
        history, gone = self.run.history, set(self.columns)
        if history.width <= _SMALL or len(gone) >= _MANY * history.width:
            return True
        return any(gone.issuperset(range(leaf.start, leaf.stop)) for leaf in history.leaves)

    @cached_property
    def names(self) -> list[Named]:
        """The parameters, those of a large array by its name."""
        gone, found = set(self.columns), {}
        for entry in self.run.entries():
            places = range(entry.leaf.start, entry.leaf.stop) if entry.column is None else (entry.column,)
            if gone.intersection(places):
                found[entry.label] = named(entry)
        return list(found.values())

    @property
    def who(self) -> Listed:
        """The parameters in a row, the last of many as a number."""
        return listed(self.names)

    @cached_property
    def value(self) -> Value | None:
        """The value of the only parameter that it is about, at its first evaluation."""
        if len(self.columns) != 1 or len(self.names) != 1 or not self.run.history.is_real:
            return None
        history = self.run.history
        return Value(float(history.values.array[history.row_of(self.since), self.columns[0]]), self.names[0].unit)

    @property
    def slots(self) -> dict[str, Slot]:
        """What is said of each: who, when, which operation, where."""
        start, stop = self.story
        found: dict[str, Slot] = {"who": self.who, "operation": Said(str(self.event.values["operation"]))}
        found |= place_of(self.event)
        if self.since > start:
            found["since"] = Iteration(self.since)
        elif stop - start > 1:
            found["all"] = Count(stop - start)
        return found


def place_of(event: Event) -> dict[str, Slot]:
    """Return the line of an event's operation, where it is known."""
    values = event.values
    return at_line(int(values["line"]), str(values["file"])) if "line" in values else {}


def at_line(line: int, file: str) -> dict[str, Slot]:
    """Return a line of the user's program as slots.

    >>> at_line(3, "cell")["file"]
    Said(text='the cell')
    """
    return {"line": Count(line), "file": Said("the cell" if file == "cell" else file)}


def tape_events(evidence: Evidence, what: str) -> list[Event]:
    """Return what looks at the tape of the objective that is shown found of one sort.

    >>> tape_events(Evidence(RecordedRun(), []), "broadcast")
    []
    """
    return [event for event in evidence.tape_events if event.values.get("what") == what]


def story_of(evidence: Evidence) -> tuple[int, int]:
    """Return the evaluations that are told of: the first, and the one after the last."""
    return (0, evidence.run.evaluations) if evidence.parts is None else evidence.parts.story


def ended(evidence: Evidence, what: str) -> Iterator[Ended]:
    """Yield whose gradient ended at an operation, and stayed 0 or next to that up to the end of the story.

    Where numbers are taken off the tape, they are at each point; a derivative of 0 is one of the points it was seen at.
    """
    run, (start, stop) = evidence.run, story_of(evidence)
    history = run.history if run.evaluations else None
    if history is None or not run.has_gradients:
        return
    for event in tape_events(evidence, what):
        is_within = start <= event.evaluation < stop
        columns = [int(column) for column in event.values.get("columns", ())]
        if not columns or max(columns) >= history.width or not (is_within or what == "cut off"):
            continue
        limits = np.array(event.values.get("strengths", [0.0] * len(columns))) * _NEXT_TO_NONE
        if what == "cut off":
            limits[:] = 0.0
        sizes = np.abs(history.rows(np.arange(start, stop), "gradients", np.array(columns)))
        gone = sizes <= limits
        seen = max(event.evaluation, start) - start if what == "dies" else 0
        still = gone[seen:].all(axis=0)
        if not still.any():
            continue
        since = _since(gone[:, still], seen)
        chosen = tuple(column for column, is_gone in zip(columns, still, strict=True) if is_gone)
        largest = float(sizes[since:, still].max())
        yield Ended(run, event, chosen, start + since, (start, stop), largest)


def widest(found: Iterable[Ended]) -> list[Ended]:
    """Return of those at one operation the one that is about most parameters."""
    best: dict[tuple[object, object], Ended] = {}
    for each in found:
        key = each.event.values["operation"], each.event.values.get("line")
        if key not in best or len(each.columns) > len(best[key].columns):
            best[key] = each
    return list(best.values())


def _since(gone: NDArray[np.bool_], seen: int) -> int:
    """Return the first row from which on, up to the one that was `seen`, all were gone."""
    there = np.flatnonzero(~gone[: seen + 1].all(axis=1))
    return int(there[-1]) + 1 if len(there) else 0
