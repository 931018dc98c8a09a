"""Which events of the simulation began or ended during the run."""

from __future__ import annotations

from collections.abc import Iterator

from xinv_nb.run import Event, Fact, Run

_MOST = 24


def happenings(run: Run) -> Iterator[Fact]:
    """Yield the first and the last time of events that did not happen throughout, the most frequent first."""
    last = run.evaluations - 1
    if last < 2:
        return
    history = run.history
    groups: dict[tuple[object, ...], list[Event]] = {}
    # Not `run.events`: that words the backward events, which nobody asks for here.
    for owner, event in run._events:  # noqa: SLF001
        if event.phase == "forward" and event.name not in history.watches and owner in (history, None):
            words = tuple(v for v in event.values.values() if isinstance(v, str))
            groups.setdefault((event.name, event.stage, *words), []).append(event)
    complete = not any("events: the later ones were not kept" in notice for notice in run.notices)
    told = 0
    for events in sorted(groups.values(), key=lambda group: -len(group)):
        first, final = events[0], events[-1]
        if first.evaluation == 0 and (final.evaluation == last or not complete):
            continue
        told_of, when = (first, "For the first time at") if first.evaluation > 0 else (final, "For the last time at")
        if first.evaluation == final.evaluation and complete:
            when = "At"
        cites = (first.id,) if final is first else (first.id, final.id)
        values = {"first": first.evaluation, "last": final.evaluation, "count": len(events), "at": told_of.evaluation}
        said = " ".join(told_of.text.split()).rstrip(".")
        if said:
            told += 1
            text = f"{when} iteration {told_of.evaluation}: {said}."
            yield Fact("", "event", text, values, (first.evaluation, final.evaluation), cites)
        if told == _MOST:
            return
