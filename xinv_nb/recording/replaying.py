"""The user's own objective optimized again from where it is told, by an optimizer that is known, and recorded.

A recording of its own takes the evaluations; one that is open meanwhile sees nothing of them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.errors import XinvError, told
from xinv_nb.recorded.history import History
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.recorded.writer import RunWriter
from xinv_nb.recording.backends.registry import differentiating
from xinv_nb.recording.by_hand import add
from xinv_nb.recording.context import unrecorded
from xinv_nb.recording.recorder import Recorder
from xinv_nb.recording.reevaluating import check_value, flat, flattened, most_taken, required

Floats = NDArray[np.float64]
_MAX_EVENTS = 100_000
_SAME = 1e-6
"""Share of the largest residual by which one may differ from the recorded one."""


@dataclass(frozen=True)
class Again:
    """What is to run: by which optimizer, from where, with which parameters held, and how it is set."""

    optimizer: str
    """`descent`, the name of one of the framework's own, of a method of `minimize`, `leastsq` or `least_squares`."""
    start: Floats
    free: NDArray[np.bool_]
    """Which numbers among the parameters may move."""
    steps: int = 0
    """How many evaluations a loop makes."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    rule: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Of `descent`: the factors of the step before, of the gradient, and of the gradient before."""
    with_slopes: bool = True
    """Whether the optimizer is given the gradient."""
    first: int = 0
    """The number of its first iteration, for an objective that takes that as well."""


class Replayed:
    """An objective that is optimized again.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     run.add(9.0, 3.0, 6.0)
    >>> again = RecordedRun("again")
    >>> descent = Again("descent", np.array([3.0]), np.array([True]), steps=3, rule=(0.0, -0.25, 0.0))
    >>> Replayed(lambda x: x**2, run.history, [(0, 0)]).run_into(again, descent)
    >>> [values.tolist() for values in again.parameters.values()]
    [[3.0, 1.5, 0.75]]
    """

    def __init__(self, objective: Callable[..., Any], history: History, known: Sequence[tuple[int, int]]) -> None:
        """Check the objective at evaluations that are known, each with the number of its iteration."""
        self._history, self._iteration = history, 0
        self._inner: float | None = None
        self.gives_slope = False
        """Whether the objective returns its gradient as well."""
        self.takes_iteration = False
        """Whether the objective is handed the number of the iteration as well."""
        forms = self._forms(objective)
        for place, form in enumerate(forms, 1):
            self._function, self.takes_iteration = flat(form, history), form is not objective
            try:
                with unrecorded():
                    for evaluation, iteration in known:
                        self._check(evaluation, iteration)
                return
            except XinvError:
                if place == len(forms):
                    raise

    def _forms(self, objective: Callable[..., Any]) -> list[Callable[..., Any]]:
        """Return the objective as a function of the parameters alone: with the number of the iteration where it can be.

        Autograd's optimizers hand that number to the gradient, which may choose a batch by it.
        """
        outline = self._history.outline
        count = len(outline) if isinstance(outline, tuple) and len(outline) > 1 else 1
        if most_taken(objective) <= count:
            return [objective]

        def at(*point: Any) -> Any:
            return objective(*point, self._iteration)

        places = [inspect.Parameter(f"p{k}", inspect.Parameter.POSITIONAL_ONLY) for k in range(count)]
        at.__signature__ = inspect.Signature(places)  # type: ignore[attr-defined]
        return [at] if required(objective) > count else [at, objective]

    def _answer(self, x: Floats) -> Any:
        try:
            return self._function(x)
        except Exception as error:
            raise XinvError(
                f"The objective could not be evaluated where the run was ({told(error)}). Pass a "
                "function that takes the recorded parameters and nothing else, such as lambda x: loss(x, 0)."
            ) from error

    def _check(self, evaluation: int, iteration: int) -> None:
        """Raise `XinvError` where the objective does not return what was recorded."""
        history, self._iteration = self._history, iteration
        answer = self._answer(np.array(history.values.array[history.row_of(evaluation)]))
        self.gives_slope = history.residuals is None and isinstance(answer, (tuple, list)) and len(answer) == 2
        if history.residuals is not None:
            known, found = history.residuals.array[history.row_of(evaluation)], np.asarray(answer)
            if found.shape != known.shape:
                what = f"an array of shape {found.shape}" if found.ndim else "one number"
                raise XinvError(
                    f"The run is of a fit with {len(known)} residuals: pass the function that returns them, such as "
                    f"lambda p: model(x, *p) - y. The objective returned {what}."
                )
            apart = np.flatnonzero(~np.isclose(found, known, rtol=_SAME, atol=_SAME * np.max(np.abs(known), initial=0)))
            if len(apart):
                raise XinvError(
                    f"Residual {apart[0]} is {found[apart[0]]:.6g} at iteration {evaluation}, where "
                    f"{known[apart[0]]:.6g} was recorded: pass the residuals of the fit that was recorded."
                )
            return
        value = np.asarray(answer[0] if self.gives_slope else answer)
        if value.size != 1 or value.dtype.kind not in "fiub":
            raise XinvError(
                "The objective must return one real number, or that and its gradient; it returned "
                f"{f'an array of shape {value.shape}' if value.size != 1 else f'a value of type {value.dtype}'}."
            )
        check_value(float(value.reshape(())), history, evaluation)

    def run_into(self, run: RecordedRun, again: Again) -> None:
        """Optimize, and record that into `run`; the run says how it ended where the objective raises."""
        with unrecorded():
            recorder = Recorder(run, _MAX_EVENTS)
            recorder.start()
            try:
                _Optimizing(self, run, again).optimize()
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    recorder.stop("interrupted", "stopped by you")
                else:
                    recorder.stop("failed", type(error).__name__)
                raise
            recorder.stop()
        RunWriter(run).call_as(self._history)

    # ------------------------------------------------------------------ what optimizers ask

    @property
    def iteration(self) -> int:
        """The number of the iteration that the objective was handed last."""
        return self._iteration

    def at_iteration(self, number: int) -> None:
        """Say which iteration it is, for an objective that takes that as well."""
        self._iteration = number

    def value(self, x: Floats) -> Any:
        """Return what the objective returns."""
        return self._function(x)

    def differentiated(self) -> Callable[[Floats], tuple[float, Floats]]:
        """Return loss and gradient as a function of all parameters, by the framework."""
        backend = differentiating()

        def noting_its_value(x: Any) -> Any:
            value = self._function(x)
            self._inner = float(np.asarray(backend.plain_value(value)).reshape(()))
            return value

        derivatives = backend.derivatives(noting_its_value)

        def both(x: Floats) -> tuple[float, Floats]:
            try:
                gradient = np.asarray(derivatives.gradient(x), dtype=float)
            except (TypeError, ValueError, AttributeError, NotImplementedError) as error:
                if self._inner is not None:
                    raise  # it was differentiated before, so it can be
                raise XinvError(
                    f"The objective could not be differentiated ({told(error)}). Write it with "
                    "autograd.numpy, or have it return the loss and the gradient, or name an optimizer that needs no "
                    "gradient: optimizer='Nelder-Mead'."
                ) from error
            return float(self._inner if self._inner is not None else np.nan), gradient

        return both

    def given(self, run: RecordedRun) -> Callable[[Floats], tuple[float, Floats]]:
        """Return the same of an objective that returns its gradient; it is recorded by hand."""

        def both(x: Floats) -> tuple[float, Floats]:
            value, slope = self._function(x)
            gradient = flattened(slope, self._history)
            add(run, value, np.array(x), gradient, None, None, {})
            return float(value), gradient

        return both


