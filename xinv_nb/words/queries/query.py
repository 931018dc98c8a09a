"""What a question asks: the kind of query, the parameters and quantities that it names, and when."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from xinv_nb.facts.analysis import shown_excerpt
from xinv_nb.facts.measures.objective import told_of_loss
from xinv_nb.recorded.excerpt import Places
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.words.names import mentioned_in, subjects_of
from xinv_nb.words.queries.matching import NAME, kind_of

_COUNTED = r"(?:iteration|iter|step|evaluation|eval)s?"
_NUMBERED = re.compile(rf"\b{_COUNTED} (?:number )?(\d+)\b|\b(\d+) {_COUNTED}\b")
_STRETCH = re.compile(
    rf"\b(?:between|from)(?: {_COUNTED})? (?P<a>\d+)(?: {_COUNTED})? (?:and|to)(?: {_COUNTED})? (?P<b>\d+)\b|"
    rf"\b(?:after|since|beyond)(?: {_COUNTED})? (?P<since>\d+)\b|"
    rf"\b(?:before|until|up to)(?: {_COUNTED})? (?P<until>\d+)\b|"
    rf"\b(?P<side>first|last) (?P<many>\d+) {_COUNTED}\b"
)
_ORDINAL = "first|second|third|fourth|fifth|sixth|last|next"
_SAY_NOTHING = re.compile(
    rf"(?:{_ORDINAL}|points?|data|numbers?|values?|time|size|length|total|mean|sum|the|and|of|at|in|on|by|for|to|step|"
    r"learning|loss|model|fit|initial|final|log|true|best|one|two)$"
)
"""Words in names that alone do not tell which parameter or quantity is meant."""
_FOR_REASONS = re.compile(r"\b(?:why|what (?:made|makes|lowered|raised|brought))\b", re.IGNORECASE)
_OF_OTHERS = re.compile(r"\b(?:learning rate|step size|sample size|batch size)\b")
"""Terms of the field in which such a word names none of the domain."""


@dataclass(frozen=True)
class Query:
    """A question, read: what is wanted, of what, and when."""

    whole: RecordedRun
    """The recording."""
    run: RecordedRun
    """The part of which the story is told, its evaluations counted from 0."""
    places: Places
    """Where these evaluations stand in the whole recording."""
    asked: str
    """The question in small letters."""
    kind: str
    """The kind of query; empty where the question is like none of the reviewed examples."""
    subjects: tuple[str, ...]
    """The parameters and quantities that it means, by their names in the program."""
    in_full: bool
    """Whether it names them in full, and not by a word of their names."""
    evaluation: int | None = None
    """The iteration that it names, as the recording counts them."""
    stretch: tuple[int, int] | None = None
    """The first and the last evaluation of the stretch that it names, as the story counts them."""

    def call(self, method: str) -> str:
        """Return a call of the run that takes the objective, by its name in the program where that is one.

        Examples
        --------
        >>> import xinv_nb as xi
        >>> with xi.record() as run:
        ...     run.add(1.0, {"depth": 2.0})
        >>> read(run, "How sure is the depth?").call("identify")
        'run.identify(objective)'
        """
        name = next(iter(self.whole.objectives), "")
        return f"run.{method}({name if name.isidentifier() else 'objective'})"


def read(whole: RecordedRun, question: str) -> Query:
    """Return what a question asks.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for x in (4.0, 3.0, 3.5):
    ...         run.add(x**2, {"well depth": x})
    >>> query = read(run, "When was the depth lowest?")
    >>> query.kind, query.subjects, query.in_full
    ('extreme', ('well depth',), False)
    """
    run, places = shown_excerpt(whole)
    question = _of_the_loss(run, question)
    subjects = subjects_of(run)
    in_full = {name: (name,) for name in mentioned_in(question, subjects)}
    groups = {entry.group for entry in run.entries() if entry.group not in (entry.name, entry.label)}
    if single := {name: words for name, words in in_full.items() if name not in groups}:
        in_full = single  # "the third point furthest north": of the group "north", the one that is named
    said = in_full or _by_a_word(question, subjects)
    meant = dict.fromkeys(subjects[name] for name in subjects if name in said)
    numbered = _NUMBERED.search(question.lower())
    evaluation = int(numbered[1] or numbered[2]) if numbered else None
    asked = " ".join(question.lower().split())  # with "lower" for what the user calls a lower loss
    kind = kind_of(_pattern(question, said))
    stretch = _stretch(asked, places, run.evaluations - 1)
    return Query(whole, run, places, asked, kind, tuple(meant), bool(in_full), evaluation, stretch)


def _of_the_loss(run: RecordedRun, question: str) -> str:
    """Return a question for reasons in the field's words for the loss, where the user has own ones."""
    told = told_of_loss(run)
    if told is None or told.name in run.watches or not _FOR_REASONS.search(question):
        return question
    name = re.sub(r"^(?:the|an?) ", "", told.name, flags=re.IGNORECASE)
    for own, plain in ((rf"(?:the )?{re.escape(name)}", "the loss"), (re.escape(told.lower), "lower")):
        question = re.sub(rf"\b{own}(?!\w)", plain, question, flags=re.IGNORECASE)
    return re.sub(rf"\b{re.escape(told.higher)}(?!\w)", "higher", question, flags=re.IGNORECASE)


def _stretch(asked: str, places: Places, last: int) -> tuple[int, int] | None:
    """Return the stretch of the story that a question names; None where it names none that is there."""
    found = _STRETCH.search(asked)
    if found is None:
        return None
    if found["side"]:
        many = int(found["many"])
        a, b = (0, many) if found["side"] == "first" else (last - many, last)
        return (a, b) if 0 <= a < b <= last else None
    first, end = found["a"] or found["since"], found["b"] or found["until"]
    a = places.there(int(first)) if first else 0
    b = places.there(int(end)) if end else last
    return (a, b) if 0 <= a < b <= last else None


def _by_a_word(question: str, subjects: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return the names of which a question has a telling word, each with the words as they stand in the question."""
    words = {_singular(word): word for word in re.findall(r"[^\W\d_]+", _OF_OTHERS.sub("", question.lower()))}
    found = {}
    for name in subjects:
        own = [_singular(word) for word in re.findall(r"[^\W\d_]{3,}", name.lower())]
        shared = [word for word in own if word in words]
        if any(not _SAY_NOTHING.match(word) for word in shared):
            found[name] = tuple(words[word] for word in shared)
    most = max((len(shared) for shared in found.values()), default=0)
    return {name: shared for name, shared in found.items() if len(shared) == most}


def _pattern(question: str, said: Mapping[str, tuple[str, ...]]) -> str:
    """Return a question with what stands for a name in place of each name."""
    words = dict.fromkeys(word for shared in said.values() for word in shared)
    for word in sorted(words, key=len, reverse=True):
        question = re.sub(rf"(?<![\w.]){re.escape(word)}(?!\w)", NAME, question, flags=re.IGNORECASE)
    return re.sub(rf"{NAME}(?: {NAME})+", NAME, question)


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
