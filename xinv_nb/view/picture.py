"""The picture of a run, or of several compared, as a PNG."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

from xinv_nb.recorded.run import RecordedRun

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 100
_COLOURS = 64


def picture(run: RecordedRun) -> bytes:
    """Return the figure of the run as a PNG."""
    from xinv_nb.view.figure import draw

    return as_png(draw(run))


def as_png(figure: Figure) -> bytes:
    """Return a figure as a PNG in few colours: it lies in each notebook twice."""
    from PIL import Image

    from xinv_nb.view.scene import in_few_colours

    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the layout: the reader of the notebook can do nothing about them
        figure.savefig(buffer, format="png", dpi=_DPI)
    return in_few_colours(Image.open(buffer).convert("RGB"), _COLOURS)
