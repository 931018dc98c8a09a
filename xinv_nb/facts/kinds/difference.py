"""What sets several runs apart; computed by `facts.differences`, since it is of no one run."""

from __future__ import annotations

from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.kinds.replay import OF_A_REPLAY
from xinv_nb.language.slots import Count, Listed, Said, Value, Word

KIND = Kind(
    name="difference",
    question=Question.COMPARISON,
    rank=100,
    slots={
        "run": Said,
        "objectives": Listed,
        "all": Word,
        "loss": Value,
        "others": Listed,
        "share": Value,
        "evaluations": Count,
        "later": Listed,
        "missing": Listed,
        "places": Listed,
        **OF_A_REPLAY,
    },
    method="lowest accepted losses, evaluations to a common level, and where the parameters ended",
)
