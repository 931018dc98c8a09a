"""Which names of the domain a text mentions."""

from __future__ import annotations

import re
from collections.abc import Iterable

from xinv_nb.recorded.run import RecordedRun


def subjects_of(run: RecordedRun) -> dict[str, str]:
    """Return the names under which a reader may ask for a parameter or a quantity, with the name it goes by.

    >>> subjects_of(RecordedRun())
    {}
    """
    subjects: dict[str, str] = {}
    for entry in run.entries():
        for name in (entry.group, entry.name, entry.label):
            subjects.setdefault(name, entry.name)
    return {name: name for name in run.history.sums.own} | subjects | {name: name for name in run.history.watches}


def mentioned_in(text: str, names: Iterable[str]) -> set[str]:
    """Return those of some names that a text mentions; "north[0]" is no question about all of "north".

    >>> mentioned_in("Why did gain rise?", ["gain", "drift"])
    {'gain'}
    """
    found = {name for name in names if mentions(text, name)}
    return {name for name in found if not any(name != other and name in other for other in found)}


def mentions(text: str, name: str) -> bool:
    """Whether a text contains a name as a word; a name of one letter in its own case, and not the article.

    >>> mentions("exit", "x"), mentions("What about x?", "x")
    (False, True)
    """
    if not name.strip():
        return False
    if name in ("a", "A", "I"):
        quoted = rf"[`'\"“‘]{name}[`'\"”’]"
        return re.search(rf"{quoted}|\b(?:parameter|variable|did|does|is|was|of) {name}\b", text) is not None
    flags = re.IGNORECASE if len(name) > 2 else 0
    bare = re.sub(r"^(?:the|an?) ", "", name)
    return re.search(rf"(?<![\w.]){re.escape(bare)}(?!\w|\[)", text, flags) is not None
