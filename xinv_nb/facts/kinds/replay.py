"""What a replay changed: what was otherwise, what differed first, where it ended, which reason turned.

Method: both runs point by point along what their optimizers accepted; of their reasons, the parts that changed sign.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.names import named, named_optimizer
from xinv_nb.language.slots import (
    Clause,
    Count,
    Iteration,
    Listed,
    Named,
    Said,
    Share,
    Slot,
    Value,
    Word,
    loss_pair,
    pair,
)
from xinv_nb.recorded.entries import Entry
from xinv_nb.recorded.run import RecordedRun

_MOST_PLACES = 4


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield what sets a replay apart from the run that it repeats.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> def cost(x):
    ...     return x**2
    >>> with xi.record("slow") as run:
    ...     x = 4.0
    ...     for _ in range(8):
    ...         run.add(cost(x), x, 2 * x)
    ...         x -= 0.1 * 2 * x
    >>> for fact in run.replay(lambda x: (cost(x), 2 * x), step_size=0.2).facts:
    ...     if fact.kind == "replay":
    ...         print(fact.text)
    This repeats slow, with a step size of 0.2 instead of 0.1.
    It ended with a loss of 0.0125, 98 % lower than the 0.704 of slow.
    Its first step led elsewhere than that of slow: x went to 2.4, there to 3.2.
    x ended at 0.112, in slow at 0.839.
    """
    found = evidence.run.replay_of
    if not found:
        return
    span = 0, evidence.last
    original: dict[str, Slot] = {"original": Said(str(found["original"]))}
    changes = tuple(clause for each in found["changes"] for clause in _changes(evidence.run, each))
    form = "again, with changes" if changes else "again"
    yield KIND.fact(form, span, 0.99, original | ({"changes": Listed(changes)} if changes else {}))
    if found.get("is_same"):
        yield KIND.fact("the same", span, 0.98, original)
        return
    if "loss" in found:
        yield _loss(found, span, original)
    entries = {entry.column: entry for leaf in evidence.run.history.leaves for entry in _of(evidence.run, leaf)}
    if first := found.get("first"):
        form = "apart at once" if first["steps"] == 1 else "apart later"
        slots = original | _two_places(first, entries) | {"steps": Count(first["steps"] - 1)}
        yield KIND.fact(form, span, 0.7, slots)
    for place in found.get("points", ()):
        yield KIND.fact("point", span, 0.65, original | _two_places(place, entries))
    for turned in found.get("turned", ()):
        yield KIND.fact("reason turned", span, 0.8, original | _turned(turned, entries))


def _of(run: RecordedRun, leaf: Any) -> list[Entry]:
    return run.entries_of(leaf, range(leaf.size)) if leaf.kept is None else []


def _loss(found: Mapping[str, Any], span: tuple[int, int], original: dict[str, Slot]) -> Fact:
    end, other = float(found["loss"]), float(found["other_loss"])
    value, beside = loss_pair(end, other, both=True)
    slots: dict[str, Slot] = original | {"loss": value, "other_loss": beside}
    form = "loss, alike" if value.looks_like(beside) else "loss"
    if form == "loss" and end > 0 and other > 0:
        share = abs(end - other) / other
        slots["share"] = Share(min(share, 0.999) if end < other else share)
        form = "loss, lower" if end < other else "loss, higher" if share < 1 else form
    return KIND.fact(form, span, 0.9, slots)


def _two_places(place: Mapping[str, Any], entries: Mapping[int | None, Entry]) -> dict[str, Slot]:
    entry = entries[place["column"]]
    value, other = pair(float(place["value"]), float(place["other"]), entry.parameter.unit, both=True)
    return {"parameter": named(entry), "value": value, "other": other}


