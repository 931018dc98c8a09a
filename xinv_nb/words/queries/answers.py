"""Answers a question by computing what it asks for, where it is like reviewed examples of a kind."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from xinv_nb.facts.analysis import facts_of, shown_parts
from xinv_nb.facts.counting import counted
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kinds import all_kinds
from xinv_nb.language.slots import Count, Iteration, Slot
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.words.queries.kinds import all_query_kinds
from xinv_nb.words.queries.kinds.definition import is_of_a_word, meaning
from xinv_nb.words.queries.kinds.reason import in_a_stretch
from xinv_nb.words.queries.query import Query, read


def answers_to(run: RecordedRun, question: str) -> Sequence[Fact]:
    """Return what answers a question of a known kind; nothing for others.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for x in (4.0, 1.0, 2.0):
    ...         run.add(x**2, {"depth": x})
    >>> answers_to(run, "When was the depth lowest?")[0].text
    'depth was lowest, at 1, at iteration 1; it ended at 2.'
    """
    if not run.evaluations:
        return []
    if defined := meaning(run, question):
        return defined
    query = read(run, question)
    if is_of_a_word(question) and not query.subjects:
        return []
    if _PUSHED.search(query.asked):
        return []  # what pushes is told by facts of its own
    if query.kind not in _OF_THEIR_OWN and _is_told(query):
        return []
    known = all_query_kinds().get(query.kind)
    found = known.answer(query) if known is not None else []
    if query.stretch is not None and query.kind in _GOES and (query.subjects or _LOSS.search(query.asked)):
        found = in_a_stretch(query, query.stretch)  # what is told of the run as a whole would seem to be of the stretch
    if not found and re.search(r"\bwhy\b", query.asked):
        found = all_query_kinds()["reason" if query.subjects else "went_there"].answer(query)
    if one := _of_one_fit(query, found):
        found = [*found, one]
    rest = nearest_facts(query)
    return [replace(fact, cites=rest) if not (fact.id or fact.cites) else fact for fact in found]


_OF_THEIR_OWN = frozenset(["determined", "fits", "misfit", "minimum", "overfitting"])
"""Kinds of queries that tell facts of kinds that say by which words they are asked for, and more."""


def _is_told(query: Query) -> bool:
    """Whether the run has facts of a kind that says by which words it is asked for, and a question has these."""
    asked = {kind.name for kind in all_kinds() if kind.asked_with and re.search(kind.asked_with, query.asked)}
    return any(fact.kind in asked for fact in facts_of(query.whole))


_GOES = frozenset(["", "value", "moves", "extreme", "progress", "loss", "best", "credit", "turned"])
"""Kinds of queries about how something goes, of which a stretch is a part."""
_LOSS = re.compile(r"\b(?:loss|objective|cost|misfit)\b")
_OF_A_FIT = frozenset(["answer value", "answer extreme", "answer progress", "answer not_stopped", "answer threshold"])
"""Answers that are of the fit that is told."""


_PUSHED = re.compile(r"\b(?:push|pull|hold|held|keep)(?:e?s|ed|ing)?\b")


def _of_one_fit(query: Query, found: Sequence[Fact]) -> Fact | None:
    """Return of which fit an answer is, where there are several and it is computed of the one that is told."""
    parts, start = shown_parts(query.whole), query.places.back(0)
    fits = parts.fits
    is_of_all = all(parts.story[0] <= fit.start < parts.story[1] for fit in fits)  # each went on from the one before
    if is_of_all or query.evaluation is not None or not any(fact.kind in _OF_A_FIT for fact in found):
        return None
    for number, fit in enumerate(fits, 1):
        if fit.start <= start < fit.stop:
            slots: dict[str, Slot] = {"number": Count(number), "count": Count(len(fits))}
            slots |= {"first": Iteration(fit.start), "last": Iteration(fit.stop - 1)}
            told = Fact("", "answer value", "of one fit", slots, (fit.start, fit.stop - 1))
            return counted(query.whole, [told])[0]
    return None


def nearest_facts(query: Query) -> tuple[str, ...]:
    """Return the fact that tells most of what a question is about, for an answer of which none is told as it is."""
    facts = facts_of(query.whole)
    about = [f for f in facts if f.values.get("parameter", f.values.get("quantity")) in query.subjects]
    return tuple(fact.id for fact in (about or facts)[:1])
