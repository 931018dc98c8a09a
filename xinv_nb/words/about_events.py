"""Questions about what happened in the simulation: by the words that the simulator has for it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.fact import Fact
from xinv_nb.language.slots import words_of_the_user
from xinv_nb.recorded.run import RecordedRun

WHY = re.compile(r"\b(?:why|reasons?|because|what for|what made|what drove)\b")
"""Words that ask for a reason, and not only for what happened."""

_COMMON = re.compile(
    "what|when|where|which|why|how|who|whom|whose|does|did|done|has|have|had|was|were|the|and|that|this|these|those|"
    "with|from|into|than|then|there|their|them|they|iterations?|first|last|time|only|once|loss|most|least|more|less|"
    "end|ends|ended|start|about|would|could|should|please|tell|show|explain|means?|happen|happens|happened|over|after|before|"
    r"chang\w*|mov\w*|still|ever|never|really|model|learn\w*|follow\w*|begin\w*"
)
"""Words that do not say what a question is about."""


def is_of_an_event(run: RecordedRun, question: str) -> bool:
    """Whether all that a question is about is in the words of one event."""
    words = _content(" ".join(question.lower().split()))
    events = (fact for fact in facts_of(run) if fact.kind == "event")
    return len(words) > 1 and any(
        words <= _content(" ".join(words_of_the_user(f.slots.values())).lower()) for f in events
    )


_LEAVING = re.compile(
    r"\bwhen\b.*\b(?P<verb>leav(?:e|es|ing)|left|quit|(?:get|got|come|came|move|moved|go|went) "
    r"(?:away|clear))\b"
)
"""Words that ask when something was over: its last time is the answer."""


def by_event(facts: Sequence[Fact], asked: str, *, in_full: bool = False) -> list[Fact]:
    """Return the facts of events that share the most words with the question.

    `in_full`: only where facts have nearly all of its words; what it asks beside is else not answered.
    """
    is_leaving = _LEAVING.search(asked)
    words = _content(asked[is_leaving.end() :] if is_leaving else asked)
    events = [(fact, " ".join(words_of_the_user(fact.slots.values()))) for fact in facts if fact.kind == "event"]
    if is_leaving:
        who = _content(asked[: is_leaving.start("verb")])  # another thing there may be over as well
        events = [(f, said) for f, said in events if f.form.startswith("ended") and who <= _content(said.lower())]
    elif WHY.search(asked):
        events = [(fact, said) for fact, said in events if len(words & _content(said.lower())) > 1]
    scored = [(len(words & _content(said.lower())), fact) for fact, said in events]
    most = max((score for score, _ in scored), default=0)
    enough = most >= 2 or (most == 1 and len(words) <= 3)
    if in_full and enough:
        unknown = words - _content(" ".join(fact.text.lower() for fact in facts))
        enough = len(unknown) <= most - 1
    return [fact for score, fact in scored if score == most] if enough else []


def _content(text: str) -> set[str]:
    """Return the beginnings of the words that say what a text is about, and single letters that are names."""
    words = {word.rstrip("s")[:4] for word in re.findall(r"[^\W\d_]{3,}", text) if not _COMMON.fullmatch(word)}
    return words | set(re.findall(r"\b[b-hj-z]\b(?!['’])", text))
