"""Facts with a sentence of their own, for tests of what becomes of facts whatever they say."""

from __future__ import annotations

from xinv_nb.facts.fact import Fact


def given(id: str, kind: str, text: str, values: dict, span: tuple[int, int], cites=(), salience: float = 0.0) -> Fact:  # noqa: A002
    """A fact that says `text`, which no bank has."""
    fact = Fact(id, kind, "given", {}, span, tuple(cites), salience, values)
    fact.__dict__["text"] = text  # where the fact keeps its sentence once it was made
    return fact
