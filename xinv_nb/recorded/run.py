"""What was recorded of one run, as plain data: what flows from the recorder to facts, words and views.

Readers cannot write: all that fills a run goes through its one writer (see `writer`).
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from xinv_nb.language.characters import whole
from xinv_nb.recorded.captions import Caption
from xinv_nb.recorded.checks import Checks
from xinv_nb.recorded.choices import Choices
from xinv_nb.recorded.curvature import Curvature
from xinv_nb.recorded.entries import Entry, entries_of, followed
from xinv_nb.recorded.event_log import EventLog
from xinv_nb.recorded.events import Event, is_worded, placed, worded
from xinv_nb.recorded.history import History
from xinv_nb.recorded.leaves import Leaf
from xinv_nb.recorded.missed import Missed
from xinv_nb.recorded.problem import Parameter, Problem
from xinv_nb.recorded.watch import Watch

if TYPE_CHECKING:
    from typing_extensions import Self

Status = Literal["running", "finished", "interrupted", "failed"]

_NOTHING = History("", [])
_LITTLE = 10
"""An objective is little beside one that is evaluated at that many times as many points."""

_OFTEN = 2
"""Evaluations of another objective in which one is minimized from which on that is what it is there for."""


class RecordedRun(Choices):
    """One recorded optimization, as plain data; `xinv_nb.Run` is the same with doors to what can be made of it.

    Arrays have one row for each evaluation. They are views of the recording and cannot be written to.
    """

    def __init__(self, name: str = "", problem: Problem | None = None) -> None:
        super().__init__()
        self.id = uuid.uuid4().hex[:8]
        self.name = whole(name)
        self.lock = threading.RLock()
        self.memo: dict[str, Any] = {}
        """What the layers above keep beside a run as long as it lives: its analysis, its widget. Never saved."""
        self._problem = problem
        self._status: Status = "running"
        self._ending = ""
        self._notices: list[str] = []
        self._histories: list[History] = []
        self._events = EventLog()
        self._dropped_events = False
        self._captions: tuple[Caption, ...] | None = None
        self._span_captions: tuple[Caption, ...] = ()
        self._curvature: Curvature | None = None
        self._missed = Missed()
        self._checks: Checks | None = None
        self._replay_of: Mapping[str, Any] = {}

    def __repr__(self) -> str:
        others = f" of {self.history.objective}; run.objectives has others" if len(self.histories) > 1 else ""
        return f"<xinv_nb.Run {self.title!r}: {self.status}, {self.evaluations} evaluations{others}>"

    # ------------------------------------------------------------------ the run as a whole

    @property
    def problem(self) -> Problem | None:
        """What the user told of the domain."""
        return self._problem

    @property
    def status(self) -> Status:
        """Whether it is running, or how it ended: finished, interrupted or failed."""
        return self._status

    @property
    def ending(self) -> str:
        """How the run ended, in words; for a failed run the error and the line of the cell."""
        return self._ending

    @property
    def notices(self) -> list[str]:
        """What the reader is told about the recording itself."""
        return list(self._notices)

    @property
    def written_captions(self) -> tuple[Caption, ...] | None:
        """The captions that were written for the whole run, by a model or on request; None where none were."""
        return self._captions

    @property
    def span_captions(self) -> tuple[Caption, ...]:
        """The captions of stretches that were asked for."""
        return self._span_captions

    @property
    def curvature(self) -> Curvature | None:
        """Second derivatives of the loss at the end, where they were taken on request."""
        return self._curvature

    @property
    def missed(self) -> Missed:
        """What was seen to be missing: a pass that autograd refused, derivatives that other threads took."""
        return self._missed

    @property
    def checks(self) -> Checks | None:
        """What further evaluations of the objective showed, where they were asked for: see `Run.diagnose`."""
        return self._checks

    @property
    def replay_of(self) -> Mapping[str, Any]:
        """What another run did otherwise, of which this one is a replay, as plain data; empty where it is none."""
        return self._replay_of

    # ------------------------------------------------------------------ what was recorded

    @property
    def title(self) -> str:
        """The problem's title, or the run's name."""
        if self.problem is not None and self.problem.title:
            return self.problem.title
        return self.name or "run"

    @property
    def scene(self) -> Callable[[Any, Any], object] | None:
        """The user's drawing of the simulation, if there is one and anything to draw."""
        return self.problem.scene if self.problem is not None and self.histories else None

    @property
    def history(self) -> History:
        """The recording of the objective that is shown: the first in `objectives`."""
        if len(self._histories) <= 1:
            return self._histories[0] if self._histories and len(self._histories[0]) else _NOTHING
        return next(iter(self._ranked()), _NOTHING)

    @property
    def histories(self) -> Sequence[History]:
        """The recordings of all objectives, in the order in which they began."""
        return tuple(history for history in self._histories if len(history))  # an interrupt may leave one empty

    def _ranked(self) -> list[History]:
        """Return what was optimized first, then what was evaluated at the most points.

        Points, not evaluations: products of its Hessian with many directions, each an objective of its own where the
        program writes them by hand, are taken at one point. Of several that were optimized, the one with the most
        parameters comes first, as the others prepare it or finish it off; unless it is little beside the rest. What is
        computed inside of another one, with as many, comes after it; what is minimized for each value of it comes last.
        """
        points = {history: history.points() for history in self.histories}
        most = max((count for history, count in points.items() if history.nested < _OFTEN), default=0)

        def rank(history: History) -> tuple[bool, bool, bool, int, bool, int]:
            is_little = _LITTLE * points[history] <= most
            optimized = history.was_optimized
            return (
                history.nested >= _OFTEN,
                is_little,
                not optimized,
                -history.width if optimized else 0,
                history.is_within,
                -points[history],
            )

        return sorted(points, key=rank)

    @property
    def objectives(self) -> dict[str, Self]:
        """Each objective that was evaluated, as a run of its own: from its name to the run, the shown one first.

        Examples
        --------
        >>> import xinv_nb as xi
        >>> from autograd import grad
        >>> def cost(x):
        ...     return x**2
        >>> def risk(x):
        ...     return x**4
        >>> with xi.record() as run:
        ...     slopes = [grad(cost)(x) + grad(risk)(1.0) for x in (3.0, 2.0)] + [grad(cost)(1.0)]
        >>> [(name, each.evaluations) for name, each in run.objectives.items()]
        [('cost', 3), ('risk', 2)]
        """
        found: dict[str, Self] = {}
        for place, history in enumerate(self._ranked()):
            name, count = history.objective, 2
            while name in found:
                name, count = f"{history.objective} ({count})", count + 1
            found[name] = self._only(history) if place else self
        return found

    def _only(self, history: History) -> Self:
        """Return a run of one of several objectives; it goes on growing with this one."""
        problem = self._problem
        if problem is not None and problem.objective is not None:  # which is told of the one that is shown
            problem = replace(problem, objective=None)
        run = type(self)(self.name, problem)
        run._status, run._ending, run._notices = self._status, self._ending, self._notices
        run._chosen_parameters, run._histories, run._events = self._chosen_parameters, [history], self._events
        run._dropped_events, run._missed = self._dropped_events, self._missed
        return run

    @property
    def evaluations(self) -> int:
        """Number of recorded objective evaluations."""
        return len(self.history)

    @property
    def loss(self) -> NDArray[np.float64]:
        """The objective's value, one for each evaluation."""
        return self.history.loss.array

    @property
    def accepted(self) -> NDArray[np.bool_]:
        """Which evaluations are iterates that the optimizer accepted; all, where it cannot be told."""
        return self.history.accepted.array

    @property
    def parameters(self) -> dict[str, NDArray[Any]]:
        """The points where the objective was evaluated: name → array, first axis the evaluation.

        Where a long run with many parameters was thinned, one row for each evaluation in `kept`.
        """
        return self._by_leaf(self.history.values.array)

    @property
    def kept(self) -> NDArray[np.intp]:
        """The evaluations of which `parameters` and `gradients` are kept.

        All of them, until parameters and gradients fill 512 MiB (1,000,000 evaluations of 33 parameters); then every
        second one, every fourth and so on, and always the first, the last, the best and the worst.
        """
        kept = self.history.kept
        return np.arange(self.evaluations) if kept is None else kept.array

    @property
    def iterates(self) -> NDArray[np.intp]:
        """The evaluations that the optimizer accepted and of which parameters and gradient are kept."""
        kept = self.kept
        return kept[self.accepted[kept]]

    @property
    def gradients(self) -> dict[str, NDArray[Any]]:
        """The gradients at these points, in the shapes of `parameters`; nan where none was handed to `Run.add`."""
        return self._by_leaf(self.history.gradients.array)

    @property
    def has_gradients(self) -> bool:
        """Whether the gradient is known of every accepted evaluation, and has to vanish: not so on a sphere, say."""
        return self.history.has_gradients and not self.history.is_on_manifold

    @property
    def residuals(self) -> NDArray[np.float64] | None:
        """The residuals of a least-squares fit, one row for each evaluation in `kept`; None where none were told."""
        residuals = self.history.residuals
        return None if residuals is None else residuals.array

    def _by_leaf(self, rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
        shaped: dict[str, NDArray[Any]] = {}
        for leaf in self.history.leaves:
            block = rows[:, leaf.start : leaf.stop]
            shaped[leaf.name] = block if leaf.kept is not None else block.reshape(len(rows), *leaf.shape)
        return shaped

    @property
    def watches(self) -> dict[str, Watch]:
        """The watched quantities by name."""
        return {
            name: Watch(
                name,
                columns.unit,
                columns.evaluation.array.copy(),
                columns.values.stacked(),
                columns.cotangents.stacked(),
                tuple(columns.at),
            )
            for name, columns in self.history.watches.items()
        }

    @property
    def term_gradients(self) -> dict[str, tuple[NDArray[np.intp], NDArray[Any]]]:
        """What each term of the loss asks of the parameters, where the loss is a weighted sum of watched numbers.

        From the term's name to the evaluations in which it was read (some of them: it takes time) and an array with a
        row for each: the gradient of the loss through this term alone, in the columns of `history.gradients`.
        """
        return {name: terms.arrays() for name, terms in self.history.terms.items()}

    @property
    def events(self) -> Sequence[Event]:
        """The events, in the order in which they happened; copies, of which a reader may change the values."""
        return [replace(event, values=dict(event.values)) for event in self.events_between(0)]

    @property
    def event_count(self) -> int:
        """How many events were recorded, those of other objectives included."""
        return len(self._events)

    @property
    def has_dropped_events(self) -> bool:
        """Whether there were more events than were to be kept."""
        return self._dropped_events

    def events_between(self, start: int, stop: int | None = None) -> list[Event]:
        """Return those of this objective among some of the recorded events; of a run that goes on, of the new ones."""
        chosen = placed(self._events, self.history, len(self.history), start, stop)
        if all(map(is_worded, chosen)):
            return chosen
        entries = {entry.column: entry for entry in self.entries() if entry.part != "imaginary"}
        units = {name: columns.unit for name, columns in self.history.watches.items()}
        return [worded(event, entries, units) for event in chosen]

    def events_by_objective(self) -> Iterator[tuple[int | None, Event]]:
        """Yield the events of all `objectives` as data, each with the place of its own; None where it has none."""
        places = {history: place for place, history in enumerate(self._ranked())}
        for owner, event in self._events:
            if owner is None or owner in places:  # one of several objectives shares the events of the others
                yield None if owner is None else places[owner], event

    def events_as_recorded(self) -> Sequence[Event]:
        """Return the events of this objective as data: those about a parameter have its column, and no words yet."""
        history, events = self.history, self._events
        last = events[-1][1] if events else None
        found: Sequence[Event]
        *known, found = self.memo.get("events", (None, 0, None, ()))
        # Events are added at the end and taken out by their evaluation: number and last one tell every state apart.
        if known[0] is not history or known[1] != (len(history), len(events)) or known[2] is not last:
            found = tuple(placed(events, history, len(history)))
            self.memo["events"] = history, (len(history), len(events)), last, found
        return found

    @property
    def optimizer(self) -> str:
        """The optimizer and its settings where they are known, else an empty string."""
        return self.history.optimizer

    # ------------------------------------------------------------------ how its parameters are called

    def entries(self) -> list[Entry]:
        """Return the numbers to follow over the run: each entry of small arrays, one summary of each large one.

        Of a large array, the entries that the user named are followed as well.
        """
        return followed(self.history.leaves, self._known, self.chosen_parameters)

    def entries_of(self, leaf: Leaf, positions: Iterable[int]) -> list[Entry]:
        """Return entries of one leaf by their flat positions."""
        return entries_of(leaf, positions, self._known)

    @property
    def _known(self) -> Mapping[str | int, Parameter]:
        return self.problem.parameters if self.problem is not None else {}

    def column(self, entry: Entry, of: Literal["values", "gradients"] = "values") -> NDArray[np.float64]:
        """Return the numbers of one entry at each evaluation.

        Between the evaluations in `kept` stand those of the one before.
        """
        if entry.place is not None:
            return entry.part_of(self.history.column(entry.place, of), of)
        squares = np.abs(self.history.column(slice(entry.leaf.start, entry.leaf.stop), of)) ** 2
        return np.asarray(np.sqrt(squares.mean(axis=1)), dtype=np.float64)

    def point(self, evaluation: int) -> Any:
        """Return the parameters of one evaluation, in the structure that the objective takes.

        Of an evaluation that is not in `kept`, those of the one before it. Raises `LookupError` where large arrays
        were kept as summaries.
        """
        row = self.history.values.array[self.history.row_of(evaluation)].copy()
        arrays = []
        for leaf in self.history.leaves:
            if leaf.kept is not None:
                raise LookupError(f"{leaf.name} has {leaf.size} entries, of which a sample was kept")
            array = row[leaf.start : leaf.stop].reshape(leaf.shape)
            arrays.append(array if leaf.shape else array[()])
        return self.history.rebuild(arrays)
