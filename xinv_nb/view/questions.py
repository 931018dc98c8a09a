"""Which question each kind of fact answers: the view shows facts under their questions."""

from __future__ import annotations

from collections.abc import Iterable

from xinv_nb.facts.kind import Question
from xinv_nb.facts.kinds import all_kinds
from xinv_nb.view import protocol


def questions() -> list[tuple[str, list[str]]]:
    """Return the questions in the order in which they are shown, each with the kinds of facts that answer it."""
    kinds = all_kinds()
    return [(each.value, [kind.name for kind in kinds if kind.question is each]) for each in Question]


def fact_groups(facts: Iterable[protocol.Fact]) -> list[protocol.FactGroup]:
    """Return the questions that these facts answer."""
    told = {fact["kind"] for fact in facts}
    answered = [(question, [kind for kind in kinds if kind in told]) for question, kinds in questions()]
    return [{"question": question, "kinds": kinds} for question, kinds in answered if kinds]
