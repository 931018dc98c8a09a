"""Terms that the problem explains, explained where a text first has them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from xinv_nb.recorded.run import RecordedRun

_LONGEST = 100
"""Characters of an explanation that fits within a sentence."""


def glossary_of(run: RecordedRun) -> Mapping[str, str]:
    """Return the terms of a problem with what is said of each, as far as that fits within a sentence.

    >>> glossary_of(RecordedRun())
    {}
    """
    known = {} if run.problem is None else run.problem.glossary
    found = {term: " ".join(meaning.split()).rstrip(".") for term, meaning in known.items()}
    return {term: said for term, said in found.items() if term.strip() and 0 < len(said) <= _LONGEST}


def explained(text: str, glossary: Mapping[str, str], told: set[str]) -> str:
    """Return a sentence with the first term in it explained that is not among those `told`, which it joins.

    >>> explained("Drag rose from 1 to 2.", {"drag": "how much air resists"}, set())
    'Drag (how much air resists) rose from 1 to 2.'
    """
    for term, meaning in glossary.items():
        place = re.search(rf"(?<![\w.]){re.escape(term)}(?![\w\[]|['’]s|\.\d)", text, re.IGNORECASE)
        if term not in told and place is not None and not text[place.end() :].lstrip().startswith("("):
            told.add(term)
            return f"{text[: place.end()]} ({meaning}){text[place.end() :]}"
    return text


def without_explanations(text: str, glossary: Mapping[str, str]) -> str:
    """Return a text without what `explained` put in.

    >>> without_explanations("Drag (how much air resists) rose.", {"drag": "how much air resists"})
    'Drag rose.'
    """
    for meaning in glossary.values():
        text = text.replace(f" ({meaning})", "")
    return text
