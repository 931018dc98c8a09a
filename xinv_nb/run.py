"""The recording of one run as plain data: what flows from the recorder to analysis, captions and views.

`Run` holds no behaviour but reading. Its methods that analyse, caption or draw are doors into the layers above,
imported when they are called, so that this file stays at the bottom and `import xinv_nb` light.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from xinv_nb.entries import Entry, entries_of, followed
from xinv_nb.errors import XinvError
from xinv_nb.events import Event, is_worded, worded
from xinv_nb.explanation import Caption, Claim, Fact, Phase
from xinv_nb.history import History
from xinv_nb.leaves import Leaf
from xinv_nb.problem import Parameter, Problem

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

    from xinv_nb.view.widget import RunWidget

Status = Literal["running", "finished", "interrupted", "failed"]

_NOTHING = History("", [])
_LITTLE = 10
"""An objective is little beside one that is evaluated at that many times as many points."""
_SEVERAL = 2
_MOST_SPANS = 32
"""Stretches chosen by the reader of which the facts are kept: the latest ones."""
_STALE = 1.02
"""Growth of a run up to which its last analysis stands while it is running."""


@dataclass(frozen=True)
class Watch:
    """The recording of one watched quantity: one row for each time the simulator came by.

    `evaluation` says in which evaluation each row was recorded; `values` and `cotangents` (the derivative of the loss
    with respect to the quantity) have one entry a row, `at` is where in the simulation.
    """

    name: str
    unit: str
    evaluation: NDArray[np.intp]
    values: NDArray[Any]
    cotangents: NDArray[Any]
    at: tuple[Any, ...]


@dataclass(frozen=True)
class Curvature:
    """Second derivatives of the loss at one evaluation, with each parameter measured by a size of its own.

    `scale` holds these sizes, in the columns of the history; `slope` is the gradient, `values` are eigenvalues of the
    Hessian in ascending order and `vectors` the directions (one a column), all in these sizes: a step of 1 is as long
    as a parameter is large. `loss` is the value of the objective that was differentiated.
    """

    evaluation: int
    loss: float
    scale: NDArray[np.float64]
    slope: NDArray[np.float64]
    values: NDArray[np.float64]
    vectors: NDArray[np.float64]
    method: str

    @property
    def is_complete(self) -> bool:
        """Whether it covers all directions."""
        return len(self.values) == len(self.scale)


class Run:
    """One recorded optimization.

    Made by `%%xinv`, `xinv_nb.record` or `xinv_nb.load`. Arrays have one row for each evaluation: a reverse pass of a
    scalar function at the outermost level. They are views of the recording and cannot be written to.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> with xi.record("bowl") as run:
    ...     x = 3.0
    ...     for _ in range(5):
    ...         x = x - 0.25 * grad(lambda x: x**2)(x)
    >>> run.evaluations, float(run.loss[0]), run.parameters["x"].shape
    (5, 9.0, (5,))
    """

    def __init__(self, name: str = "", problem: Problem | None = None) -> None:
        self.id = uuid.uuid4().hex[:8]
        self.name = name
        self.problem = problem
        self.status: Status = "running"
        self.ending = ""
        """How the run ended, in words; for a failed run the error and the line of the cell."""
        self.notices: list[str] = []
        self.chosen_parameters: tuple[str, ...] = ()
        self.chosen_spans: tuple[tuple[int, int], ...] = ()
        """Stretches of the run that a reader asked about, as first and last evaluation: see `choose_span`."""
        self._histories: list[History] = []
        self._events: list[tuple[History | None, Event]] = []
        self._captions: tuple[Caption, ...] | None = None
        self._span_captions: tuple[Caption, ...] = ()
        self._curvature: Curvature | None = None
        self._analysis: tuple[tuple[int, int, Status, tuple[tuple[int, int], ...]], Any] | None = None
        self._widget: RunWidget | None = None
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        others = f" of {self.history.objective}; run.objectives has others" if len(self._histories) > 1 else ""
        return f"<xinv_nb.Run {self.title!r}: {self.status}, {self.evaluations} evaluations{others}>"

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
        return self.problem.scene if self.problem is not None and self._histories else None

    @property
    def history(self) -> History:
        """The recording of the objective that is shown: the first in `objectives`."""
        if len(self._histories) < _SEVERAL:
            return self._histories[0] if self._histories else _NOTHING
        return self._ranked()[0]

    def _ranked(self) -> list[History]:
        """Return what was optimized first, then what was evaluated at the most points.

        Points, not evaluations: products of its Hessian with many directions, each an objective of its own where the
        program writes them by hand, are taken at one point. Of several that an optimizer was seen to work on, the one
        with the most parameters comes first, as the others prepare it or finish it off; unless it is little beside
        the rest.
        """
        points = {history: history.points() for history in self._histories}
        most = max(points.values(), default=0)

        def rank(history: History) -> tuple[bool, bool, int, int]:
            is_little = _LITTLE * points[history] <= most
            return is_little, not history.optimizer, -history.width if history.optimizer else 0, -points[history]

        return sorted(self._histories, key=rank)

    @property
    def objectives(self) -> dict[str, Run]:
        """Each objective that was differentiated, as a run of its own: from its name to the run, the shown one first.

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
        found: dict[str, Run] = {}
        for place, history in enumerate(self._ranked()):
            name, count = history.objective, 2
            while name in found:
                name, count = f"{history.objective} ({count})", count + 1
            found[name] = self._only(history) if place else self
        return found

    def _only(self, history: History) -> Run:
        """Return a run of one of several objectives; it goes on growing with this one."""
        run = Run(self.name, self.problem)
        run.status, run.ending, run.notices = self.status, self.ending, self.notices
        run.chosen_parameters, run._histories, run._events = self.chosen_parameters, [history], self._events
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
        """The gradients at these points, in the shapes of `parameters`."""
        return self._by_leaf(self.history.gradients.array)

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
        return {
            name: (np.array(columns.evaluation, dtype=np.intp), np.array(columns.gradients))
            for name, columns in self.history.terms.items()
        }

    @property
    def events(self) -> Sequence[Event]:
        """The events, in the order in which they happened."""
        return self._events_from(0)

    def _events_from(self, start: int, stop: int | None = None) -> list[Event]:
        """Return those of this objective among some of the recorded events; of a run that goes on, of the new ones."""
        history = self.history
        chosen = [event for owner, event in self._events[start:stop] if owner is history or owner is None]
        if all(map(is_worded, chosen)):
            return chosen
        entries = {entry.column: entry for entry in self.entries()}
        return [worded(event, entries) for event in chosen]

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
        """Return the numbers of one entry at each evaluation (the real part of complex ones).

        Between the evaluations in `kept` stand those of the one before.
        """
        if entry.place is not None:
            return np.real(self.history.column(entry.place, of))
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

    # ------------------------------------------------------------------ doors into the layers above

    def _analysed(self) -> Any:
        from xinv_nb.analysis import analyse

        with self._lock:
            state = (self.evaluations, len(self._events), self.status, self.chosen_spans)
            # Looked at in every iteration, a growing run would be analysed from its start each time.
            known = self._analysis
            if (
                known is not None
                and known[0][2] == self.status == "running"
                and known[0][3] == self.chosen_spans
                and self.evaluations <= _STALE * known[0][0]
            ):
                return known[1]
            if self._analysis is None or self._analysis[0] != state:
                self._analysis = (state, analyse(self))
            return self._analysis[1]

    @property
    def phases(self) -> Sequence[Phase]:
        """The stretches of the run: descent, plateau, oscillation, divergence, converged and more.

        While the run grows, they are brought up to date each time it has grown by a fiftieth.
        """
        phases: Sequence[Phase] = self._analysed().phases
        return phases

    @property
    def facts(self) -> Sequence[Fact]:
        """What the recording says, computed; what a reader would miss most comes first.

        While the run grows, they are brought up to date each time it has grown by a fiftieth.
        """
        facts: Sequence[Fact] = self._analysed().facts
        return facts

    def choose_span(self, span: tuple[int, int]) -> None:
        """Have `facts` tell also of the stretch from evaluation `span[0]` to `span[1]`, both included.

        Raises
        ------
        XinvError
            The run has no such evaluations.

        Examples
        --------
        >>> import xinv_nb as xi
        >>> from autograd import grad
        >>> with xi.record() as run:
        ...     slopes = [grad(lambda x: x**2)(x) for x in (4.0, 3.0, 2.0)]
        >>> run.choose_span((0, 1))
        >>> run.facts[-1].text
        'x fell from 4 to 3; the gradient asked for this.'
        """
        first, last = (int(end) for end in span)
        if not 0 <= first <= last < self.evaluations:
            raise XinvError(
                f"The run has no iterations {first} to {last}; choose two between 0 and {self.evaluations - 1}, "
                "the first one first."
            )
        if (first, last) not in self.chosen_spans:
            self.chosen_spans = (*self.chosen_spans, (first, last))[-_MOST_SPANS:]

    @property
    def captions(self) -> Sequence[Caption]:
        """The explanation as it stands: the built-in text, or what a model wrote and the check let pass.

        Behind the captions of the run stand those of stretches that were asked for: see `explain`.
        """
        captions = self._captions
        if captions is None:
            from xinv_nb.captions.narrator import narrate

            captions = narrate(self)
        return (*captions, *self._span_captions)

    def explain(
        self,
        model: str | Literal[False] | None = None,
        level: str | None = None,
        language: str | None = None,
        host: str | None = None,
        span: tuple[int, int] | None = None,
    ) -> Sequence[Caption]:
        """Write the captions now and return them.

        Parameters
        ----------
        model : str, False or None
            A model of the Ollama server; None picks the server's default, or the built-in text where there is no
            server; False never calls a server.
        level : str, optional
            `"student"` or `"expert"`.
        language : str, optional
            The language to write in; English where None.
        host : str, optional
            The server's address; the loopback one where None. Naming another host sends the facts of the run there.
        span : pair of int, optional
            First and last evaluation of a stretch to explain by itself; its caption joins `captions`.

        Returns
        -------
        sequence of Caption
            Those of the run, or the one of the span.

        Raises
        ------
        XinvError
            The run has no such evaluations.

        Examples
        --------
        >>> import xinv_nb as xi
        >>> with xi.record() as run:
        ...     pass
        >>> run.explain(model=False)[0].source
        'built-in'
        """
        from xinv_nb.captions.writer import Explaining, write, write_span

        explaining = Explaining(model, level, language, host)
        if span is not None:
            caption = write_span(self, span, explaining)
            self._keep_span_caption(caption)
            return (caption,)
        self._captions = tuple(write(self, explaining))
        return self._captions

    def _keep_span_caption(self, caption: Caption) -> None:
        """Put a caption of a stretch behind the others, in the place of one of the same stretch."""
        others = [each for each in self._span_captions if each.span != caption.span]
        self._span_captions = (*others, caption)[-_MOST_SPANS:]

    def ask(
        self,
        question: str,
        model: str | Literal[False] | None = None,
        level: str | None = None,
        language: str | None = None,
        host: str | None = None,
        span: tuple[int, int] | None = None,
    ) -> Caption:
        """Answer a question from the recording, or say that the recording does not show it.

        Parameters
        ----------
        question : str
            In English; names of parameters, watched quantities and events, and iterations, are found in it.
        model, level, language, host
            As for `explain`: a model words the answer, under the same check.
        span : pair of int, optional
            The first and the last evaluation that the question is about.

        Returns
        -------
        Caption
            The facts that bear on the question; its `status` says where the recording does not show it.

        Examples
        --------
        >>> import xinv_nb as xi
        >>> from autograd import grad
        >>> with xi.record() as run:
        ...     slopes = [grad(lambda x: x**2)(x) for x in (4.0, 3.0, 2.0)]
        >>> run.ask("Where did x go?", model=False).text
        'x fell from 4 to 2; the gradient asked for this at every iteration.'
        """
        from xinv_nb.captions.writer import Explaining, answer

        return answer(self, question, Explaining(model, level, language, host), span)

    def check(self, text: str, span: tuple[int, int] | None = None) -> Sequence[Claim]:
        """Return the claims found in `text`, each with whether the recording supports it, and why."""
        from xinv_nb.captions.claims import check

        return check(self, text, span)

    def identify(self, objective: Callable[..., Any] | None = None) -> Sequence[Fact]:
        """Tell how well the parameters are determined where the run ended: which combinations, and which hardly.

        Parameters
        ----------
        objective : callable, optional
            The function whose gradient was recorded, of the parameters alone. Its second derivatives are taken at the
            last accepted point: at most a few times as many evaluations as there are parameters, none of them
            recorded. Where None, the recorded path has to do; of directions that it did not explore nothing is known.

        Returns
        -------
        sequence of Fact
            Facts of the kind `"identifiability"`. From now on they are among `run.facts`, also of a saved run.

        Raises
        ------
        XinvError
            The objective takes other parameters or does not return one number, or the path does not suffice.

        Examples
        --------
        >>> import xinv_nb as xi
        >>> from autograd import grad
        >>> def loss(x):
        ...     return (x[0] + x[1] - 3.0) ** 2
        >>> with xi.record() as run:
        ...     x = np.array([1.0, 1.5])
        ...     for _ in range(20):
        ...         x = x - 0.1 * grad(loss)(x)
        >>> {name: round(move, 3) for name, move in run.identify(loss)[0].values["moves"].items()}
        {'x[0]': 0.125, 'x[1]': -0.125}

        Notes
        -----
        The method and its limits are told in `xinv_nb.analysis.identifiability`.
        """
        from xinv_nb.analysis.identifiability import identify

        return identify(self, objective)

    def widget(self) -> RunWidget:
        """Return the interactive widget of this run; the same one at each call until it is closed."""
        from xinv_nb.view.widget import widget_of

        widget = widget_of(self)
        widget.is_handed_out = True
        return widget

    def plot(self) -> Figure:
        """Return a matplotlib figure of the run, made without pyplot."""
        from xinv_nb.view.figure import draw

        return draw(self)

    def to_frame(self) -> pandas.DataFrame:
        """Return a pandas DataFrame: a row for each evaluation, columns for loss, parameters and gradients."""
        from xinv_nb.storage import to_frame

        return to_frame(self)

    def to_html(self, path: str | Path) -> Path:
        """Write one self-contained interactive page that needs no network; returns its path."""
        from xinv_nb.view.page import write_page

        return write_page(self, Path(path))

    def save(self, path: str | Path) -> Path:
        """Write the run to one file that `xinv_nb.load` reads back exactly; returns its path."""
        from xinv_nb.storage import save

        return save(self, Path(path))

    def _display_(self) -> RunWidget:
        """Return what marimo shows of a run."""
        return self.widget()

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.widget())  # type: ignore[no-untyped-call]
