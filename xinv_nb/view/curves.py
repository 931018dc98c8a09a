"""The curves of a figure: each fit its own, the one that is told of before the others, points of no fit as dots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recorded.run import RecordedRun
from xinv_nb.view.fits import fits_for_view

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_QUIET, _THIN, _FAINT = 0.5, 0.6, 0.3
LOG_FROM = 50
"""A positive quantity whose largest value is this many times its smallest is drawn on a logarithmic axis."""

STRETCHES = 1000
"""More than the picture has pixel columns: nothing that could be seen is lost."""

Column = NDArray[Any]


class Curve(NamedTuple):
    """Evaluations that are drawn as one."""

    start: int
    stop: int
    kind: Literal["story", "fit", "look"]
    name: str
    best: int


def curves_of(run: RecordedRun) -> list[Curve]:
    """Return the parts of a run, in order: one alone where all evaluations are one story.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for rate in (0.1, 0.4):
    ...         x = 4.0
    ...         for _ in range(8):
    ...             run.add(x**2, x, 2 * x)
    ...             x -= rate * 2 * x
    >>> [(curve.kind, curve.name) for curve in curves_of(run)]
    [('fit', 'fit 1'), ('story', 'fit 2')]
    """
    known = fits_for_view(run)
    if known is None:
        return [Curve(0, run.evaluations, "story", "", 0)]
    first, stop = known["story"]
    told = [each for each in known["stretches"] if first <= each["start"] < stop]
    others = [each for each in known["stretches"] if not first <= each["start"] < stop]
    numbers = [each["fit"] for each in told if each["fit"] > 0]
    are_many = known["count"] > len(numbers)
    name = f"fit {numbers[0]}" if len(numbers) == 1 else f"fits {numbers[0]}–{numbers[-1]}"
    best = next(each["best"] for each in told if each["fit"] == known["shown"])
    found = [Curve(first, stop, "story", name if are_many else "the fit", best)]
    for each in others:
        kind: Literal["fit", "look"] = "fit" if each["fit"] > 0 else "look"
        name = f"fit {each['fit']}" if each["fit"] > 0 else "of no fit" if each["fit"] == 0 else "other fits"
        found.append(Curve(each["start"], each["stop"], kind, name, each["best"]))
    return sorted(found)


def draw_column(
    ax: Axes, run: RecordedRun, curves: Sequence[Curve], column: Column, colour: str, width: float, label: str = ""
) -> None:
    """Draw a column: a line for each fit, dots for points of no fit."""
    for curve in curves:
        at, values = rows_of(run, curves, curve, column)
        is_told, is_look = curve.kind == "story", curve.kind == "look"
        ax.plot(
            at,
            values,
            color=colour,
            linewidth=width if is_told else _THIN * width,
            linestyle="" if is_look else "-",
            marker="." if is_look else "o" if len(values) == 1 else None,
            markersize=2.5 if is_look else None,
            alpha=None if is_told else _FAINT if is_look else _QUIET,
            label=label if is_told and label else "_",
        )


def rows_of(run: RecordedRun, curves: Sequence[Curve], curve: Curve, column: Column) -> tuple[Column, Column]:
    """Return iterations and values of a curve; of several fits, those that the optimizer accepted."""
    rows = np.arange(curve.start, curve.stop)
    if len(curves) > 1:
        rows = rows[run.accepted[rows]]
    at, values = thinned(column[rows])
    return rows[at], values


def thinned(column: Column) -> tuple[Column, Column]:
    """Return iterations and values to draw: of a long column the least and the largest value of each stretch."""
    if len(column) <= 2 * STRETCHES:
        return np.arange(len(column)), column
    starts = np.linspace(0, len(column), STRETCHES + 1).astype(int)[:-1]
    both = np.stack([np.fmin.reduceat(column, starts), np.fmax.reduceat(column, starts)], axis=1)
    return np.repeat(starts, 2), both.ravel()


def set_scale(ax: Axes, run: RecordedRun, curves: Sequence[Curve], columns: Sequence[Column], *, log: bool) -> None:
    """Set the axis of values: that of several fits shows what is told of, and of the others what does not squash it."""
    low, high = _extent(run, curves, columns, log=log)
    is_log = log and low > 0 and high / low > LOG_FROM
    if is_log:
        ax.set_yscale("log")
    if len(curves) > 1 and low < high:
        margin = (high / low) ** 0.05 if is_log else 0.05 * (high - low)
        ax.set_ylim((low / margin, high * margin) if is_log else (low - margin, high + margin))


def _extent(run: RecordedRun, curves: Sequence[Curve], columns: Sequence[Column], *, log: bool) -> tuple[float, float]:
    """Return what the axis has to show, as `courseExtent` of the widget does."""
    if len(curves) == 1:
        return _least_and_most(columns)
    accepted = run.accepted
    masked = [np.where(accepted, column, np.nan) for column in columns]

    def of(spans: Sequence[tuple[int, int]]) -> tuple[float, float]:
        return _least_and_most([column[start:stop] for column in masked for start, stop in spans])

    story = [(curve.start, curve.stop) for curve in curves if curve.kind == "story"]
    others = [(curve.start, curve.stop) for curve in curves if curve.kind == "fit"]
    low, high = of([*story, *((curve.best, curve.best + 1) for curve in curves if curve.kind == "fit")])
    least, most = of([*story, *others])
    if not low < high:
        return least, most
    if log and low > 0 and high / low > LOG_FROM:
        return max(least, low * low / high), min(most, high * high / low)
    return max(least, low - (high - low)), min(most, high + (high - low))


def _least_and_most(columns: Sequence[Column]) -> tuple[float, float]:
    finite = [column[np.isfinite(column)] for column in columns]
    finite = [column for column in finite if len(column)]
    return min((float(c.min()) for c in finite), default=np.inf), max((float(c.max()) for c in finite), default=-np.inf)
