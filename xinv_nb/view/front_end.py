"""The front end's code, and how it travels: deflated, since each widget, page and record carries it."""

from __future__ import annotations

import base64
import zlib
from functools import cache
from pathlib import Path

from xinv_nb.errors import XinvError

_BUNDLE = Path(__file__).parent.parent / "static" / "widget.js"

INFLATE = """\
function inflate(base64) {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate")));
}
async function load(base64) {
  const url = URL.createObjectURL(new Blob([await inflate(base64).text()], { type: "text/javascript" }));
  try { return await import(url); } finally { URL.revokeObjectURL(url); }
}
"""
"""JavaScript that turns what `encoded` returns into bytes, text or a module."""


@cache
def bundle() -> str:
    """Return the front end's code, as text: a path would keep every widget alive (anywidget#929)."""
    if not _BUNDLE.exists():
        raise XinvError(
            f"The front end is missing ({_BUNDLE.name}). This is a source tree that was never built: "
            "run `npm ci && npm run build` in js/, or install the package with pip or uv, which builds it."
        )
    return _BUNDLE.read_text(encoding="utf-8")


@cache
def encoded_bundle() -> str:
    """Return the front end's code deflated, as base64."""
    return encoded(bundle().encode())


@cache
def widget_module() -> str:
    """Return the module that a widget carries: it inflates the front end when a browser opens the first widget.

    The others share it. A browser keeps each module that it has loaded until the page is left, and what it has compiled
    of it: of a cell that is run a hundred times, a hundred.
    """
    key = f"xinv_nb {zlib.crc32(bundle().encode()):08x}"
    return f"""\
{INFLATE}const key = Symbol.for("{key}");
const fail = (error) => {{ delete globalThis[key]; throw error; }};
export default async () => (await (globalThis[key] ??= load("{encoded_bundle()}").catch(fail))).default();
"""


def encoded(content: bytes) -> str:
    """Return bytes deflated, as base64."""
    return base64.b64encode(zlib.compress(content, 9)).decode()