class _Optimizing:
    """One optimization, while it runs."""

    def __init__(self, replayed: Replayed, run: RecordedRun, again: Again) -> None:
        self._replayed, self._run, self._again = replayed, run, again
        self._both = replayed.given(run) if replayed.gives_slope else None
        if self._both is None and again.with_slopes:
            self._both = replayed.differentiated()

    def optimize(self) -> None:
        again = self._again
        if again.optimizer == "descent":
            self._descend()
        elif again.optimizer in (loops := differentiating().optimizers()):
            settings = {**again.settings, "num_iters": again.steps}
            loops[again.optimizer](self._slope, again.start, **settings)
        elif again.optimizer in ("leastsq", "least_squares"):
            self._fit()
        else:
            self._minimize()

    def _slope(self, x: Floats, iteration: int) -> Floats:
        """Return the gradient without what is held: no step follows from nothing."""
        assert self._both is not None
        self._replayed.at_iteration(self._again.first + iteration)
        return np.asarray(self._both(np.array(x))[1] * self._again.free)

    def _descend(self) -> None:
        x, (momentum, along, along_before) = np.array(self._again.start), self._again.rule
        step = before = np.zeros_like(x)
        for iteration in range(self._again.steps):
            slope = self._slope(x, iteration)
            step = momentum * step + along * slope + along_before * before
            x, before = x + step, slope

    def _whole(self, part: Floats) -> Floats:
        """Return all parameters, of those that the solver sees."""
        whole = np.array(self._again.start)
        whole[self._again.free] = part
        return whole

    def _minimize(self) -> None:
        from scipy.optimize import minimize

        again, settings = self._again, dict(self._again.settings)
        if again.with_slopes:
            both = self._both
            assert both is not None

            def pair(part: Floats) -> tuple[float, Floats]:
                value, slope = both(self._whole(part))
                return value, slope[again.free]

            minimize(pair, again.start[again.free], jac=True, method=again.optimizer, **settings)
        else:
            minimize(self._valued, again.start[again.free], method=again.optimizer, **settings)

    def _valued(self, part: Floats) -> Any:
        value = self._replayed.value(self._whole(part))
        value = value[0] if self._replayed.gives_slope else value
        if not self._again.free.all():  # the solver does not see all parameters
            add(self._run, value, self._whole(part), None, None, None, {})
        return value

    def _fit(self) -> None:
        import scipy.optimize

        solver = getattr(scipy.optimize, self._again.optimizer)
        solver(self._residuals, self._again.start[self._again.free], **self._again.settings)

    def _residuals(self, part: Floats) -> Any:
        residuals = self._replayed.value(self._whole(part))
        if not self._again.free.all():
            told = np.asarray(residuals, dtype=float)
            add(self._run, float(told @ told) / 2, self._whole(part), None, told, None, {})
        return residuals
