"""Several runs in one matplotlib figure, made without pyplot: a line a run in each plot, the differences in words."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from xinv_nb.facts.counting import noun_of_all
from xinv_nb.facts.differences import names_of
from xinv_nb.language.quantities import with_unit
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.view.compare import comparison_story, quantities_of, title_of
from xinv_nb.view.curves import thinned
from xinv_nb.view.figure import INK, bare, plain
from xinv_nb.view.palette import COLOURS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_PLOTS = 4
_LINE = 0.19
_STYLES = ("-", "--", "-.", ":")
"""Never colour alone."""


def draw_comparison(runs: Sequence[RecordedRun]) -> Figure:
    """Draw the loss of each run, and what they have in common, over the iterations.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record("one") as one, xi.record("other") as other:
    ...     pass
    >>> len(draw_comparison([one, other]).subfigs)
    2
    """
    from matplotlib.figure import Figure

    quantities = quantities_of(runs)[:_MOST_PLOTS]
    words = textwrap.wrap(comparison_story(runs).captions[0].text, 150)
    heights = [1.6, *[1.1] * (len(quantities) - 1)]
    plots, text = 0.9 + sum(heights), _LINE * len(words)
    figure = Figure(figsize=(10, plots + text), layout="constrained", facecolor="white")
    rows: Any = figure.subfigures(2, 1, height_ratios=[plots, text])
    axes: Any = rows[0].subplots(len(quantities), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    names = names_of(runs)
    for number, (ax, (label, unit, by_run)) in enumerate(zip(axes, quantities, strict=True)):
        drawn = [np.empty(0)]
        for place, column in by_run.items():
            values = column(np.arange(runs[place].evaluations))
            drawn.append(values)
            style = {"color": COLOURS[place % len(COLOURS)], "linestyle": _STYLES[place % len(_STYLES)]}
            ax.plot(*thinned(values), linewidth=1.6, label=plain(names[place]), **style)
        finite = np.concatenate(drawn)
        finite = finite[np.isfinite(finite)]
        if number == 0 and len(finite) and finite.min() > 0 and finite.max() / finite.min() > 50:
            ax.set_yscale("log")
        ax.set_ylabel(plain(with_unit(label, f"[{unit}]" if unit else "")), fontsize=9, color=INK)
        bare(ax)
    rows[0].suptitle(plain(title_of(runs)), x=0.01, ha="left", fontsize=11, fontweight="bold", color=INK)
    axes[0].legend(fontsize=8, frameon=False, ncols=min(len(runs), 4), loc="lower right", bbox_to_anchor=(1, 1))
    axes[-1].set_xlabel(noun_of_all(runs), fontsize=8, color=INK)
    rows[1].text(0.01, 0.98, plain("\n".join(words)), va="top", ha="left", fontsize=8.5, color=INK, linespacing=1.45)
    return figure
