"""Files of version 1: their events were saved in words, from which what they are about is found again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xinv_nb.recorded.endings import reason_of
from xinv_nb.recorded.file.values import decoded, encoded
from xinv_nb.recorded.history import History
from xinv_nb.recorded.run import RecordedRun

_DROPPED = "events: the later ones were not kept"
"""Part of the notice that told of it."""
_NOT_FINITE = "not finite"
"""The name of events about numbers that stopped being finite."""


def events_of(
    run: RecordedRun, histories: Sequence[History], headers: Sequence[Mapping[str, Any]]
) -> tuple[list[tuple[int, Any]], bool]:
    """Return the events as version 2 has them, each with the number of its objective, and whether some were dropped."""
    found = []
    views = run.objectives.values()
    for number, (history, header) in enumerate(zip(histories, headers, strict=True)):
        view = next((each for each in views if each.history is history), run)
        columns = {entry.name: entry.column for entry in view.entries()}
        found += [(number, _event(saved, history, columns)) for saved in header["events"]]
    return found, any(_DROPPED in notice for notice in run.notices)


def _event(saved: Any, history: History, columns: Mapping[str, int | None]) -> Any:
    event = dict(decoded(saved))
    values = dict(event["values"])
    event["kind"] = kind = _kind(event, values, history)
    if kind in ("turn", "bound", "terms") and (column := columns.get(values.get("parameter", ""))) is not None:
        event |= {"column": column, "values": {name: v for name, v in values.items() if name != "parameter"}}
    if kind == "optimizer" and "message" in values:
        by_callback = "the callback ended it" in event["text"]
        values["reason"] = "callback" if by_callback else reason_of(str(values["message"]))
        event["values"] = values | {"bounded": "within the bounds" in event["text"]}
    return encoded(event)


def _kind(event: Mapping[str, Any], values: Mapping[str, Any], history: History) -> str:
    if event["name"] == _NOT_FINITE:
        return "not finite"
    if event["phase"] == "optimizer":
        return "bound" if "bound" in values else "optimizer"
    if event["phase"] == "forward":
        return "watched" if event["name"] in history.watches else "happening"
    if "less" in values:
        return "terms"
    return "turn" if "parameter" in values else "asked"
