"""The headlines of the chapters of a run: how much of the fall a phase brought, and by which moves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.measures.scale import is_logarithmic
from xinv_nb.language.slots import Share, Slot
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.words.choosing import of_kind
from xinv_nb.words.headline_facts import headline, shortest
from xinv_nb.words.moves import is_of_domain, moved, moves_of

_LITTLE, _WHOLE = 0.01, 0.99
"""Shares of the fall between which a share says more than where the loss began and ended."""


def headline_of_chapter(run: RecordedRun, own: Sequence[Fact]) -> str:
    """Return the headline of a caption by the facts that it tells; empty where these have none in few words.

    >>> headline_of_chapter(RecordedRun(), [])
    ''
    """
    phases = of_kind(own, "phase")
    found = list(_of_phase(run, phases[0], own) if phases else _of_moves(own))
    return shortest(run, found).text if found else ""


def _of_moves(own: Sequence[Fact], *, of_domain: bool = False) -> Iterator[Fact]:
    """Yield which way parameters went, of several first; or what happened, where none moved."""
    moves = [fact for fact in own if fact.kind in ("reason", "movement") and fact.form.startswith(("because", "went"))]
    moves = [fact for fact in moves if is_of_domain(fact)] if of_domain else moves
    for count in range(min(len(moves), 3), 0, -1):
        yield headline("moved", moves[:count], {"why": moved(moves[:count])})
    for fact in of_kind(own, "event")[:1]:
        yield headline("happened", [fact], fact.slots)


def _of_phase(run: RecordedRun, phase: Fact, own: Sequence[Fact]) -> Iterator[Fact]:
    """Yield what became of the loss in a phase: its share of the fall where that tells something, and what moved."""
    facts, slots = facts_of(run), dict(phase.slots)
    if phase.form.startswith("swung down") or phase.form == "changed":
        share = _share(run, facts, phase)
        named: dict[str, Slot] = {} if share is None else {"share": Share(share)}
        is_fall = "went" not in phase.values or phase.values["went"] < 0
        whys = list(moves_of(facts, phase.span)) if is_fall else []
        if share is not None:
            yield from (headline("part, why", [phase, *of], named | {"why": why}) for why, of in whys)
            yield from (headline("part, moves", [phase, *of], {"why": why}) for why, of in whys)
            yield headline("part", [phase], slots | named)
        if phase.form == "changed" and is_fall:
            yield from (fact for fact in _of_moves(own, of_domain=True) if fact.form == "moved")
        form = "swung down" if phase.form.startswith("swung down") else "phase"
        yield from (headline(f"{form}, why", [phase, *of], slots | {"why": why}) for why, of in whys)
        yield headline(form, [phase], slots)
    elif phase.form == "hardly changed":
        yield headline("hardly", [phase], slots)
    elif phase.form == "swung":
        yield headline("swung", [phase], slots)
    elif phase.form.startswith("swung"):
        yield headline("swung, of any height", [phase], {})
    elif phase.form == "noisy":
        yield headline("noisy", [phase], slots)
    elif phase.form == "took over":
        yield headline("took over", [phase], slots)
    elif phase.form == "broken":
        yield headline("broken", [phase], slots)
    else:
        yield headline(f"phase {phase.form}", [phase], slots)


def _share(run: RecordedRun, facts: Sequence[Fact], phase: Fact) -> float | None:
    """Return the share of the whole fall that a phase brought; None on a logarithmic scale, where it tells little."""
    course = next(iter(of_kind(facts, "course")), None)
    if course is None or run.status == "running" or not {"start", "end"} <= set(phase.slots):
        return None
    start, end = (course.values.get(name) for name in ("start", "end"))
    if not course.form.startswith("changed") or "label" in course.slots or start is None or end is None:
        return None
    losses = run.loss[run.accepted]
    if not start > end or "early" in course.values or not (losses == losses).all() or is_logarithmic(losses):
        return None
    share = float(phase.values["start"] - phase.values["end"]) / float(start - end)
    return share if _LITTLE <= share <= _WHOLE else None
