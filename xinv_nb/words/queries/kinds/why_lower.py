"""Why the loss is lower, or higher, than at the start: which terms and which moves did it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xinv_nb.facts.analysis import facts_of, story_span
from xinv_nb.facts.fact import Fact
from xinv_nb.words.queries.kinds.reason import corrected
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind
from xinv_nb.words.queries.tracks import of_loss

_OF_THE_LOSS = re.compile(r"\b(?:lower(?:ed)?|higher|fall|fell|rise|rose|up|down|improve\w*|better|saved)\b")
"""Words for what a loss does; what the user calls a lower one is read as "lower"."""


def answer(query: Query) -> Sequence[Fact]:
    """Return how the loss went, what its terms did, and the reason of the move that did most; a false premise first.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from xinv_nb.words.queries.query import read
    >>> cost = xi.Objective("cost", "€", lower="cheaper", higher="dearer")
    >>> with xi.record(problem=xi.Problem("Trip", objective=cost)) as run:
    ...     for x in (4.0, 2.0, 1.0):
    ...         run.add(x**2, x, 2 * x)
    >>> [fact.text for fact in answer(read(run, "Why is it dearer?"))][:1]
    ['Cost did not rise over the run: it fell from 16 € to 1 €.']
    """
    if (
        not _OF_THE_LOSS.search(query.asked)
        or query.subjects
        or query.evaluation is not None
        or query.stretch is not None
        or query.run.status == "running"
    ):
        return []
    facts, span = facts_of(query.whole), story_span(query.whole)
    wrong = corrected(query, [of_loss(query.run)])
    course = [fact for fact in facts if fact.kind == "course"][:1]
    whole = [fact for fact in facts if fact.span == span]
    terms = [fact for fact in whole if fact.kind == "terms"][:1]
    moves = [fact for kind in ("reason", "credit", "drop") for fact in whole if fact.kind == kind][:1]
    return [*(wrong or course), *terms, *moves] if wrong or course else []


QUERY = QueryKind("why_lower", answer)
