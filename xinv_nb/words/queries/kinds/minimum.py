"""Whether it converged, or ended at a minimum."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xinv_nb.facts.analysis import facts_of, shown_parts
from xinv_nb.facts.fact import Fact
from xinv_nb.words.queries.kinds.value import state
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind
from xinv_nb.words.queries.tracks import of_loss
from xinv_nb.words.summary import findings_in
from xinv_nb.words.troubles import nothing_found

_CONVERGED = re.compile(r"\bconverge")
_BEST = re.compile(r"\b(?:best|optimal)\b")
"""Words for the lowest of all, which no one run can show."""
_OF_WHAT = re.compile(r"\b(?:best|optimal)\b(?: possible)?(?: (?P<noun>\w+))?")
_ENDS = re.compile(r"(?:one|solution|answer|result|point|values?|design|route|line|path|shape|way|it|there|end)$")
"""Words for what a run may end at."""
_HELD = frozenset(["bound", "constraint-active", "constraint-violated"])
"""Findings of ends that are no level points, and need not be."""
_FAST = re.compile(r"\b(?:fast|quick\w*|slow\w*|rate)\b")
"""Words by which a reader asks how fast, which the facts about convergence tell."""


def answer(query: Query) -> Sequence[Fact]:
    """Return whether the end is a minimum, how it ended, and the loss there; nothing where that cannot be told."""
    facts = facts_of(query.whole)
    judged = [fact for fact in facts if fact.kind == "minimum"][:1]
    ending = [fact for fact in facts if fact.kind == "ending"][:1]
    if not (judged or ending) or query.subjects or _FAST.search(query.asked):
        return []
    held = [fact for fact in facts if fact.data.get("finding") in _HELD]
    if held and not judged:
        return [*findings_in(held, 1)[:1], *ending, *state(query, [of_loss(query.run)])][:3]
    if _BEST.search(query.asked):
        if not _is_of_the_run(query) or len(shown_parts(query.whole).fits) > 1:
            return []  # of several fits it is told which was best
        elsewhere = nothing_found(query.whole, "would another start end lower?", None, ())[:1]
        return [*elsewhere, *judged, *ending] if elsewhere else []
    tests = [fact for fact in facts if fact.kind == "stopping tests"][:1] if _CONVERGED.search(query.asked) else []
    return [*judged, *ending, *state(query, [of_loss(query.run)]), *tests]


def _is_of_the_run(query: Query) -> bool:
    """Whether what is asked to be best is what the run found: by a word for it, or by one of the problem's."""
    found, problem = _OF_WHAT.search(query.asked), query.run.problem
    noun = found["noun"] if found is not None else None
    told = "" if problem is None else f"{problem.title} {problem.goal}".lower()
    return noun is None or bool(_ENDS.match(noun) or re.search(rf"\b{re.escape(noun)}\b", told))


QUERY = QueryKind("minimum", answer)
