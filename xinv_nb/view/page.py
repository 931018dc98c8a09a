"""The run as one self-contained interactive page: the widget's own front end with the data inside, no network."""

from __future__ import annotations

import base64
import zlib
from html import escape
from pathlib import Path

from xinv_nb.run import Run
from xinv_nb.view import packets
from xinv_nb.view.head import Writer
from xinv_nb.view.record import as_text
from xinv_nb.view.widget import bundle, widget_of

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
<script type="text/plain" id="front-end">{code}</script>
<script type="text/plain" id="data">{data}</script>
<script type="module">
const text = (id) => document.getElementById(id).textContent;
const url = URL.createObjectURL(new Blob([decode(text("front-end"))], {{ type: "text/javascript" }}));
const {{ mountStatic }} = await import(url);
const deflated = new Blob([decode(text("data"))]).stream().pipeThrough(new DecompressionStream("deflate"));
const packet = new Uint8Array(await new Response(deflated).arrayBuffer());
const root = document.getElementById("run");
root.replaceChildren();
mountStatic(root, packet);
function decode(base64) {{ return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)); }}
</script></body></html>
"""


def write_page(run: Run, path: Path) -> Path:
    """Write the page of `run` to `path`; returns the path."""
    path.write_text(as_page(run), encoding="utf-8")
    return path


def as_page(run: Run) -> str:
    """Return the page of `run`."""
    widget = widget_of(run)
    widget.draw_frames()
    data = packets.snapshot(run, packets.Sent(), Writer(), widget.frames.values())
    return _PAGE.format(
        title=escape(run.title),
        text=escape(as_text(run)),
        code=base64.b64encode(bundle().encode()).decode(),
        data=base64.b64encode(zlib.compress(data, 9)).decode(),
    )
