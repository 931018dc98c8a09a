"""The record of a run, or of several compared, that stays in the notebook: readable with no kernel.

It is an output of its own: a widget's output shows nothing but an error once the kernel is gone. While the live widget
stands, its front end folds the record to one line; when the widget is gone, nothing folds it any more. The bundle holds
HTML (Jupyter, GitHub), PNG (PDF), Markdown and plain text of the same story; within the HTML a page waits that scrubs
without a kernel, where the notebook is trusted to run it. What a host removes (frames, styles) the rest can do without.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

from xinv_nb.recorded.run import RecordedRun
from xinv_nb.view import packets
from xinv_nb.view.compare import comparison, comparison_story, title_of
from xinv_nb.view.frames import frames_of
from xinv_nb.view.page import page_of, snapshot_to_keep
from xinv_nb.view.picture import above_the_words, as_png, record_picture
from xinv_nb.view.scene import Frame, smaller
from xinv_nb.view.story import Story, as_markdown, as_text, heading, story_of

_PAGE = packets.Detail(all_entries=False, bytes=10_000, events=120, pushes=6_000, exact=False, deflated=True)
"""What the page in the record shows of a run: with the front end and the pictures it has to stay small."""
_MOST_ROWS_COMPARED = 400
_BYTES_OF_FRAMES = 11_000
_UNFOLD = (
    "const f=this.querySelector('iframe'),"
    "t=()=>f.isConnected?f.contentWindow.postMessage(getComputedStyle(f).colorScheme,'*'):this.told.disconnect();"
    "this.told?.disconnect();if(this.open){this.told=new MutationObserver(t);"
    "this.told.observe(document.body,{attributes:true});f.onload=t;f.srcdoc||=f.dataset.page;t()}"
)
"""Runs when the reader unfolds the page of a record, or folds it again.

Only then does the page begin (a browser loads a frame that is folded away, however lazy), and only meanwhile does
something watch the notebook's theme: what watches holds its record in memory, also one that is no longer shown."""


def record_bundle(run: RecordedRun, drawn: bytes | None = None) -> dict[str, str]:
    """Return the record as a MIME bundle for `IPython.display.display(..., raw=True)`; `drawn` is its picture."""
    page = page_of(run.title, "", snapshot_to_keep(run, _frames(run), _PAGE))
    whole = record_picture(run) if drawn is None else drawn
    return _bundle(story_of(run), whole, above_the_words(whole, run), page)


def comparison_bundle(runs: Sequence[RecordedRun]) -> dict[str, str]:
    """Return the record of several runs compared."""
    from xinv_nb.view.overlay import draw_comparison

    page = page_of(title_of(runs), "", comparison(runs, _MOST_ROWS_COMPARED))
    whole = as_png(draw_comparison(runs))
    return _bundle(comparison_story(runs), whole, whole, page)


def _frames(run: RecordedRun) -> list[Frame]:
    """Return the most telling pictures of those that have been drawn, as many as fit."""
    kept: list[Frame] = []
    room = _BYTES_OF_FRAMES
    for frame in frames_of(run).drawn:
        small = smaller(frame, scale=1, colours=32)
        room -= len(small.png)
        if room < 0:
            break
        kept.append(small)
    return kept


def _bundle(story: Story, picture: bytes, above: bytes, page: str) -> dict[str, str]:
    """Return a story with its picture and its page as a MIME bundle; `above`: the picture without its words."""
    return {
        "text/html": _as_html(story, base64.b64encode(above).decode(), page),
        "text/markdown": as_markdown(story),
        "image/png": base64.b64encode(picture).decode(),
        "text/plain": as_text(story),
    }


def _as_html(story: Story, png: str, page: str) -> str:
    """Return the record as HTML without scripts of its own: one line to fold it to, the page, the picture, the text."""
    title = f"{story.title} · {story.state}"
    text = "".join(
        f"<p><strong>{escape(heading(c, story.noun))}</strong><br>{escape(c.text)}"
        f'<br><small style="opacity:.75">{escape(c.status)}</small></p>'
        for c in story.captions
    )
    selector = f"[data-xinv-record='{story.key}']"
    # Without its kernel JupyterLab writes a bare "Loading widget..." or "model not found" where the widget was, above a
    # record that tells the story. A widget that lives has elements inside; this one has none.
    orphan = (
        f".jp-OutputArea-child:first-child:has(~ .jp-OutputArea-child {selector}) > "
        ".jp-OutputArea-output.lm-Panel:not(:has(*))"
    )
    return (
        f'<details open data-xinv-record="{story.key}"><summary>Record of this {story.of}: {escape(title)}</summary>'
        f"<style>{orphan}{{display:none}}</style>{_in_a_frame(story.title, page, selector)}"
        f'<div><img alt="{escape(title)}: over the {story.noun}s, loss and parameters" '
        f'style="max-width:100%;background:#fff" src="data:image/png;base64,{png}">{text}</div></details>'
    )


def _in_a_frame(title: str, content: str, selector: str) -> str:
    """Return the interactive page, which begins when the reader unfolds it, in place of picture and text.

    The frame is a page of its own that cannot reach the notebook, so the notebook has to tell it its theme.
    """
    page = f"{selector} > details"
    rules = (
        f"{page} > iframe{{width:100%;height:min(860px,90vh);border:0;display:block}}"
        f"{page}[open] + div, {page} > iframe + p{{display:none}}"
        f"{page} > summary{{cursor:pointer;margin:.5em 0}}"
        f"[data-jp-theme-light='true'] {page} > iframe{{color-scheme:light}}"
        f"[data-jp-theme-light='false'] {page} > iframe{{color-scheme:dark}}"
        "@media print{" + f"{page}{{display:none}}" + "}"
    )
    return (
        f'<style>{rules}</style><details ontoggle="{_UNFOLD}"><summary>Interactive page</summary>'
        f'<iframe title="{escape(title)}" sandbox="allow-scripts allow-downloads" data-page="{escape(content)}">'
        "</iframe>"
        "<p>It opens in Jupyter once the notebook is trusted (“Trust Notebook” in the command palette or the File "
        "menu).</p></details>"
    )
