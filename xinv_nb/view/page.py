"""One self-contained interactive page: the widget's own front end with the data inside, no network."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

from xinv_nb.recorded.file.replacing import replacing
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.view import packets
from xinv_nb.view.frames import frames_of
from xinv_nb.view.front_end import INFLATE, encoded, encoded_bundle
from xinv_nb.view.head import Writer
from xinv_nb.view.scene import Frame, smaller
from xinv_nb.view.story import as_text, story_of

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline' blob:; \
style-src 'unsafe-inline'; img-src data: blob:">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
body {{ margin: 1rem auto; max-width: 1200px; padding: 0 1rem; font-family: system-ui, sans-serif }}
</style>
</head><body>
<main>
<h1 style="position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)">{title}</h1>
<div id="run"><pre style="white-space:pre-wrap">{text}</pre></div>
</main>
<script type="module">
// In a frame the notebook tells its theme, which may be before the front end is there.
addEventListener("message", ({{ data }}) => {{
  if (data === "dark" || data === "light") document.documentElement.style.colorScheme = data;
}});
{inflate}
const [{{ mountStatic }}, packet] = await Promise.all([load("{code}"), inflate("{data}").arrayBuffer()]);
const root = document.getElementById("run");
root.replaceChildren();
mountStatic(root, new Uint8Array(packet));
</script></body></html>
"""


def write_page(run: RecordedRun, path: Path) -> Path:
    """Write the page of `run` to `path`; returns the path."""
    page = as_page(run).encode(errors="replace")
    with replacing(path) as file:
        file.write(page)
    return path


def as_page(run: RecordedRun) -> str:
    """Return the page of `run`, with all pictures of the scene."""
    pictures = frames_of(run)
    pictures.draw()
    frames = [smaller(frame) for frame in pictures.drawn]
    return page_of(run.title, as_text(story_of(run)), snapshot_to_keep(run, frames, packets.Detail(deflated=True)))


def snapshot_to_keep(run: RecordedRun, frames: Iterable[Frame], detail: packets.Detail) -> bytes:
    """Return a packet for a reader without a kernel."""
    return packets.snapshot(run, packets.Sent(), Writer(), frames, detail)


def page_of(title: str, text: str, packet: bytes) -> str:
    """Return a page that shows a packet; `text` stands there for readers without JavaScript."""
    return _PAGE.format(
        title=escape(title), text=escape(text), inflate=INFLATE, code=encoded_bundle(), data=encoded(packet)
    )
