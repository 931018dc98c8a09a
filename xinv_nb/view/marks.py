"""Numbers and names of the domain within a text, which the view sets off."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xinv_nb.recorded.run import RecordedRun
from xinv_nb.view import protocol


def names_to_mark(run: RecordedRun) -> list[str]:
    """Return the names of the domain that stand out in a caption."""
    return [*(entry.label for entry in run.entries()), *run.history.watches]


def _longest_first(names: Sequence[str]) -> list[str]:
    return sorted(filter(None, names), key=len, reverse=True)


def marked(text: str, names: Sequence[str]) -> list[protocol.Part]:
    """Split a text into runs of plain words, numbers with their unit, and names of the domain.

    >>> [part["kind"] for part in marked("Drag fell to 0.5", ["drag"])]
    ['name', 'text', 'number']
    """
    # A sentence may begin with a name.
    starts = (f"(?:{re.escape(n[0])}|{re.escape(n[0].upper())}){re.escape(n[1:])}" for n in _longest_first(names))
    known = "|".join(starts)
    number = r"[−-]?\d[\d.,]*\d(?:×10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?(?:\s%)?|[−-]?\d(?:×10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?(?:\s%)?"
    pattern = re.compile(
        rf"(?P<name>(?<!\w)(?:{known})(?!\w))|(?P<number>(?<!\w){number})" if known else rf"(?P<number>{number})"
    )
    parts: list[protocol.Part] = []
    end = 0
    for match in pattern.finditer(text):
        if match.start() > end:
            parts.append({"text": text[end : match.start()], "kind": "text"})
        parts.append({"text": match.group(), "kind": "name" if match.lastgroup == "name" else "number"})
        end = match.end()
    if end < len(text):
        parts.append({"text": text[end:], "kind": "text"})
    return parts
