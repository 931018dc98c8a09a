"""The record of a run that stays in the notebook: picture and explanation, readable with no kernel.

It is an output of its own: a widget's output shows nothing but an error once the kernel is gone. While the live widget
stands, its front end folds the record to one line; when the widget is gone, nothing folds it any more. The bundle holds
HTML (Jupyter, GitHub), PNG (PDF), Markdown and plain text of the same story.
"""

from __future__ import annotations

import base64
import io
import warnings
from html import escape

from xinv_nb.run import Caption, Run
from xinv_nb.view.head import state_in_words

_DPI = 100


def record_bundle(run: Run) -> dict[str, str]:
    """Return the record as a MIME bundle for `IPython.display.display(..., raw=True)`."""
    png = base64.b64encode(picture(run)).decode()
    return {
        "text/html": as_html(run, png),
        "text/markdown": as_markdown(run),
        "image/png": png,
        "text/plain": as_text(run),
    }


def picture(run: Run) -> bytes:
    """Return the figure of the run as a PNG."""
    from xinv_nb.view.figure import draw

    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the layout: the reader of the notebook can do nothing about them
        draw(run).savefig(buffer, format="png", dpi=_DPI)
    return _with_few_colours(buffer)


def _with_few_colours(png: io.BytesIO) -> bytes:
    """Return the picture with a palette: the notebook holds it twice, and lines and letters need no more colours."""
    from PIL import Image  # matplotlib writes its pictures with it

    smaller = io.BytesIO()
    Image.open(png).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(smaller, "PNG", optimize=True)
    return min(png.getvalue(), smaller.getvalue(), key=len)


def as_markdown(run: Run) -> str:
    """Return the explanation as Markdown."""
    blocks = [f"**{_markdown(run.title)}** · {_markdown(state_in_words(run)[1])}"]
    blocks += [f"**{_markdown(_heading(caption))}**  \n{_markdown(caption.text)}" for caption in run.captions]
    return "\n\n".join(blocks)


def as_text(run: Run) -> str:
    """Return the explanation as plain text."""
    blocks = [f"{run.title} · {state_in_words(run)[1]}"]
    blocks += [f"{_heading(caption)}\n{caption.text}" for caption in run.captions]
    return "\n\n".join(blocks)


def as_html(run: Run, png: str) -> str:
    """Return the record as HTML without scripts: a line that the widget can fold it to, the picture, the text."""
    title = f"{run.title} · {state_in_words(run)[1]}"
    story = "".join(
        f"<p><strong>{escape(_heading(c))}</strong><br>{escape(c.text)}"
        f'<br><small style="opacity:.75">{escape(c.status)}</small></p>'
        for c in run.captions
    )
    selector = f"[data-xinv-record='{run.id}']"
    # Without its kernel JupyterLab writes a bare "Loading widget..." or "model not found" where the widget was, above a
    # record that tells the story. A widget that lives has elements inside; this one has none.
    orphan = (
        f".jp-OutputArea-child:first-child:has(~ .jp-OutputArea-child {selector}) > "
        ".jp-OutputArea-output.lm-Panel:not(:has(*))"
    )
    return (
        f'<details open data-xinv-record="{run.id}"><summary>Record of this run: {escape(title)}</summary>'
        f"<style>{orphan}{{display:none}}</style>"
        f'<img alt="{escape(title)}: loss, parameters and gradients over the iterations" '
        f'style="max-width:100%;background:#fff" src="data:image/png;base64,{png}">{story}</details>'
    )


def _heading(caption: Caption) -> str:
    return f"{caption.heading} (iterations {caption.span[0]}–{caption.span[1]})"


def _markdown(text: str) -> str:
    """Escape what Markdown would take for markup."""
    for mark in "\\`*_[]<>#":
        text = text.replace(mark, f"\\{mark}")
    return text
