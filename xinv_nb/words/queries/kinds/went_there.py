"""Why it went where it went, of all parameters at once or of those that went one way: the reasons of what did most."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xinv_nb.facts.analysis import facts_of, story_span
from xinv_nb.facts.fact import Fact
from xinv_nb.language.slots import Way
from xinv_nb.words.names import mentions_way
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind
from xinv_nb.words.troubles import nothing_found

_MOST = 2
_THERE = re.compile(
    r"\b(?:there|where it (?:is|did|ended|stands)|"
    r"th(?:is|at) (?:way|route|solution|answer|result|point|place|end|design))\b"
)


def answer(query: Query) -> Sequence[Fact]:
    """Return the reasons over the whole run, or else what moved most, and what it did to the loss.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> from xinv_nb.words.queries.query import read
    >>> def cost(x):
    ...     return xi.watch((x - 5.0) ** 2, "misfit") + xi.watch(2 * x, "price", "€")
    >>> with xi.record() as run:
    ...     x = 0.0
    ...     for _ in range(30):
    ...         x = x - 0.1 * grad(cost)(x)
    >>> answer(read(run, "Why did it go there?"))[0].text
    'x rose from 0 to 3.99 because this lowered misfit by 24, although it raised price by 7.99 €.'
    """
    if query.subjects or query.evaluation is not None or query.stretch is not None:
        return []
    ways = {way for entry in query.run.entries() for way in entry.parameter.directions or ()}
    asked = [way for way in ways if mentions_way(query.asked, way)]
    facts, span = facts_of(query.whole), story_span(query.whole)
    whole = [fact for fact in facts if fact.span == span]
    reasons = [fact for fact in whole if fact.kind == "reason"]
    if asked:
        those = [fact for fact in reasons if _way_of(fact) in asked] if len(asked) == 1 else []
        elsewhere = nothing_found(query.whole, "would another start end lower?", None, ())[:1]
        return [*those[:_MOST], *elsewhere] if those else []
    if not _THERE.search(query.asked):
        return []
    if reasons:
        held = [fact for fact in facts if fact.kind == "balance"]
        return [*reasons[:_MOST], *held[:1]]
    moved = [fact for fact in whole if fact.kind == "movement"]
    return [*moved[:_MOST], *[fact for fact in whole if fact.kind == "credit"][:1]]


def _way_of(fact: Fact) -> str | None:
    """Return the way that a parameter went, in the words of the domain."""
    went = fact.slots["went"]
    assert isinstance(went, Way)
    return None if went.directions is None else went.directions[1 if went.change > 0 else 0]


QUERY = QueryKind("went_there", answer)
