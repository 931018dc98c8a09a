"""The run as one matplotlib figure, made without pyplot: loss, parameters, gradients, scene, summary in words."""

from __future__ import annotations

import logging
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from xinv_nb.errors import told
from xinv_nb.facts.analysis import phases_of, story_span
from xinv_nb.facts.counting import noun_of
from xinv_nb.facts.measures.objective import name_of_loss
from xinv_nb.language.quantities import with_unit
from xinv_nb.recorded.columns import WatchColumns
from xinv_nb.recorded.entries import Entry
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.view.curves import STRETCHES, Column, Curve, curves_of, draw_column, rows_of, set_scale
from xinv_nb.view.palette import COLOURS, WATCHED
from xinv_nb.view.watched import by_evaluation, drawn_watches
from xinv_nb.words.narrator import captions_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_log = logging.getLogger(__name__)

INK, _MUTED, _GRID = "#1f2430", "#626b80", "#e6e8ee"
_MOST_SERIES = 8
_WATCHED_HEIGHT = 0.85
_LEGEND_COLUMNS = 4
_PALE = 0.4
_LEGEND_HEIGHT = 0.18
_LINE = 0.19
"""Height of a line of words (inches)."""


def draw(run: RecordedRun, *, with_words: bool = True, with_gradients: bool = True) -> Figure:
    """Draw `run`: loss and parameters over the iterations with the phases behind them, gradient strips, the scene.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record("empty") as run:
    ...     pass
    >>> type(draw(run)).__name__
    'Figure'
    """
    from matplotlib.figure import Figure

    entries = run.entries()[:_MOST_SERIES]
    has_scene = run.scene is not None
    words = _words(run) if with_words else []
    watches = drawn_watches(run)
    legend_rows = -(-len(entries) // _LEGEND_COLUMNS)
    plots = _plots_height(run, entries)
    height = plots + _LINE * len(words)
    figure = Figure(figsize=(10, height), layout="constrained", facecolor="white")
    figure.get_layout_engine().set(h_pad=0.06, w_pad=0.06)  # type: ignore[union-attr,call-arg]
    rows: Any = figure.subfigures(2, 1, height_ratios=[plots, max(_LINE * len(words), 0.01)])
    columns: Any = rows[0].subfigures(1, 2, width_ratios=[1.25, 1]) if has_scene else [rows[0]]
    if run.evaluations == 0:
        columns[0].text(0.5, 0.5, "nothing recorded", ha="center", color=_MUTED)
        return figure
    with_gradients = with_gradients and run.has_gradients and bool(entries)
    strips = 0.16 * max(len(entries), 1) if with_gradients else 0.16
    ratios = [1.4, _LEGEND_HEIGHT * max(legend_rows, 1), 1.4, *[0.62] * len(watches), strips]
    loss, names, values, *watched, gradients = columns[0].subplots(len(ratios), 1, sharex=True, height_ratios=ratios)
    curves = curves_of(run)
    for ax, (name, watch) in zip(watched, watches.items(), strict=True):
        _draw_watched(ax, run, curves, name, watch)
    _draw_loss(loss, run, curves)
    if entries:
        _draw_values(values, run, curves, entries)
        _draw_legend(names, values, len(entries))
    else:
        names.set_axis_off()
        values.set_axis_off()
    if with_gradients:
        _draw_gradients(gradients, run, curves, entries)
    else:
        gradients.set_axis_off()
        last = watched[-1] if watched else values if entries else loss
        last.tick_params(labelbottom=True)
        last.set_xlabel(noun_of(run), fontsize=7.5, color=_MUTED)
        loss.margins(x=0)
    columns[0].suptitle(plain(run.title), x=0.01, ha="left", fontsize=11, fontweight="bold", color=INK)
    if has_scene:
        _draw_scene(columns[1].subplots(), run)
    rows[1].text(0.01, 0.98, plain("\n".join(words)), va="top", ha="left", fontsize=8.5, color=INK, linespacing=1.45)
    return figure


def share_of_plots(run: RecordedRun) -> float:
    """Return which share of the figure's height is above its words.

    >>> share_of_plots(RecordedRun())
    1.0
    """
    plots = _plots_height(run, run.entries()[:_MOST_SERIES])
    return plots / (plots + _LINE * len(_words(run)))


def _plots_height(run: RecordedRun, entries: Sequence[Entry]) -> float:
    rows = -(-len(entries) // _LEGEND_COLUMNS)
    return 4.6 + _WATCHED_HEIGHT * len(drawn_watches(run)) + _LEGEND_HEIGHT * rows


def _words(run: RecordedRun) -> list[str]:
    if run.evaluations == 0:
        return []
    return [line for caption in captions_of(run)[:1] for line in textwrap.wrap(caption.text, 150)]


def bare(ax: Axes) -> None:
    """Take away what carries no data."""
    ax.spines[["top", "right", "left", "bottom"]].set_visible(False)
    ax.tick_params(length=0, colors=_MUTED, labelsize=8)
    ax.grid(axis="y", color=_GRID, linewidth=0.8)
    ax.set_axisbelow(True)


def _bands(ax: Axes, run: RecordedRun) -> None:
    for i, phase in enumerate(phases_of(run)):
        if i % 2:
            ax.axvspan(phase.start, min(phase.stop, run.evaluations - 1), color="#f2f4f8", zorder=0)


def _draw_loss(ax: Axes, run: RecordedRun, curves: Sequence[Curve]) -> None:
    set_scale(ax, run, curves, [run.loss], log=True)
    draw_column(ax, run, curves, run.loss, INK, 1.6)
    name, unit = name_of_loss(run)
    ax.set_ylabel(plain(with_unit(name, f"[{unit}]" if unit else "")), fontsize=9, color=INK)
    bare(ax)
    _bands(ax, run)
    last = run.evaluations - 1
    _name_fits(ax, curves, last)
    for phase in phases_of(run) if last > 0 else []:
        middle = (phase.start + min(phase.stop, last)) / 2
        if min(phase.stop, last) - phase.start > 0.1 * last:
            ax.annotate(
                phase.label, (middle, 1.01), xycoords=("data", "axes fraction"), ha="center", fontsize=7.5, color=_MUTED
            )


def _name_fits(ax: Axes, curves: Sequence[Curve], last: int) -> None:
    """Say above the phases which fit is where, as far as there is room, and which one is told of."""
    for curve in curves if len(curves) > 1 else []:
        width = (curve.stop - 1 - curve.start) / last
        is_told = curve.kind == "story"
        names = [name for name, room in ((curve.name, 0.06), (curve.name.removeprefix("fit "), 0.02)) if width > room]
        if names or is_told:
            ax.annotate(
                (names or [curve.name])[0],
                ((curve.start + curve.stop - 1) / 2, 1.1),
                xycoords=("data", "axes fraction"),
                ha="center",
                fontsize=7.5,
                color=INK if is_told else _MUTED,
                fontweight="bold" if is_told else "normal",
            )


def _draw_values(ax: Axes, run: RecordedRun, curves: Sequence[Curve], entries: list[Entry]) -> None:
    set_scale(ax, run, curves, [run.column(entry) for entry in entries], log=False)
    for entry, colour in zip(entries, COLOURS, strict=False):
        draw_column(ax, run, curves, run.column(entry), colour, 1.5, plain(entry.label))
        if entry.parameter.truth is not None:
            ax.axhline(entry.parameter.truth, color=colour, linewidth=0.8, linestyle="--")
    units = {entry.parameter.unit for entry in entries} - {""}
    ax.set_ylabel(plain(f"[{units.pop()}]") if len(units) == 1 else "parameters", fontsize=9, color=INK)
    bare(ax)
    _bands(ax, run)


def _draw_legend(ax: Axes, of: Axes, count: int) -> None:
    """Name the lines of `of` on axes of their own, exactly as wide: long names may not squeeze the plots."""
    ax.set_axis_off()
    legend = ax.legend(
        *of.get_legend_handles_labels(), fontsize=6.5, frameon=False, ncols=min(_LEGEND_COLUMNS, count), mode="expand",
        loc="center", bbox_to_anchor=(0, 0, 1, 1), borderaxespad=0, handlelength=1.4, labelspacing=0.3,
    )  # fmt: skip
    legend.set_in_layout(False)


def _draw_watched(ax: Axes, run: RecordedRun, curves: Sequence[Curve], name: str, watch: WatchColumns) -> None:
    """Draw a quantity as a line; of several numbers in an evaluation, the band from the least to the largest."""
    low, high, _ = by_evaluation(watch, np.arange(run.evaluations))
    set_scale(ax, run, curves, [low, high], log=False)
    draw_column(ax, run, curves, low, WATCHED, 1.3)
    if bool((high > low).any()):
        draw_column(ax, run, curves, high, WATCHED, 1.3)
        for curve in curves:
            at, bottom = rows_of(run, curves, curve, low)
            top = rows_of(run, curves, curve, high)[1]
            if curve.kind != "look":
                ax.fill_between(at, bottom, top, color=WATCHED, alpha=0.25, linewidth=0)
    ax.set_title(plain(with_unit(name, f"[{watch.unit}]" if watch.unit else "")), loc="left", fontsize=7.5, color=INK)
    bare(ax)
    _bands(ax, run)


def _draw_gradients(ax: Axes, run: RecordedRun, curves: Sequence[Curve], entries: list[Entry]) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    rows = np.array([_strongest(_scaled(run.column(entry, "gradients"), curves)) for entry in entries])
    sizes = [i for i, entry in enumerate(entries) if entry.statistic]  # no sign: drawn in grey
    greys = np.full_like(rows, np.nan)
    greys[sizes], rows[sizes] = rows[sizes], np.nan
    colours: Any = LinearSegmentedColormap.from_list("sign", ["#0072b2", "#ffffff", "#d55e00"])
    last = max(run.evaluations - 1, 1)
    extent = (0, last, len(entries), 0)
    for strips, shades, least in ((rows, colours, -1), (greys, "Greys", 0)):
        ax.imshow(strips, aspect="auto", cmap=shades, vmin=least, vmax=1, extent=extent, interpolation="nearest")
    ax.set_yticks(np.arange(len(entries)) + 0.5, [plain(entry.label) for entry in entries])
    bare(ax)
    ax.tick_params(axis="y", labelsize=6.5)
    ax.grid(visible=False)
    signs = (
        "size of the gradient" if len(sizes) == len(entries) else "gradient, blue where negative, orange where positive"
    )
    ax.set_xlabel(f"{noun_of(run)}  ·  strips: {signs}", fontsize=7.5, color=_MUTED)


def plain(text: str) -> str:
    """Keep matplotlib from taking dollar signs in a name for mathematics."""
    return text.replace("$", r"\$")


def _strongest(column: Column) -> Column:
    """Return the entry of largest size of each stretch of a long column."""
    if len(column) <= 2 * STRETCHES:
        return column
    starts = np.linspace(0, len(column), STRETCHES + 1).astype(int)[:-1]
    least, largest = np.minimum.reduceat(column, starts), np.maximum.reduceat(column, starts)
    return np.where(-least > largest, least, largest)


def _scaled(column: Column, curves: Sequence[Curve]) -> Column:
    """Return a gradient by sign and square root of its size, so that late small ones are still seen.

    It is measured by the largest of the fit that is told of; what is of none or of another is pale.
    """
    finite = np.where(np.isfinite(column), column, 0.0)
    told = next(slice(curve.start, curve.stop) for curve in curves if curve.kind == "story")
    largest = float(np.abs(finite[told]).max()) or 1.0
    scaled = np.sign(finite) * np.sqrt(np.minimum(np.abs(finite) / largest, 1.0))
    pale: Column = np.full(len(scaled), _PALE)
    pale[told] = 1.0
    return np.asarray(scaled * pale)


def _draw_scene(ax: Axes, run: RecordedRun) -> None:
    from xinv_nb.view.scene import draw_scene

    try:
        draw_scene(ax, run, story_span(run)[1])
    except Exception as error:  # noqa: BLE001 - the user's drawing may fail in any way
        _log.debug("The scene could not be drawn.", exc_info=True)
        ax.clear()
        ax.set_axis_off()
        ax.text(0.5, 0.5, plain(f"The scene could not be drawn:\n{told(error)}"), ha="center", fontsize=8)
