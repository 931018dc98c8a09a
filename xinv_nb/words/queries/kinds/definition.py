"""What a word means: by the problem's own glossary, or by the one of the field."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from xinv_nb.facts.analysis import story_span
from xinv_nb.facts.fact import Fact
from xinv_nb.language.slots import Said
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.words.names import mentioned_in, subjects_of
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind

_GLOSSARY = Path(__file__).parents[1] / "glossary.txt"
_ASKS = re.compile(
    r"(?:what(?: is| are|'s|’s| does| do)|define|explain(?: the word| the term)?|meaning of|what is meant by)\s+"
    r"(?:meant by |the meaning of |the word |the term )?(?P<an>an? )?(?P<the>the )?"
    r"[\"“'‘`]?(?P<word>[^\"”'’`?]+?)[\"”'’`]?(?P<mean> mean| stand for| do)?\W*$",
    re.IGNORECASE,
)


def meaning(run: RecordedRun, question: str) -> Sequence[Fact]:
    """Return what a word means that a question asks for; nothing where no glossary has it.

    "What is the gradient?" asks for that of the run, "What is a gradient?" for what it is.

    Examples
    --------
    >>> meaning(RecordedRun(), "What is a plateau?")[0].text
    'Plateau: a stretch in which the loss hardly changes.'
    """
    asked = _ASKS.match(" ".join(question.split()))
    if asked is None:
        return []
    own = run.problem.glossary if run.problem is not None else {}
    word = _folded(asked["word"])
    for known in (own, {} if asked["the"] and not asked["mean"] else glossary()):
        for term, text in known.items():
            if word in {_folded(each) for each in term.split("|")}:
                if known is not own and not asked["an"] and mentioned_in(question, subjects_of(run)):
                    return []
                said = {"term": Said(_beginning(term.split("|")[0])), "meaning": Said(text.strip().rstrip("."))}
                return [Fact("", "answer definition", "means", said, story_span(run))]
    return []


def is_of_a_word(question: str) -> bool:
    """Whether a question asks what a word means, known or not: the run does not answer it.

    >>> is_of_a_word("What is a Bézier curve?"), is_of_a_word("What is the loss?")
    (True, False)
    """
    asked = _ASKS.match(" ".join(question.split()))
    return asked is not None and bool(asked["an"] or asked["mean"])


@functools.cache
def glossary() -> Mapping[str, str]:
    """Return the words of the field with what they mean; of words that mean the same, all in one, between bars."""
    lines = _GLOSSARY.read_text(encoding="utf-8").splitlines()
    return dict(line.split(": ", 1) for line in lines if line and not line.startswith("#"))


def _folded(word: str) -> str:
    plain = re.sub(r"[\W_]+", " ", word.lower()).strip()
    return plain[:-1] if plain.endswith("s") and not plain.endswith("ss") and len(plain) > 4 else plain


def _beginning(term: str) -> str:
    return f"{term[0].upper()}{term[1:]}"


def answer(query: Query) -> Sequence[Fact]:
    """Return what a word means."""
    return meaning(query.whole, query.asked)


QUERY = QueryKind("definition", answer, {"term": Said, "meaning": Said})
