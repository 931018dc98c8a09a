"""Why a parameter did not go further, or the other way: a bound, or the quantities that push it at the end."""

from __future__ import annotations

import re

import numpy as np

from xinv_nb.facts.analysis import facts_of, phases_of, shown_excerpt
from xinv_nb.facts.counting import noun_of
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.measures.iterates import iterates_of
from xinv_nb.facts.measures.pushing import push_unit
from xinv_nb.facts.measures.uphill import uphill
from xinv_nb.facts.pushes import pushes_of
from xinv_nb.facts.replay.recorded import recorded_optimizer
from xinv_nb.language.quantities import is_state, listed, pair, quantity, sentence_start
from xinv_nb.recorded.entries import Entry
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.words.trying import entries_to_set, is_named, moved_most, to_see

Answer = tuple[str, list[Fact]]
"""What is said, and the facts that it words."""

_WHY_NOT = re.compile(r"\bwhy not\b|\bwhy (?:did|does|do|has|is|was)(?:n['’]?t\b|.* not\b|.* never\b|.* stop\w*\b)")
_FURTHER = re.compile(r"\b(?:further|farther|more|on|beyond|stop\w*)\b")
_PLAIN = (
    r"lower|smaller|less|down\w*|fall\w*|decrease\w*|drop\w*",
    r"higher|larger|greater|up|upwards?|ris(?:e|es|ing)|grow\w*|increase\w*",
)
"""Words for less and more of a parameter that has no directions of its own."""
_MOVED = 0.05
"""Share of its way from which on a parameter is said to have gone where it is asked why it did not."""
_TRIED = 0.1
"""Share of its way by which to try a parameter further."""
_TOLD, _LEFT = 0.02, 0.05
"""Share of the strongest push from which on another is told, and up to which something else may push as well."""
_FEWEST_DRAWS = 20
"""Last steps, at least, over which it is counted what single draws asked for."""
_BALANCED = 0.1
"""Share of the strongest push up to which what is left of all is a balance."""


def why_not(run: RecordedRun, question: str, asked: str) -> Answer | None:
    """Return why a parameter did not go a way that a question asks for, with what to try; None for other questions.

    >>> why_not(RecordedRun(), "Why not?", "why not?") is None
    True
    """
    part, places = shown_excerpt(run)
    bare = without_names(part, asked)
    if not _WHY_NOT.search(bare):
        return None
    found = _asked_way(part, question, bare)
    if found is None or not part.evaluations:
        return None
    if uphill(part, iterates_of(part)) in ("reached", "rising"):
        return None  # the loss is maximized: what pushes it down the slope held nothing
    entry, sign = found
    rows = np.flatnonzero(part.accepted)
    column = part.column(entry)[rows]
    if not len(rows) or not np.isfinite(column).all():
        return None
    start, end, way = float(column[0]), float(column[-1]), float(np.ptp(column))
    text = ""
    if not _FURTHER.search(bare) and (end - start) * sign > _MOVED * way:
        text = f"It did {_go(entry, sign)}: from {' to '.join(pair(start, end, entry.parameter.unit))}. "
    reasons, facts, left = _what_holds(run, entry, sign, places.back(int(rows[-1])))
    text += f"{reasons} " if reasons else ""
    recorded = recorded_optimizer(part)
    if recorded.is_free and left > 0:  # it had not come to its end
        count = 2 * max(recorded.steps, part.evaluations)
        text += to_see(run, recorded, "whether it goes on", f"iterations={count}")
    elif recorded.is_free and len(entries_to_set(part)) > 1:
        further = float(f"{end + sign * _TRIED * (way or abs(end) or 1.0):.3g}")
        what = f"what it would bring with {entry.label} at {quantity(further, entry.parameter.unit)}"
        text += to_see(run, recorded, what, f"fixed={{{entry.name!r}: {further:.6g}}}")
    return (text.strip(), facts) if text else None


def without_names(run: RecordedRun, asked: str) -> str:
    """Return a question without the names of parameters, which may hold any word.

    >>> without_names(RecordedRun(), "why not?")
    'why not?'
    """
    names = {name for entry in entries_to_set(run) for name in (entry.label, entry.name) if len(name) > 1}
    for name in sorted(names, key=len, reverse=True):
        asked = re.sub(rf"(?<![\w.]){re.escape(name.lower())}(?!\w)", "", asked)
    return asked


def _asked_way(run: RecordedRun, question: str, asked: str) -> tuple[Entry, float] | None:
    """Return the parameter that a question is about and the way that it asks for: 1 for more, −1 for less."""
    there = entries_to_set(run)
    named = [entry for entry in there if is_named(question, entry)]
    ways = [
        (entry, sign)
        for entry in (named or there)
        for sign, words in ((-1.0, _words(entry, 0)), (1.0, _words(entry, 1)))
        if (named or entry.parameter.directions is not None) and re.search(rf"\b(?:{words})\b", asked)
    ]
    if len(ways) == 1:
        return ways[0]
    if len(ways) > 1 and not named and len({sign for _, sign in ways}) == 1:
        most = moved_most(run, [entry for entry, _ in ways])
        return next(((entry, sign) for entry, sign in ways if most is not None and entry.name == most.name), None)
    if not ways and len(named) == 1 and _FURTHER.search(asked):
        column = run.column(named[0])
        change = float(column[-1] - column[0])
        return (named[0], float(np.sign(change))) if change else None
    return None


