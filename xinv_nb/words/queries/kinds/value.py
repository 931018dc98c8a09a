"""What a parameter, a quantity or the loss was: at the end, at the start, or at an iteration."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.fact import Fact
from xinv_nb.language.slots import Clause, Count, Iteration, Listed, Named, Slot, Value, pair
from xinv_nb.recorded.excerpt import Places
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind, told
from xinv_nb.words.queries.tracks import Track, of_entries, of_loss, of_parameters, of_quantities

_MOST = 6
_START = re.compile(r"\b(?:at first|at the (?:start|beginning)|begin|began|start|before)\b")
_RESULT = re.compile(r"\b(?:estimate[sd]|fitted|results?|values|parameters)\b")
"""Words for what an optimization found: a reader wants all of it."""
_NUMBERS = re.compile(r"\b(?:loss|misfit|objective|parameters?|values?|numbers?|variables?)\b")
"""Words for numbers without the name of one."""
_OF_FITS = re.compile(r"\b(?:best|each|every|all|second|third|other|fits?|starts?|runs?)\b")
"""Words for one fit among several, which the facts across fits tell of."""
_SLOPE = re.compile(r"\b(?:slopes?|steep\w*|gradients?|derivatives?)\b")
"""Words for what the facts about the gradient tell."""
_LOSS = re.compile(r"\b(?:loss|misfit|objective)\b")


def answer(query: Query) -> Sequence[Fact]:
    """Return the values that are asked for.

    Without a name all parameters are told, where they are few: what an optimization is for.
    """
    tracks = [track for track in asked_for(query) if len(track.values)]
    of_fits = _OF_FITS.search(query.asked) and any(fact.kind == "fits" for fact in facts_of(query.whole))
    if of_fits or not 0 < len(tracks) <= _MOST:
        return []
    last = query.run.evaluations - 1
    if _SLOPE.search(query.asked):
        whole = not query.subjects and query.evaluation is None
        return [fact for fact in facts_of(query.whole) if fact.kind == "gradient"][:1] if whole else []
    if query.evaluation is not None:
        return _at_evaluation(query, query.evaluation)
    if _START.search(query.asked):
        return at(query, tracks, 0, "at the start")
    if len(tracks) == 1 and tracks[0].is_finite and query.run.status != "running":
        return [_from_to(query, tracks[0])]
    return at(query, tracks, last, "so far" if query.run.status == "running" else "at the end")


def asked_for(query: Query, run: RecordedRun | None = None) -> list[Track]:
    """Return what a question is about: what it names, the loss, or all parameters; of the story, or of another run."""
    run = run or query.run
    of_all = not query.in_full and _RESULT.search(query.asked) and set(query.subjects) <= _parameters(query)
    if query.subjects and not of_all:
        return [*of_quantities(run, query.subjects), *of_parameters(run, query.subjects)]
    if _LOSS.search(query.asked):
        return [of_loss(run)]
    return of_entries(run, query.asked) or of_parameters(run)


def _at_evaluation(query: Query, evaluation: int) -> list[Fact]:
    """Return what was where a question says, as the whole recording counts; of a trial, that it was turned down."""
    run = query.whole
    if not query.subjects and not _NUMBERS.search(query.asked) and not of_entries(run, query.asked):
        return []  # what happened there is told by phases and events
    if not 0 <= evaluation < run.evaluations:
        return []
    tracks = [track for track in asked_for(query, run) if len(track.evaluations)]
    is_trial = not bool(run.accepted[evaluation])
    if is_trial:
        tracks = [track.with_trials() for track in tracks]
        tracks = [track for track in tracks if evaluation in track.evaluations]
    if not 0 < len(tracks) <= _MOST:
        return []
    return at(replace(query, run=run, places=Places(0)), tracks, evaluation, "at a trial" if is_trial else "at")


def _parameters(query: Query) -> set[str]:
    return {entry.name for entry in query.run.entries()}


def state(query: Query, tracks: Sequence[Track]) -> list[Fact]:
    """Return what some numbers were at the end, as the nearest that can be told; nothing where they are many."""
    known = [track for track in tracks if len(track.values)]
    if not 0 < len(known) <= _MOST or query.run.status == "running":
        return []
    return at(query, known, query.run.evaluations - 1, "at the end")


def at(query: Query, tracks: Sequence[Track], evaluation: int, form: str) -> list[Fact]:
    """Return what some numbers were at an evaluation, in one sentence; nothing where one of them is not known."""
    values = [(track.named, track.at(evaluation), track.unit) for track in tracks]
    if any(value is None for _, value, _ in values):
        return []
    items = tuple(_was(name, Value(value or 0.0, unit)) for name, value, unit in values)
    slots: dict[str, Slot] = {"what": Listed(items), "at": Iteration(evaluation)}
    return [told(query, "value", form, slots, (evaluation, evaluation))]


def _was(name: Named, value: Value) -> Clause:
    return Clause("was", {"quantity": name, "value": value}, "answer value")


def _from_to(query: Query, track: Track) -> Fact:
    start, end = pair(float(track.values[0]), float(track.values[-1]), track.unit, both=True)
    slots: dict[str, Slot] = {"quantity": track.named, "start": start, "end": end}
    form = "stayed" if start.looks_like(end) else "at the end, from"
    return told(query, "value", form, slots)


QUERY = QueryKind(
    "value",
    answer,
    {"what": Listed, "at": Iteration, "quantity": Named, "value": Value, "start": Value, "end": Value}
    | {"number": Count, "count": Count, "first": Iteration, "last": Iteration},
)
