"""What the recording tells of the optimizers themselves: where each starts, and how the last one stopped."""

from __future__ import annotations

from xinv_nb.recorded.events import Event, NewEvent
from xinv_nb.recorded.run import RecordedRun

_MOST_STARTS = 4
"""Starts of optimizers up to which each begins a phase; a search from many starts is not told start by start."""


def optimizer_starts(run: RecordedRun) -> list[int]:
    """Return the evaluations after the first at which an optimizer starts; none where there are many.

    Examples
    --------
    >>> optimizer_starts(RecordedRun())
    []
    """
    starts = [event.evaluation for event in starting_events(run)]
    later = [start for start in dict.fromkeys(starts) if start > 0]
    return later if len(later) <= _MOST_STARTS else []


def last_stop(run: RecordedRun) -> Event | None:
    """Return the event that tells why and where the last optimizer stopped, if it stopped where the run ended."""
    # A search that started another one may be told to stop after it, but stopped asking before.
    events = [event for event in optimizer_events(run) if event.evaluation == run.evaluations - 1]
    if not events and run.evaluations:
        return _of_its_call(run)
    return events[-1] if events and "evaluations" in events[-1].values else None


def _of_its_call(run: RecordedRun) -> Event | None:
    """Return the same of a call of which no event is kept: one of many."""
    call = run.history.calls[-1] if run.history.calls else None
    if call is None or call.stop != run.evaluations or not call.ending.get("message"):
        return None
    values = {"optimizer": call.optimizer, "evaluations": call.stop - call.start, **call.ending}
    return Event("", run.evaluations - 1, *NewEvent("optimizer", "optimizer", "", values, kind="optimizer"))


def optimizer_events(run: RecordedRun) -> list[Event]:
    """Return the events of optimizers that start or stop, in the order in which they happened."""
    recorded = run.events_as_recorded()
    known, found = run.memo.get("optimizer events", (None, ()))
    if known is not recorded:  # asked by seven kinds of a run that may have as many events as evaluations
        found = [event for event in recorded if event.kind == "optimizer" and "optimizer" in event.values]
        run.memo["optimizer events"] = recorded, found
    return list(found)


def starting_events(run: RecordedRun) -> list[Event]:
    """Return the events of optimizers that start: they tell the loss that the optimizer found there."""
    return [event for event in optimizer_events(run) if "loss" in event.values]
