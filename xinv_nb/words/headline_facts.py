"""What a headline is: a fact that cites those it follows from, worded in few words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from xinv_nb.facts.counting import counted
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.language.slots import Clause, Count, Iteration, Listed, Named, Said, Share, Slot, Value, Way, Word
from xinv_nb.recorded.run import RecordedRun

MOST_WORDS = 14
MOST_LETTERS = 90


def headline(form: str, of: Sequence[Fact], slots: Mapping[str, Slot], wordings: str = "") -> Fact:
    """Return a headline that follows from some facts.

    >>> headline("too early", [], {}).text
    'Too early to tell'
    """
    span = (min(fact.span[0] for fact in of), max(fact.span[1] for fact in of)) if of else (0, 0)
    cites = tuple(dict.fromkeys(fact.id for fact in of if fact.id))
    return replace(KIND.fact(form, span, 0.0, slots, cites=cites), wordings=wordings)


def fits(text: str) -> bool:
    """Whether a text is short enough for a headline.

    >>> fits("The loss fell"), fits("so it went " * 5)
    (True, False)
    """
    return len(text.split()) <= MOST_WORDS and len(text) <= MOST_LETTERS


def shortest(run: RecordedRun, candidates: Iterable[Fact]) -> Fact:
    """Return the first of some headlines that is short enough, as the run counts and names things."""
    for fact in candidates:
        found = counted(run, [fact])[0]
        if fits(found.text):
            return found
    return counted(run, [headline("too long", [], {})])[0]


KIND = Kind(
    name="headline",
    question=Question.LOSS,
    rank=0,
    slots={
        "iterations": Count,
        "share": Share,
        "why": (Listed, Said),
        "so_far": Word,
        "quantities": Listed,
        "limit": Clause,
        "doing": Word,
        "level": Word,
        "start": Value,
        "end": Value,
        "went": Way,
        "label": Word,
        "median": Value,
        "from": Iteration,
        "size": Value,
        "count": Count,
        "times": Count,
        "place": Word,
        "best": (Value, Count),
        "lowest": Value,
        "next": Value,
        "optimizer": Said,
        "found": Listed,
        "missed": Listed,
        "parameter": Named,
        "truth": Value,
        "ends": Listed,
        "iteration": Iteration,
        "first": Iteration,
        "low": Value,
        "high": Value,
        "early": Value,
        "late": Value,
        "what": Said,
        "own": Said,
        "others": Listed,
        "last": Iteration,
        "before": Named,
        "said": Said,
        "at": Iteration,
    },
)