def _turned(turned: Mapping[str, Any], entries: Mapping[int | None, Entry]) -> dict[str, Slot]:
    by_name = {entry.name: named(entry) for entry in entries.values()}
    part, unit = float(turned["part"]), str(turned["unit"])
    return {
        "parameter": by_name.get(turned["parameter"], Named(turned["parameter"])),
        "quantity": Named(turned["quantity"], turned["quantity"], unit),
        "did": Word("lowered" if part < 0 else "raised"),
        "part": Value(abs(part), unit, digits=2),
        "did2": Word("raised" if part < 0 else "lowered"),
        "other_part": Value(abs(float(turned["other"])), unit, digits=2),
    }


def _changes(run: RecordedRun, change: Mapping[str, Any]) -> list[Clause]:
    what, before = change["what"], change.get("before")
    if what == "from":
        return [Clause("replay from", {"at": Iteration(change["at"])})]
    if what in ("start", "fixed"):
        told = _places(run, "parameter at" if what == "start" else "replay held", change["places"])
        return told if what == "fixed" else [Clause("replay start", {"places": Listed(tuple(told))})]
    slots: dict[str, Slot] = {}
    if what == "optimizer":
        slots["optimizer"] = named_optimizer(change["value"])
        slots |= {"before": named_optimizer(before)} if before else {}
    elif what == "iterations":
        slots["value"] = Count(change["value"])
        slots |= {"before": Count(before)} if before else {}
        if not before:  # a solver's own, of several evaluations each
            slots["iterations"] = Word("iteration" if change["value"] == 1 else "iterations")
    else:
        slots["value"] = Value(change["value"])
        slots |= {"before": Value(before, beside=change["value"])} if before else {}
    return [Clause(f"replay {what}{', instead' if before else ''}", slots)]


def _places(run: RecordedRun, form: str, places: list[dict[str, Any]]) -> list[Clause]:
    """Return a clause for each of the first parameters that were set, and one for the others.

    An array that was set to one value is told as a whole.
    """
    values = {place["name"]: place["value"] for place in places}
    whole: dict[str, Named] = {}
    entries = {entry.name: entry for leaf in run.history.leaves for entry in _of(run, leaf)}
    for leaf in run.history.leaves:
        own = _of(run, leaf)
        names = [entry.name for entry in own]
        if len(own) > 1 and names[0] in values and len({values.get(name) for name in names}) == 1:
            whole[leaf.name], entries[leaf.name] = Named(leaf.name, own[0].group), own[0]
            places = [{"name": leaf.name, "value": values[names[0]]}, *(p for p in places if p["name"] not in names)]
    told = [
        Clause(form, {"parameter": whole.get(name, named(entry)), "value": Value(place["value"], entry.parameter.unit)})
        for place in places[:_MOST_PLACES]
        if (entry := entries.get(name := place["name"])) is not None
    ]
    if len(places) > _MOST_PLACES:
        told.append(Clause("others, as well", {"count": Count(len(places) - _MOST_PLACES)}))
    return told


OF_A_REPLAY = {
    "original": Said,
    "changes": Listed,
    "parameter": Named,
    "value": Value,
    "other": Value,
    "steps": Count,
    "quantity": Named,
    "did": Word,
    "part": Value,
    "did2": Word,
    "other_part": Value,
}
"""What is said of a replay beside the losses; a comparison of both runs says it in words of its own."""

KIND = Kind(
    name="replay",
    question=Question.COMPARISON,
    rank=99,
    slots={
        **OF_A_REPLAY,
        "loss": Value,
        "other_loss": Value,
        "share": Share,
    },
    compute=compute,
    method="both runs point by point along their accepted evaluations; reasons whose parts changed sign",
    asked_with=r"\b(?:replay\w*|differ\w*|what (?:has )?changed|instead of before|"
    r"(?:than|with) (?:before|the (?:first|other|original) (?:run|one))|"
    r"what (?:did|does|has) (?:it|this|that|(?:the|a) \w+er \w+(?: size)?) changed?)\b",
    of_fits=True,
)
