"""The front end's code, and how it travels: deflated, since each widget, page and record carries it."""

from __future__ import annotations

import base64
import zlib
from functools import cache
from pathlib import Path

from xinv_nb.errors import XinvError

_BUNDLE = Path(__file__).parent.parent / "static" / "widget.js"

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%,()*+-;./=?@^_:{|}~"
"""Of base 85, without what JSON, JavaScript or HTML would write in more than one letter."""
_TO_LETTERS = str.maketrans("&<=>`", ",./=:")

INFLATE = (
    f"const letters = {_LETTERS!r};"
    """
function inflate(text) {
  const view = new DataView(new ArrayBuffer(Math.ceil(text.length / 5) * 4));
  for (let i = 0; i < text.length; i += 5) {
    let n = 0;
    for (let j = i; j < i + 5; j++) n = 85 * n + (j < text.length ? letters.indexOf(text[j]) : 84);
    view.setUint32((i / 5) * 4, n);
  }
  const bytes = view.buffer.slice(0, Math.floor((text.length * 4) / 5));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate")));
}
async function load(text) {
  const url = URL.createObjectURL(new Blob([await inflate(text).text()], { type: "text/javascript" }));
  try { return await import(url); } finally { URL.revokeObjectURL(url); }
}
"""
)
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
    """Return the front end's code deflated, as text."""
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
    """Return bytes deflated, as text: four of them in five letters, a sixteenth less than base64."""
    return base64.b85encode(zlib.compress(content, 9)).decode().translate(_TO_LETTERS)
