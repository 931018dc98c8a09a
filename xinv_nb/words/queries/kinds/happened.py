"""What happened at one iteration: what the loss and the watched quantities were, and what the simulator said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.fact import Fact
from xinv_nb.language.slots import Listed, Said, Slot
from xinv_nb.recorded.excerpt import Places
from xinv_nb.words.queries.kinds.value import at
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind, told
from xinv_nb.words.queries.tracks import of_loss, of_quantities

_MOST = 3
_OF_THE_GRADIENT = re.compile(r"\b(?:gradients?|slopes?|step size|learning rate)\b")
_MOST_SAID = 4


def answer(query: Query) -> Sequence[Fact]:
    """Return the loss, the quantities and the events of the iteration, and the phase that it lies in.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from xinv_nb.words.queries.query import read
    >>> with xi.record() as run:
    ...     for x in (4.0, 2.0, 1.0):
    ...         xi.event("the pump runs dry") if x < 3 else None
    ...         run.add(x**2, {"depth": x})
    >>> for fact in answer(read(run, "What happened at iteration 1?"))[:2]:
    ...     print(fact.text)
    At iteration 1 the loss was 4.
    The simulation said there: the pump runs dry.
    """
    evaluation, run = query.evaluation, query.whole
    if (
        _OF_THE_GRADIENT.search(query.asked)
        or evaluation is None
        or query.subjects
        or not 0 <= evaluation < run.evaluations
    ):
        return []
    tracks = [of_loss(run), *of_quantities(run)][:_MOST]
    is_trial = not bool(run.accepted[evaluation])
    if is_trial:
        tracks = [track.with_trials() for track in tracks]
    there = [track for track in tracks if evaluation in track.evaluations and track.at(evaluation) is not None]
    whole = replace(query, run=run, places=Places(0))
    values = at(whole, there, evaluation, "at a trial" if is_trial else "at") if there else []
    found = [*values, *_said(whole, evaluation)]
    phases = [fact for fact in facts_of(run) if fact.kind == "phase" and fact.span[0] <= evaluation <= fact.span[1]]
    cites = tuple(fact.id for fact in phases[:1])
    return [*(replace(fact, cites=cites) for fact in found), *phases[:1]] if found else []


def _said(query: Query, evaluation: int) -> list[Fact]:
    """Return what the program reported in the evaluation, each thing once."""
    events = [event for event in query.whole.events if event.evaluation == evaluation and event.kind == "happening"]
    texts = list(dict.fromkeys(event.text for event in events))
    if not texts:
        return []
    slots: dict[str, Slot] = {"said": Listed(tuple(map(Said, texts[:_MOST_SAID])), closing=False)}
    return [told(query, "happened", "said", slots, (evaluation, evaluation))]


QUERY = QueryKind("happened", answer, {"said": Listed})
