"""What a phase's caption tells: the loss and what earned its change, why what moved did so, what happened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xinv_nb.facts.fact import Fact, Phase
from xinv_nb.language.slots import Value
from xinv_nb.words.choosing import Choice, joined, of_kind, subject_of, with_one_of
from xinv_nb.words.phrases import Phrases

MOST_WATCHED = 3
"""Watched quantities told of in one caption."""
MOST_MOVES = 3
"""Parameters told of in one caption."""
MOST_EVENTS = 3
_NEARLY_ALL = 0.95
"""Share of a change over the whole run, told in the summary, from which on its phase says nothing new of it."""

_SAME_SHARE = 0.03
_ONE_IS_DEAD = ("gradient-dies", "cut-off", "saturated")
"""Findings that a parameter is not moved at all."""


def choices_of_phase(
    facts: Sequence[Fact], phase: Phase, bank: Phrases, summary: Sequence[Fact], *, is_last: bool
) -> Iterator[Choice]:
    """Yield the phase's own fact with what earned it, then why what moved did so, and what happened in the simulation.

    What the facts of the summary say of a quantity, or the parts of the loss here, is not said again.
    """
    own = next(f for f in of_kind(facts, "phase") if f.span[0] == phase.start)
    earned = [f for kind in ("terms", "drop") for f in of_kind(facts, kind) if f.span == own.span]
    earned = [f for f in earned if not any(_is_same_credit(f, other) for other in summary)]
    if any(f.data["finding"] in _ONE_IS_DEAD for f in of_kind(facts, "finding")):
        earned = []  # that the other one earned all of it would seem a success
    first = with_one_of(bank, own, earned)
    yield Choice(0, first)
    if is_last:
        yield from (Choice(1, bank.of(f)) for f in speed_in(facts, bank))
    moves = [f for f in why_or_how(facts, own.span) if not _is_told(f, summary)]
    yield from (Choice(min(k + 1, 3), phrase) for k, phrase in enumerate(joined(bank, moves[:MOST_MOVES])))
    if is_last:
        yield from (Choice(2, bank.of(f)) for f in of_kind(facts, "at rest")[:1])
    parts = {name for fact in first.facts if fact.kind == "terms" for name in fact.data["parts"]}
    watches = [f for f in watched_in(facts, own.span) if f.values["quantity"] not in parts and not _is_told(f, summary)]
    yield from (Choice(4, phrase) for phrase in joined(bank, watches))
    yield from (Choice(2, phrase) for phrase in joined(bank, events_in(facts, phase.start, phase.stop - 1)))


def _is_same_credit(drop: Fact, credit: Fact) -> bool:
    """Whether the fall in a phase splits between parameters as that of the whole run does."""
    if (drop.kind, credit.kind) != ("drop", "credit") or drop.values["mover"] != credit.values["mover"]:
        return False
    return bool(abs(drop.values["share"] - credit.values["share"]) <= _SAME_SHARE)


def _is_told(fact: Fact, summary: Sequence[Fact]) -> bool:
    """Whether the summary tells of nearly the same change."""
    same = [f for f in summary if f.kind == fact.kind and subject_of(f) == subject_of(fact) and f.form == fact.form]
    return any(_change(f) and _NEARLY_ALL <= _change(fact) / _change(f) <= 1 / _NEARLY_ALL for f in same)


def _change(fact: Fact) -> float:
    start, end = fact.slots.get("start"), fact.slots.get("end")
    return end.number - start.number if isinstance(start, Value) and isinstance(end, Value) else 0.0


def speed_in(facts: Sequence[Fact], bank: Phrases) -> list[Fact]:
    """Return how fast the loss neared its limit; that each decrease was a smaller share tells an expert something."""
    found = of_kind(facts, "convergence")
    return found if bank.level == "expert" else [fact for fact in found if fact.form != "superlinear"]


def watched_in(facts: Sequence[Fact], span: tuple[int, int], most: int = MOST_WATCHED) -> list[Fact]:
    """Return how watched quantities changed over a span."""
    return [f for f in of_kind(facts, "watch") if f.span == span and not f.values["is_loss"]][:most]


def moved_in(facts: Sequence[Fact], span: tuple[int, int]) -> list[Fact]:
    """Return why parameters moved over the whole run, or how; if none did, of the first that stayed."""
    turned = {f.values["parameter"]: f for f in of_kind(facts, "turning") if "parameter" in f.values}
    whole = [turned.get(f.values["parameter"], f) if f.kind == "movement" else f for f in why_or_how(facts, span)]
    return ([f for f in whole if f.values.get("how") not in ("stayed", "returned")] or whole[:1])[:MOST_MOVES]


def why_or_how(facts: Sequence[Fact], span: tuple[int, int]) -> list[Fact]:
    """Return the moves of parameters over a span, first those of which the reason is known, by that."""
    why = [f for f in of_kind(facts, "reason") if f.span == span]
    told = {f.values["parameter"] for f in why}
    return [*why, *(f for f in of_kind(facts, "movement") if f.span == span and f.values["parameter"] not in told)]


def events_in(facts: Sequence[Fact], start: int, stop: int, most: int = MOST_EVENTS) -> list[Fact]:
    """Return the facts of events between two evaluations, the most frequent of them, in the order of time.

    Of events that happened equally often, as many as fit are taken evenly from first to last: a run is told to its end.
    """
    found = [f for f in of_kind(facts, "event") if start <= f.values["at"] <= stop]
    if len(found) > most:
        count = found[most - 1].values["count"]
        often = [f for f in found if f.values["count"] > count]
        equal = sorted((f for f in found if f.values["count"] == count), key=lambda f: int(f.values["at"]))
        left = most - len(often)
        places = [round(i * (len(equal) - 1) / max(left - 1, 1)) for i in range(left)]
        found = [*often, *(equal[place] for place in places)]
    return sorted(found, key=lambda f: int(f.values["at"]))
