"""Pictures of the simulation, drawn by the user's `scene(ax, x)` on a figure of our own, never through pyplot."""

from __future__ import annotations

import io
import logging
import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from xinv_nb.errors import keep_to_itself, told
from xinv_nb.facts.analysis import phases_of, shown_parts, story_span
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.view.palette import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from PIL import Image

_log = logging.getLogger(__name__)

WIDTH, HEIGHT = 560, 300
"""Size of a picture in CSS pixels; it is drawn with twice as many for sharp screens."""
_CSS_DPI = 96
_GHOST_ALPHA = 0.3
_EVENLY = 25
"""Pictures spread evenly over a run."""


@dataclass(frozen=True)
class Frame:
    """The scene at one iteration as a PNG, or why it could not be drawn."""

    iteration: int
    png: bytes = b""
    width: int = WIDTH
    height: int = HEIGHT
    error: str = ""


def draw_frame(run: RecordedRun, iteration: int, *, scale: int = 2) -> Frame:
    """Draw the scene at `iteration` over a ghost of the first; an error of the user's function becomes the frame's."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / _CSS_DPI, HEIGHT / _CSS_DPI), dpi=_CSS_DPI * scale, layout="constrained")
    try:
        draw_scene(figure.add_subplot(), run, iteration)
        buffer = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            figure.savefig(buffer, format="png", transparent=True)
    except BaseException as error:  # noqa: BLE001 - the user's drawing may fail in any way; the run goes on
        keep_to_itself(error)
        _log.debug("The scene could not be drawn at iteration %d.", iteration, exc_info=True)
        return Frame(iteration, error=f"The scene could not be drawn: {told(error)}")
    return Frame(iteration, buffer.getvalue())


def smaller(frame: Frame, *, scale: int = 2, colours: int = 128) -> Frame:
    """Return a frame for files: in few colours, which no drawing of lines misses, at `scale` times its size."""
    from PIL import Image

    picture: Image.Image = Image.open(io.BytesIO(frame.png))
    if scale * frame.width < picture.width:
        picture = picture.resize((scale * frame.width, scale * frame.height), Image.Resampling.LANCZOS)
    return replace(frame, png=in_few_colours(picture, colours))


def in_few_colours(picture: Image.Image, colours: int) -> bytes:
    """Return a picture as a PNG with a palette: about a quarter of the bytes."""
    from PIL import Image

    buffer = io.BytesIO()
    few = picture.quantize(colours, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def iterations_worth_drawing(run: RecordedRun) -> list[int]:
    """Return first, last, phase borders and evenly between of what is told of, the most telling first."""
    first, last = story_span(run)
    borders = [min(phase.stop, last) for phase in phases_of(run)]
    evenly = [first + round(i * (last - first) / (_EVENLY - 1)) for i in range(_EVENLY)]
    return list(dict.fromkeys([first, last, *borders, *evenly[::2], *evenly[1::2]]))


def warm_up() -> None:
    """Load what drawing needs, so that the first picture of a live run is not the slow one."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1, 1))
    figure.text(0, 0, "A")
    figure.savefig(io.BytesIO(), format="png")


def draw_scene(ax: Axes, run: RecordedRun, iteration: int) -> None:
    """Draw the scene at `iteration` on `ax`, the first iteration of its fit ghosted behind it."""
    scene = run.scene
    if scene is None:
        raise LookupError("this run has no scene")
    with _random_numbers_untouched(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the drawing, not of the user's computation
        ax.set_prop_cycle(color=COLOURS)  # a scene that draws its parameters in order draws them in the plots' colours
        if iteration != (start := _start_of(run, iteration)):
            scene(ax, run.point(start))
            _make_ghost(ax)
        scene(ax, run.point(iteration))


def _start_of(run: RecordedRun, iteration: int) -> int:
    """Return where the fit of an iteration began; of a run that goes on, where the run did: it is drawn often."""
    if run.status == "running":
        return 0
    parts = shown_parts(run)
    first, stop = parts.story
    if first <= iteration < stop:
        return first
    return next((part.start for part in parts.stretches if part.start <= iteration < part.stop), 0)


def _make_ghost(ax: Axes) -> None:
    """Fade what has been drawn so far; words are left to the scene in front."""
    for artist in (*ax.lines, *ax.patches, *ax.collections, *ax.images):
        artist.set_alpha(_GHOST_ALPHA * (artist.get_alpha() or 1.0))
        artist.set_label("_ghost")
    for text in list(ax.texts):
        text.remove()
    ax.set_prop_cycle(color=COLOURS)


@contextmanager
def _random_numbers_untouched() -> Iterator[None]:
    """Keep the scene from moving the random numbers of the user's computation on."""
    state: Any = np.random.get_state()  # noqa: NPY002 - the state of the user's legacy generator
    own = random.getstate()
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002
        random.setstate(own)
