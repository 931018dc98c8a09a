"""How well the data of a least-squares fit determine its parameters: standard errors, or why there are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from xinv_nb.facts.analysis import shown_excerpt
from xinv_nb.facts.estimates import Why, estimate_of
from xinv_nb.facts.measures.fitted import fitted
from xinv_nb.recorded.entries import Entry
from xinv_nb.recorded.run import RecordedRun


class Correlations(dict[str, Mapping[str, float]]):
    """Correlations of the estimates: `correlations["a"]["b"]`, or `correlations["a", "b"]`.

    Examples
    --------
    >>> Correlations({"a": {"a": 1.0, "b": -0.9}})["a", "b"]
    -0.9
    """

    def __missing__(self, pair: object) -> float:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise KeyError(pair)
        return self[pair[0]][pair[1]]


@dataclass(frozen=True)
class Uncertainty:
    """The standard errors of the parameters of a least-squares fit and their correlations, or why there are none.

    Parameters have the names that the reader knows them by.

    Examples
    --------
    >>> Uncertainty(why_not="There is no least-squares fit here.").errors
    {}
    """

    errors: Mapping[str, float] = field(default_factory=dict)
    """From each parameter to its standard error, in the unit of the parameter; empty where there are none."""
    correlations: Correlations = field(default_factory=Correlations)
    """From each pair of parameters to the correlation of their estimates."""
    why_not: str = ""
    """Why there are none, in words; empty where there are."""
    evaluation: int | None = None
    """The evaluation at which they hold: the best that was accepted."""
    freedom: int | None = None
    """Degrees of freedom: residuals less parameters."""


def uncertainty_of(run: RecordedRun) -> Uncertainty:
    """Return the standard errors at the end of the fit that is shown of a run, or why there are none.

    Examples
    --------
    >>> import numpy as np
    >>> import xinv_nb as xi
    >>> jacobian = np.column_stack([np.ones(4), np.arange(4.0)])
    >>> heights = np.array([1.1, 2.9, 4.9, 7.1])
    >>> with xi.record() as run:
    ...     x = np.zeros(2)
    ...     for _ in range(2):
    ...         r = jacobian @ x - heights
    ...         run.add(r @ r, x, residuals=r, jacobian=jacobian)
    ...         x = x - np.linalg.lstsq(jacobian, r)[0]
    >>> {name: round(error, 3) for name, error in run.uncertainty.errors.items()}
    {'x[0]': 0.118, 'x[1]': 0.063}
    >>> round(run.uncertainty.correlations["x[0]", "x[1]"], 3)
    -0.802
    """
    with np.errstate(all="ignore"):  # overflow is among what is told of, whatever the program does at one
        return _uncertainty_of(run)


def _uncertainty_of(run: RecordedRun) -> Uncertainty:
    part, places = shown_excerpt(run)
    found = estimate_of(part, fitted(part))
    if isinstance(found, Why):
        return Uncertainty(why_not=found.text)
    names = _names(found.entries)
    errors, table = found.fit.errors.tolist(), found.fit.correlations.tolist()
    return Uncertainty(
        dict(zip(names, errors, strict=True)),
        Correlations({name: dict(zip(names, row, strict=True)) for name, row in zip(names, table, strict=True)}),
        evaluation=places.back(found.end.evaluation),
        freedom=found.fit.freedom,
    )


def _names(entries: Sequence[Entry]) -> list[str]:
    """Return what the reader calls the parameters; their names in the program where that does not tell them apart."""
    labels = [entry.label for entry in entries]
    return labels if len(set(labels)) == len(labels) else [entry.name for entry in entries]
