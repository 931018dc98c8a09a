"""Characters that no file, no browser and no terminal takes."""

from __future__ import annotations

import re

_HALVES = re.compile("[\ud800-\udfff]")


def whole(text: str) -> str:
    r"""Return a text with U+FFFD in the place of halves of characters, which no encoding knows.

    They come from file names, from a cut in the middle of an emoji, from broken input of any kind.

    >>> whole("a\ud800b") == "a\ufffdb", whole("Höhe")
    (True, 'Höhe')
    """
    return text if text.isascii() else _HALVES.sub("\ufffd", text)
