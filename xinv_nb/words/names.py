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


def with_coordinates(run: RecordedRun, question: str) -> str:
    """Return a question about a named point as one about its coordinates, or about the one that goes the way it names.

    >>> with_coordinates(RecordedRun(), "Why did the second point go east?")
    'Why did the second point go east?'
    """
    known = {} if run.problem is None else run.problem.parameters
    for name, parameter in known.items():
        point = parameter.name or ""
        if not isinstance(name, str) or not name.endswith("]") or not mentions(question, point):
            continue
        own = [e for e in run.entries() if e.column is not None and e.name.startswith(f"{name[:-1]}, ")]
        ways = [e for e in own if any(mentions_way(question, way) for way in e.parameter.directions or ())]
        if said := " and ".join(entry.label for entry in ways or own):
            bare = re.escape(re.sub(r"^(?:the|an?) ", "", point))
            question = re.sub(rf"(?<![\w.])(?:the |an? )?{bare}(?!\w|\[)", said, question, flags=re.IGNORECASE)
    return question


def with_parts(run: RecordedRun, question: str) -> str:
    """Return a question about a complex parameter, or about a part of it, as one about the names of its parts.

    >>> import autograd.numpy as np
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> with xi.record() as run:
    ...     slope = grad(lambda z: np.abs(z) ** 2)(1 + 2j)
    >>> with_parts(run, "Did the imaginary part of z move?"), with_parts(run, "Where did z end?")
    ('Did Im z move?', 'Where did Re z and Im z end?')
    """
    if run.history.is_real:
        return question
    for entry in run.entries():
        if entry.part != "real":
            continue
        for whole in {entry.label.removeprefix("Re "), entry.name.removeprefix("Re ")}:
            name = rf"(?:the )?{re.escape(re.sub(r'^(?:the|an?) ', '', whole))}(?!\w|\[)"
            for part, short in (("real", "Re"), ("imaginary", "Im")):
                question = re.sub(
                    rf"\b(?:the )?{part} parts? of {name}", f"{short} {whole}", question, flags=re.IGNORECASE
                )
            question = re.sub(rf"(?<![\w.])(?<!Re )(?<!Im ){name}", f"Re {whole} and Im {whole}", question)
    return question


def mentions_way(text: str, way: str) -> bool:
    """Whether a text contains a way to go, as in "further north" or "northwards".

    >>> mentions_way("Why not northwards?", "north")
    True
    """
    return re.search(rf"\b{re.escape(way)}(?:wards?|er)?\b", text, re.IGNORECASE) is not None
