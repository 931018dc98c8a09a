"""Events for the table and the lanes of the view."""

from __future__ import annotations

from collections.abc import Container, Hashable, Sequence

import numpy as np

from xinv_nb.recorded.events import Event
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.view import protocol


def events_for_view(
    run: RecordedRun, events: Sequence[Event], last_seen: dict[Hashable, int]
) -> list[protocol.RunEvent]:
    """Return events for the table; the lanes mark only where a kind of event begins, or turns to its opposite.

    The value of a watched quantity at each iteration is no news to a reader: of these the table has the beginnings.
    """
    rows: list[protocol.RunEvent] = []
    watched = run.history.watches.keys()
    for event in events:
        kind = _kind(event)
        begins = last_seen.get(kind, -2) < event.evaluation - 1
        last_seen[kind] = event.evaluation
        if event.name in watched and not begins:
            continue
        rows.append(
            {
                "id": event.id,
                "evaluation": event.evaluation,
                "phase": event.phase,
                "text": event.text,
                "stage": event.stage,
                "count": event.count,
                "lane": begins,
            }
        )
    return rows


def with_last(rows: list[protocol.RunEvent], events: Sequence[Event], run: RecordedRun) -> list[protocol.RunEvent]:
    """Mark in the lanes as well where a kind of event happens for the last time before the end."""
    watched = run.history.watches.keys()
    latest = {_kind(e): e for e in events if e.phase == "forward" and e.name not in watched}
    ending = {e.id for e in latest.values() if e.evaluation < run.evaluations - 1}
    for row in rows:
        row["lane"] = row["lane"] or row["id"] in ending
    return rows


def most_telling(rows: list[protocol.RunEvent], most: int, cited: Container[str]) -> list[protocol.RunEvent]:
    """Return at most `most` rows, in order: those that are cited, then those in the lanes, then others.

    Of what does not fit, evenly many stay from the first to the last.
    """
    if len(rows) <= most:
        return rows
    chosen: list[int] = []
    ranks = [0 if row["id"] in cited else 1 if row["lane"] else 2 for row in rows]
    for rank in range(3):
        places = [k for k, own in enumerate(ranks) if own == rank]
        count = min(len(places), most - len(chosen))
        chosen += [places[k] for k in np.linspace(0, len(places) - 1, count).astype(int)]
    return [rows[k] for k in sorted(chosen)]


def _kind(event: Event) -> Hashable:
    """Return what makes two events the same but for their numbers: words, and the sign that the gradient has."""
    words = tuple(value for value in event.values.values() if isinstance(value, str))
    return event.phase, event.name, event.stage, words, np.sign(event.values.get("cotangent", 0))
