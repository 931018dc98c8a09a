"""A run as its owner holds it: what was recorded, with the doors to facts, words, views and files.

The one façade: its methods open the layers below when they are called, so that `import xinv_nb` stays light; nothing
below imports it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from xinv_nb.analysed import AnalysedRun
from xinv_nb.errors import XinvError
from xinv_nb.recorded.writer import RunWriter

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

    from xinv_nb.recorded.captions import Caption, Claim
    from xinv_nb.recorded.data import Data
    from xinv_nb.view.widget import RunWidget


class Run(AnalysedRun):
    """One recorded optimization.

    Made by `%%xinv`, `xinv_nb.record` or `xinv_nb.load`. Arrays have one row for each evaluation: a reverse pass of a
    scalar function at the outermost level. They are views of the recording and cannot be written to. Runs can be copied
    and pickled, with what `save` writes of them: all but the scene.

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

    def choose_fit(self, number: int | None) -> None:
        """Have phases, facts and captions tell of one fit, by its place in `fits` from 0; None for the best again.

        Captions that were written are forgotten; an open widget follows. Raises `XinvError` where there is none such.

        Examples
        --------
        >>> import xinv_nb as xi
        >>> with xi.record() as run:
        ...     for x in [4.0 * (1 - 2 * rate) ** k for rate in (0.1, 0.4) for k in range(8)]:
        ...         run.add(x**2, x, 2 * x)
        >>> run.choose_fit(0)
        >>> run.phases[-1].stop
        8
        """
        from xinv_nb.facts.analysis import check_fit

        if number is not None:
            check_fit(self, number)
        RunWriter(self).choose_fit(number)
        if (widget := self.memo.get("widget")) is not None:
            widget.explainer.tell_anew()

    def replay(
        self,
        objective: Callable[..., Any] | None = None,
        start: Any = None,
        optimizer: str | None = None,
        step_size: float | None = None,
        fixed: Mapping[str, float] | Sequence[str] | str | None = None,
        from_iteration: int | None = None,
        iterations: int | None = None,
        name: str | None = None,
    ) -> Run:
        """Run the same optimization again with one thing changed, or several, and return what that gives, as a run.

        Parameters
        ----------
        objective : callable, optional
            The function that was minimized, of the parameters alone (and of the number of the iteration behind them,
            where that chooses a batch); of a least-squares fit the function that returns the residuals. Where its
            gradient was not autograd's, it returns the loss and the gradient. It may be left out where the problem has
            it: `Objective(function=…)`.
        start : optional
            Where to start: values in the structure of the parameters, or only some of them by their names.
        optimizer : str, optional
            Another optimizer: `"adam"`, `"rmsprop"`, `"sgd"` or `"gradient descent"`, each with a `step_size`, or a
            method of SciPy's `minimize`, such as `"L-BFGS-B"`; of a fit `"trf"`, `"dogbox"` or `"lm"`.
        step_size : float, optional
            Another step size.
        fixed : mapping of str to float, or names, optional
            Parameters that are held: at these values, or where they start.
        from_iteration : int, optional
            The evaluation of this run at whose point to start.
        iterations : int, optional
            How many iterations to make, or of a solver at most.
        name : str, optional
            The name of the new run.

        What it changed is among the facts of the new run, of the kind `"replay"`: what differed first, where it ended,
        and which reason turned. Raises `XinvError` where the objective does not return what was recorded, where the
        optimizer of this run is not known well enough to be run again, and for what fits no parameter.

        Examples
        --------
        >>> import autograd.numpy as np
        >>> import xinv_nb as xi
        >>> from autograd import grad
        >>> def cost(p):
        ...     return np.sum((p - 1.0) ** 2)
        >>> with xi.record("short steps") as run:
        ...     p = np.array([4.0, 2.0])
        ...     for _ in range(10):
        ...         p = p - 0.05 * grad(cost)(p)
        >>> longer = run.replay(cost, step_size=0.2)
        >>> [fact.text for fact in longer.facts if fact.kind == "replay"][0]
        'This repeats short steps, with a step size of 0.2 instead of 0.05.'
        """
        from xinv_nb.facts.replay.again import replay
        from xinv_nb.facts.replay.wishes import Wishes

        wishes = Wishes(start, optimizer, step_size, fixed, from_iteration, iterations)
        return replay(self, objective, wishes, Run, name)

    @property
    def data(self) -> Mapping[str, Data]:
        """The groups of data that the objective marked with `xinv_nb.data`, by their names."""
        from xinv_nb.recorded.data import as_read

        return as_read(self.history.data, self.history.values.rows)

    @property
    def headline(self) -> str:
        """What the run comes to, in at most 14 words; empty where nothing was recorded.

        Examples
        --------
        >>> import xinv_nb as xi
        >>> with xi.record() as run:
        ...     for x in (4.0, 2.0, 1.0):
        ...         run.add(x**2, x, 2 * x)
        >>> run.headline
        'The loss fell by 94 %, from 16 to 1, and was still falling'
        """
        from xinv_nb.words.headlines import headline_of

        return headline_of(self)

    @property
    def captions(self) -> Sequence[Caption]:
        """The explanation as it stands: the built-in text, or what a model wrote and the check let pass.

        Behind the captions of the run stand those of stretches that were asked for: see `explain`.
        """
        from xinv_nb.words.narrator import captions_of

        return captions_of(self)

    def explain(
        self,
        model: str | Literal[False] | None = None,
        level: str | None = None,
        language: str | None = None,
        host: str | None = None,
        span: tuple[int, int] | None = None,
    ) -> Sequence[Caption]:
        """Write the captions now and return them, or the one of the span.

        Parameters
        ----------
        model : str, False or None
            A model of the Ollama server; None picks the server's default, or the built-in text where there is no
            server; False never calls a server.
        level : str, optional
            `"student"` or `"expert"`.
        language : str, optional
            The language to write in. So far that is English: for another, the built-in English text is returned, no
            model is asked, and `notices` says so.
        host : str, optional
            The server's address; the loopback one where None. Naming another host sends the facts of the run there.
        span : pair of int, optional
            First and last evaluation of a stretch of the run to explain by itself; its caption joins `captions`.

        Examples
        --------
        >>> import xinv_nb as xi
        >>> with xi.record() as run:
        ...     pass
        >>> run.explain(model=False)[0].source
        'built-in'
        """
        from xinv_nb.models.captioning import Explaining, write, write_span

        self._look_at_reader(level, language)
        explaining = Explaining(model, level, language, host)
        if span is not None:
            caption = write_span(self, span, explaining)
            RunWriter(self).keep_span_caption(caption)
            return (caption,)
        captions = write(self, explaining)
        RunWriter(self).keep_captions(captions)
        return captions

    def ask(
        self,
        question: str,
        model: str | Literal[False] | None = None,
        level: str | None = None,
        language: str | None = None,
        host: str | None = None,
        span: tuple[int, int] | None = None,
    ) -> Caption:
        """Answer a question from the recording, or say in `status` that the recording does not show it.

        Parameters
        ----------
        question : str
            In English; names of parameters, watched quantities and events, and iterations, are found in it.
        model, level, language, host
            As for `explain`: a model words the answer, under the same check.
        span : pair of int, optional
            The first and the last evaluation that the question is about.

        Examples
        --------
        >>> import xinv_nb as xi
        >>> from autograd import grad
        >>> with xi.record() as run:
        ...     slopes = [grad(lambda x: x**2)(x) for x in (4.0, 3.0, 2.0)]
        >>> run.ask("Where did x go?", model=False).text
        'x fell from 4 to 2; the gradient asked for this at every iteration.'
        """
        from xinv_nb.models.captioning import Explaining, answer

        self._look_at_reader(level, language)
        if not isinstance(question, str):
            raise XinvError(f"run.ask(question) takes a question in words; {question!r:.60} is no text.")
        return answer(self, question, Explaining(model, level, language, host), span)

    def _look_at_reader(self, level: str | None, language: str | None) -> None:
        from xinv_nb.models.languages import not_there_yet

        if level not in (None, "student", "expert"):
            raise XinvError(f"level is 'student' or 'expert'; {level!r:.60} is neither.")
        if language is not None and not isinstance(language, str):
            raise XinvError(f"language is a name such as 'English'; {language!r:.60} is no text.")
        if why := not_there_yet(language):
            RunWriter(self).notice(f"{why}.")

    def check(self, text: str, span: tuple[int, int] | None = None) -> Sequence[Claim]:
        """Return the claims found in `text`, each with whether the recording supports it, and why."""
        from xinv_nb.claims.claims import check

        return check(self, text, span)

    def add(
        self,
        /,  # a quantity may be called `self`
        loss: Any,
        parameters: Any,
        gradients: Any = None,
        residuals: Any = None,
        jacobian: Any = None,
        **quantities: Any,
    ) -> None:
        """Record one evaluation by hand, into a recording that is open.

        For a program whose gradients are not autograd's: a simulator in another language, a hand-written adjoint, a
        search without gradients. Call it once for each evaluation of the objective; `xi.event` says beforehand what
        happened in it.

        Parameters
        ----------
        loss : float
            The value of the objective.
        parameters : dict of str to float or array, array or float
            The point. Names and shapes stay the same in one recording.
        gradients : as parameters, optional
            The derivative of the loss with respect to each. Where there is none, what is said of the run says nothing
            of gradients.
        residuals : array, optional
            Of a least-squares fit, the vector r of residuals; they are kept as `run.residuals`.
        jacobian : array or dict of str to array, optional
            The derivative of the residuals, a row for each residual and a column for each parameter. Where no gradients
            are given it gives them, if the loss is ‖r‖² or half of it.
        **quantities : float, array or (value, unit)
            What else there is to follow, as `xi.watch` does.

        Raises `XinvError` where something does not fit: another shape or other names than before, a gradient of another
        length, text for a number; or the recording is not open. The recording stays as it was.

        Examples
        --------
        >>> import xinv_nb as xi
        >>> with xi.record("throw") as run:
        ...     v = 10.0
        ...     for _ in range(20):
        ...         reach = v**2 / 9.81
        ...         miss = reach - 20.0
        ...         run.add(miss**2, {"speed": v}, {"speed": 2 * miss * 2 * v / 9.81}, reach=(reach, "m"))
        ...         v = v - 0.02 * 2 * miss * 2 * v / 9.81
        >>> run.evaluations, run.watches["reach"].unit, round(float(run.parameters["speed"][-1]), 1)
        (20, 'm', 14.0)
        """
        from xinv_nb.recording.by_hand import add

        add(self, loss, parameters, gradients, residuals, jacobian, quantities)

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
        from xinv_nb.recorded.frame import to_frame

        return to_frame(self)

    def to_html(self, path: str | Path) -> Path:
        """Write one self-contained interactive page that needs no network; returns its path."""
        from xinv_nb.view.page import write_page

        return write_page(self, Path(path))

    def save(self, path: str | Path) -> Path:
        """Write the run to one file that `xinv_nb.load` reads back exactly; returns its path."""
        from xinv_nb.recorded.file.writing import save

        return save(self, Path(path))

    def __reduce__(self) -> tuple[Callable[..., Run], tuple[bytes, type[Run]]]:
        """Have `pickle` and `copy` take what `save` writes: a worker may return its run; the scene stays behind."""
        from xinv_nb.recorded.file.reading import from_bytes
        from xinv_nb.recorded.file.writing import to_bytes

        return from_bytes, (to_bytes(self), Run)

    def _display_(self) -> RunWidget:
        """Return what marimo shows of a run."""
        return self.widget()

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.widget())  # type: ignore[no-untyped-call]
