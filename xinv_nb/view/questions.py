"""Which question each kind of fact answers: the view shows facts under their questions."""

from __future__ import annotations

from collections.abc import Iterable

from xinv_nb.view import protocol

_QUESTIONS = [
    ("What became of the loss?", ["course", "best", "gap", "phase", "stretch", "largest drop", "largest rise"]),
    ("What happened in the simulation?", ["event", "trend", "coincidence", "watch"]),
    ("What moved, when, how far?", ["movement", "order", "turning", "swing", "path", "bound", "idle"]),
    (
        "What did the gradient ask, and was it obeyed?",
        ["asked", "pull", "crossing", "conflict", "balance", "vanishing", "exploding"],
    ),
    ("What earned the fall?", ["credit", "drop", "terms"]),
    ("How fast?", ["convergence", "gain", "trials", "steps", "steepest"]),
    ("Is the answer determined?", ["identifiability"]),
    ("Why did it end, and what next?", ["ending", "gradient", "minimum", "truth", "advice"]),
    ("What sets these runs apart?", ["difference"]),
]


def questions() -> list[tuple[str, list[str]]]:
    """Return the questions in the order in which they are shown, each with the kinds of facts that answer it."""
    return _QUESTIONS


def fact_groups(facts: Iterable[protocol.Fact]) -> list[protocol.FactGroup]:
    """Return the questions that these facts answer."""
    told = {fact["kind"] for fact in facts}
    answered = [(question, [kind for kind in kinds if kind in told]) for question, kinds in questions()]
    return [{"question": question, "kinds": kinds} for question, kinds in answered if kinds]
