"""A run with what is computed of it: phases, facts, reasons, what is wrong. Doors that open their layer when called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from xinv_nb.recorded.run import RecordedRun

if TYPE_CHECKING:
    from xinv_nb.facts.diagnosis.finding import Finding
    from xinv_nb.facts.fact import Fact, Phase
    from xinv_nb.facts.fit import Fit
    from xinv_nb.facts.pushes import Pushes
    from xinv_nb.facts.reasons import Reasons
    from xinv_nb.facts.uncertainty import Uncertainty


class AnalysedRun(RecordedRun):
    """What a recording says, computed when it is asked for."""

    @property
    def phases(self) -> Sequence[Phase]:
        """The stretches of the run: descent, plateau, oscillation, divergence, converged and more.

        While the run grows, they are brought up to date each time it has grown by a fiftieth.
        """
        from xinv_nb.facts.analysis import phases_of

        return phases_of(self)

    @property
    def fits(self) -> Sequence[Fit]:
        """The optimizations in this recording: each by one optimizer, from one start, with how it ended.

        Those of the objective that is shown come first, in the order in which they were made. Phases, facts and
        captions tell of the one with the lowest loss, and of what sets the fits apart. What an optimizer goes on with
        where another stopped is told as one story.

        Examples
        --------
        >>> import xinv_nb as xi
        >>> from autograd import grad
        >>> with xi.record() as run:
        ...     for x in [4.0 * (1 - 2 * rate) ** k for rate in (0.1, 0.4) for k in range(8)]:
        ...         slope = grad(lambda x: x**2)(x)
        >>> [(fit.start, fit.stop, fit.options["step_size"]) for fit in run.fits]
        [(0, 8, 0.1), (8, 16, 0.4)]
        """
        from xinv_nb.facts.analysis import fits_of_all

        return fits_of_all(self)

    @property
    def facts(self) -> Sequence[Fact]:
        """What the recording says, computed; what a reader would miss most comes first."""
        from xinv_nb.facts.analysis import facts_of

        return facts_of(self)

    @property
    def uncertainty(self) -> Uncertainty:
        """The standard errors of the parameters of a least-squares fit, or why there are none; it never raises.

        From residuals and Jacobian at the best accepted evaluation, by the linear theory. The variance of the data is
        estimated from the residuals, unless it is known: by the `sigma` of `xinv_nb.data`, or from `curve_fit` with
        `absolute_sigma`.
        """
        from xinv_nb.facts.uncertainty import uncertainty_of

        return uncertainty_of(self)

    @property
    def reasons(self) -> Reasons:
        """What the move of each parameter brought to each watched quantity, and to the loss; it never raises.

        In the quantity's unit, so that the parts add up to its change, from the recording alone. Where the steps are
        too long for that, or the derivatives are not known, its `why_not` says so; where leave was given by
        `Objective(function=…)`, long steps are subdivided as by `reasons_for`, once.
        """
        from xinv_nb.facts.subdivided import reasons_with_leave

        return reasons_with_leave(self)

    def reasons_for(self, objective: Callable[..., Any]) -> Reasons:
        """Return `reasons` with long steps subdivided by new evaluations, at most some 2,000, none of them recorded.

        Parameters
        ----------
        objective : callable
            The function whose gradient was recorded, of the parameters alone, with its watched quantities.

        How many evaluations there were is among `notices`. Raises `XinvError` where the objective takes other
        parameters, or does not return what was recorded.

        Examples
        --------
        >>> import numpy as np
        >>> import xinv_nb as xi
        >>> from autograd import grad
        >>> def cost(x):
        ...     return xi.watch(x[0] ** 4, "wear") + x[1] ** 2
        >>> with xi.record() as run:
        ...     slopes = [grad(cost)(x) for x in (np.array([2.0, 1.0]), np.array([0.0, 0.0]))]
        >>> reasons = run.reasons_for(cost)
        >>> reasons.quantities, reasons.parts.round().tolist()
        (('wear', 'x[1] ** 2', 'loss'), [[-16.0, 0.0, -16.0], [0.0, -1.0, -1.0]])
        """
        from xinv_nb.facts.subdivided import reasons_for

        return reasons_for(self, objective)

    def pushes(self, iteration: int | None = None) -> Pushes:
        """Return which watched quantity pushes which parameter which way, at an iteration or on the mean of the fit.

        Raises `XinvError` where the fit that is shown has no such iteration.

        Examples
        --------
        >>> import xinv_nb as xi
        >>> from autograd import grad
        >>> def cost(x):
        ...     return xi.watch((x - 1.0) ** 2, "misfit") + xi.watch(3 * x, "price")
        >>> with xi.record() as run:
        ...     slopes = [grad(cost)(x) for x in (3.0, 2.0)]
        >>> run.pushes(1).quantities, run.pushes(1).parts.tolist()
        (('misfit', 'price'), [[-2.0, -3.0]])
        """
        from xinv_nb.facts.pushes import pushes_of

        return pushes_of(self, iteration)

    @property
    def diagnosis(self) -> Sequence[Finding]:
        """What is wrong with the run, where, and the next call to make, the gravest first; nothing if healthy."""
        from xinv_nb.facts.analysis import diagnosis_of

        return diagnosis_of(self)

    def identify(self, objective: Callable[..., Any] | None = None) -> Sequence[Fact]:
        """Tell how well the parameters are determined where the run ended: which combinations, and which hardly.

        Parameters
        ----------
        objective : callable, optional
            The function whose gradient was recorded, of the parameters alone. Its second derivatives are taken at the
            last accepted point: at most a few times as many evaluations as there are parameters, none of them
            recorded. Where None, the recorded path has to do; of directions that it did not explore nothing is known.

        Returns facts of the kind `"identifiability"`; from now on they are among `run.facts`, also of a saved run.
        Raises `XinvError` where the objective takes other parameters, does not return one number or not what was
        recorded, or has second derivatives that are not to be trusted; or where the path does not suffice.

        Examples
        --------
        >>> import numpy as np
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
        """
        from xinv_nb.facts.identify import identify

        return identify(self, objective)

    def diagnose(self, objective: Callable[..., Any]) -> Sequence[Finding]:
        """Evaluate the objective again, up to some 1,500 times: `diagnosis`, and what else that shows to be wrong.

        Whether it gives the same value twice, whether its gradient is that of its values, its curvature at the end, and
        where a few other starts lead. None of these evaluations is recorded; what they show is kept with the run, also
        in its file, and how many there were is among `notices`. Raises `XinvError` as `identify` does.

        Examples
        --------
        >>> import xinv_nb as xi
        >>> with xi.record() as run:
        ...     for x in [3.0 * 0.6**k for k in range(20)]:
        ...         run.add(x**2, x, 2 * x)
        >>> run.diagnose(lambda x: x**2)
        ()
        """
        from xinv_nb.facts.diagnose import diagnose

        return diagnose(self, objective)
