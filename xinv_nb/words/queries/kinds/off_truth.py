"""Why a parameter is off its true value: what it is tied to, and whether the run was at its end."""

from __future__ import annotations

from collections.abc import Sequence

from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.fact import Fact
from xinv_nb.words.names import mentioned_in, subjects_of
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind
from xinv_nb.words.summary import findings_in


def answer(query: Query) -> Sequence[Fact]:
    """Return how far off it is, what was found of how it is determined, and how the run ended."""
    facts = facts_of(query.whole)
    truth = [fact for fact in facts if fact.kind == "truth" and fact.values.get("parameter") in query.subjects]
    if not truth:
        return []
    labels = {label for label, name in subjects_of(query.run).items() if name in query.subjects}
    found = [fact for fact in findings_in(facts, len(facts)) if fact.form == "what"]
    tied = [fact for fact in [*found, *facts] if fact.kind in ("finding", "identifiability", "bound")]
    about = [fact for fact in tied if mentioned_in(fact.text, labels)][:1]
    ending = [fact for fact in facts if fact.kind == "ending"][:1]
    return [*(about or truth[:1]), *ending]


QUERY = QueryKind("off_truth", answer)
