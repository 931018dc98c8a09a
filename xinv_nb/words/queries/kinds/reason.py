"""Why a parameter or a quantity went where it went, over the run or in a stretch of it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from xinv_nb.facts.analysis import facts_of, phases_of, story_span
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.reasons import reasons_of
from xinv_nb.language.slots import Clause, Iteration, Listed, Named, Said, Slot, Value, Way, Word, pair
from xinv_nb.words.queries.kinds.value import asked_for
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind, told
from xinv_nb.words.queries.tracks import Track, of_quantities

_LATE = re.compile(r"\b(?:at (?:the (?:very )?end|last)|in the end|finally|towards the end|late)\b")
_UP = re.compile(r"\b(?:rise|rose|rising|increas\w*|grow|grew|went up|go up|going up|larger|higher|raised)\b")
_DOWN = re.compile(
    r"\b(?:fall|fell|falling|decreas\w*|shrink|shrank|went down|go down|going down|smaller|lower\w*|drop\w*)\b"
)
_SPOKEN_OF = {"reason": "parameter", "brought about": "quantity"}
_MOST = 3
_LEFT = 0.01
"""Share of the largest part of a change from which on what is left over is too much for its parts to be told."""


def answer(query: Query) -> Sequence[Fact]:
    """Return the reasons of what is named; of a stretch, what else changed there; a false premise is corrected."""
    if not query.subjects:
        return []
    facts = facts_of(query.whole)
    if _LATE.search(query.asked):
        return _late(query, facts)
    if query.stretch is not None:
        return in_a_stretch(query, query.stretch)
    premise = corrected(query, [track for track in asked_for(query) if track.is_finite])
    reasons = [fact for fact in facts if fact.values.get(_SPOKEN_OF.get(fact.kind, "")) in query.subjects]
    if reasons:  # by full names the facts are found as they are
        return [*premise, *reasons[:2]] if premise or not query.in_full else []
    whole = [fact for fact in facts if fact.kind == "watch" and fact.span == story_span(query.whole)]
    moved = [fact for fact in whole if fact.values["quantity"] in query.subjects and "went" in fact.slots][:1]
    if not moved or query.run.status == "running":
        return premise
    if not _would_tell(query, str(moved[0].values["quantity"])):
        return [*premise, *moved]
    return [*premise, *moved, told(query, "reason", "not known", {"call": Said(query.call("reasons_for"))})]


def _would_tell(query: Query, quantity: str) -> bool:
    """Whether the length of the steps alone hides the parts of a change, so that evaluations in between tell them.

    Not where nothing is known of derivatives, nor of batches, whose draws no evaluation in between takes away.
    """
    reasons = reasons_of(query.whole)
    if quantity not in reasons.quantities or any(phase.noisy for phase in phases_of(query.whole)):
        return False
    k = list(reasons.quantities).index(quantity)
    return bool(abs(reasons.remainder[k]) > _LEFT * np.max(np.abs(reasons.parts[:, k]), initial=0.0))


def corrected(query: Query, tracks: Sequence[Track]) -> list[Fact]:
    """Return that something did not go the way that a question takes it to have gone, over the run as a whole."""
    up, down = bool(_UP.search(query.asked)), bool(_DOWN.search(query.asked))
    if len(tracks) != 1 or up == down or len(tracks[0].values) < 2 or " not " in f" {query.asked} ":
        return []
    track = tracks[0]
    start, end = pair(float(track.values[0]), float(track.values[-1]), track.unit, both=True)
    change = end.number - start.number
    if start.looks_like(end) or change == 0 or (change > 0) == up:
        return []
    slots: dict[str, Slot] = {"quantity": track.named, "start": start, "end": end, "went": Way(change)}
    return [told(query, "reason", "not so", slots | {"asked": Word("rise" if up else "fall")})]


def _late(query: Query, facts: Sequence[Fact]) -> Sequence[Fact]:
    """Return how a quantity went in the last stretch, and what the terms of the loss did there."""
    end = story_span(query.whole)
    moves = [fact for fact in facts if fact.kind == "watch" and fact.values["quantity"] in query.subjects]
    late = [fact for fact in moves if fact.span[1] == end[1] and fact.span[0] > end[0]][:1]
    spans = {fact.span for fact in late}
    beside = [fact for fact in facts if fact.kind == "terms" and fact.span in spans]
    others = [fact for fact in facts if fact.kind == "watch" and fact.span in spans and fact not in late]
    pulled = [fact for fact in facts if fact.kind in ("conflict", "balance")]
    return [*late, *(beside or others)[:2], *pulled[:1]] if late and (beside or others) else []


def in_a_stretch(query: Query, stretch: tuple[int, int]) -> Sequence[Fact]:
    """Return how what is named went in a stretch; asked why, also how the watched quantities went meanwhile.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from xinv_nb.words.queries.query import read
    >>> with xi.record() as run:
    ...     for x in (4.0, 3.0, 2.5, 2.0):
    ...         run.add(x**2, {"well depth": x})
    >>> query = read(run, "How did the depth change between iterations 1 and 3?")
    >>> [fact.text for fact in in_a_stretch(query, (1, 3))]
    ['Between iterations 1 and 3 well depth fell from 3 to 2.']
    """
    first, last = stretch
    named = [track for track in asked_for(query) if track.is_finite][:1]
    beside = of_quantities(query.run) if re.search(r"\bwhy\b", query.asked) else []
    others = [track for track in beside if track.is_finite and track.named not in [t.named for t in named]]
    moves = [_went(track, first, last) for track in (*named, *others[:_MOST])]
    if not named or moves[0] is None:
        return []
    slots: dict[str, Slot] = {"first": Iteration(first), "last": Iteration(last), "what": moves[0]}
    meanwhile = tuple(move for move in moves[1:] if move is not None)
    if meanwhile:
        slots["others"] = Listed(meanwhile)
    return [told(query, "reason", "meanwhile" if meanwhile else "in a stretch", slots, stretch)]


def _went(track: Track, first: int, last: int) -> Clause | None:
    start, end = track.at(first), track.at(last)
    if start is None or end is None:
        return None
    before, after = pair(start, end, track.unit)
    if before.looks_like(after):
        return Clause("stayed", {"quantity": track.named, "end": after}, "answer reason")
    slots = {"quantity": track.named, "went": Way(end - start), "start": before, "end": after}
    return Clause("went", slots, "answer reason")


QUERY = QueryKind(
    "reason",
    answer,
    {"call": Said, "quantity": Named, "start": Value, "end": Value, "went": Way, "asked": Word}
    | {"first": Iteration, "last": Iteration, "what": Clause, "others": Listed},
)
