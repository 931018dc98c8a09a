"""Which events of the simulation began or ended during the run."""

from __future__ import annotations

from collections.abc import Iterator

from xinv_nb.run import Event, Fact, Run

_MOST = 6


def happenings(run: Run) -> Iterator[Fact]:
    """Yield the first and the last time of events that did not happen throughout, the most frequent first."""
    last = run.evaluations - 1
    groups: dict[tuple[object, ...], list[Event]] = {}
    for event in run.events:
        if event.phase == "forward" and event.name not in run.history.watches:
            words = tuple(v for v in event.values.values() if isinstance(v, str))
            groups.setdefault((event.name, event.stage, *words), []).append(event)
    told = 0
    for events in sorted(groups.values(), key=lambda group: -len(group)):
        first, final = events[0], events[-1]
        if told >= _MOST or last < 2 or (first.evaluation == 0 and final.evaluation == last):
            continue
        told += 1
        values = {"first": first.evaluation, "last": final.evaluation, "count": len(events)}
        span = (first.evaluation, final.evaluation)
        if first.evaluation == final.evaluation:
            text = f"Only at iteration {first.evaluation}: {first.text}."
        elif first.evaluation == 0:
            text = f"For the last time at iteration {final.evaluation}: {final.text}."
        else:
            text = f"For the first time at iteration {first.evaluation}: {first.text}."
        yield Fact("", "event", text, values, span, (first.id, final.id) if first is not final else (first.id,))