def _words(entry: Entry, place: int) -> str:
    known = entry.parameter.directions
    return _PLAIN[place] if known is None else rf"{re.escape(known[place].lower())}(?:wards?|er)?"


def way_of(entry: Entry, sign: float) -> str:
    """Return a way in the words of the domain, else up or down."""
    known = entry.parameter.directions
    return ("up" if sign > 0 else "down") if known is None else known[1 if sign > 0 else 0]


def _go(entry: Entry, sign: float) -> str:
    way = way_of(entry, sign)
    return f"{'become' if is_state(way) else 'go'} {way}"


def _what_holds(run: RecordedRun, entry: Entry, sign: float, last: int) -> tuple[str, list[Fact], float]:
    """Return why a parameter did not go further, in words, the facts that say it, and how much it is pushed on."""
    side = "upper" if sign > 0 else "lower"
    for fact in facts_of(run):
        if fact.kind == "bound" and fact.values.get("parameter") == entry.name and fact.values.get("side") == side:
            return fact.text, [fact], 0.0
    for fact in facts_of(run):
        if fact.kind == "at rest" and fact.values.get("parameter") == entry.name:
            return fact.text, [fact], 0.0
    label = sentence_start(entry.label) if entry.parameter.name else entry.label
    if any(phase.noisy for phase in phases_of(run)[-1:]):  # a single gradient is one of many draws
        return f"{label} ended at {noun_of(run)} {last}. {_asked_at_last(run, entry, sign)}".strip(), [], 0.0
    text, left = _pushed(run, entry, sign, last)
    if text:
        return text, [], left
    slope = float(run.column(entry, "gradients")[last]) if run.has_gradients else 0.0
    if not run.has_gradients or not np.isfinite(slope):
        return "", [], 0.0
    if not slope:
        return f"{label} ended at {noun_of(run)} {last}; there its gradient was 0.", [], 0.0
    asks = _go(entry, -float(np.sign(slope)))
    return f"{label} ended at {noun_of(run)} {last}; there the gradient asked for it to {asks}.", [], 0.0


def _asked_at_last(run: RecordedRun, entry: Entry, sign: float) -> str:
    """Return how often the gradient asked for each way in the last steps; empty where that is not known."""
    part, _ = shown_excerpt(run)
    rows = np.flatnonzero(part.accepted)
    rows = rows[-max(_FEWEST_DRAWS, len(rows) // 10) :]
    slopes = part.column(entry, "gradients")[rows] if part.has_gradients else np.zeros(0)
    forth, back = int(np.sum(slopes * sign < 0)), int(np.sum(slopes * sign > 0))
    if not np.isfinite(slopes).all() or not forth + back:
        return ""
    told = f"{_go(entry, sign)} {_times(forth)} and {way_of(entry, -sign)} {_times(back)}"
    return f"Over the last {len(rows)} {noun_of(run)}s the gradient asked for it to {told}."


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _pushed(run: RecordedRun, entry: Entry, sign: float, last: int) -> tuple[str, float]:
    """Return which quantities push a parameter at the end, and what that leaves; empty where it is not known."""
    pushes = pushes_of(run, last)
    if entry.name not in pushes.parameters or pushes.why_not:
        return "", 0.0
    k = list(pushes.parameters).index(entry.name)
    parts = [(name, float(part) * sign) for name, part in zip(pushes.quantities, pushes.parts[k], strict=True)]
    largest = max((abs(part) for _, part in parts), default=0.0)
    if not largest or not np.isfinite(largest) or abs(float(pushes.rest[k])) > _LEFT * largest:
        return "", 0.0
    forth = [f"{name} ({_strength(run, part, entry)})" for name, part in parts if part > _TOLD * largest]
    against = [f"{name} ({_strength(run, -part, entry)})" for name, part in parts if part < -_TOLD * largest]
    way, back = (f"{'to be ' * is_state(each)}{each}" for each in (way_of(entry, sign), way_of(entry, -sign)))
    left = sum(part for _, part in parts)
    where = f"At {noun_of(run)} {last}, where {entry.label} ended,"
    if not against:
        return f"{where} nothing pushed it {back}: {_push(forth)} it {way} still.", left
    if not forth:
        return f"{where} {_push(against)} it {back}.", left
    both = f"{_push(against)} it {back} and {_push(forth)} it {way}"
    if abs(left) <= _BALANCED * largest:
        return f"{where} it was about in balance: {both}.", 0.0
    return f"{where} {both}, which in all was a push {way if left > 0 else back}.", left


def _push(told: list[str]) -> str:
    return f"{listed(told)} pushed"


def _strength(run: RecordedRun, part: float, entry: Entry) -> str:
    return quantity(part, push_unit(run, entry), 2)
