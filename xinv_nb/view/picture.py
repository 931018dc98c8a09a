"""The picture of a run, or of several compared, as a PNG."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

from xinv_nb.recorded.run import RecordedRun

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 100
_COLOURS = 48


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


def record_picture(run: RecordedRun) -> bytes:
    """Return the picture of the record that stays in a notebook: what changed, without what the gradient asked."""
    from xinv_nb.view.figure import draw

    return as_png(draw(run, with_gradients=False))


def above_the_words(png: bytes, run: RecordedRun) -> bytes:
    """Return a picture of a run without its words, for where these stand as text below it."""
    from PIL import Image

    from xinv_nb.view.figure import share_of_plots

    buffer = io.BytesIO()
    picture = Image.open(io.BytesIO(png))
    picture.crop((0, 0, picture.width, round(picture.height * share_of_plots(run)))).save(buffer, "png", optimize=True)
    return buffer.getvalue()
