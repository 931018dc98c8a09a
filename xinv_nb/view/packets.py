"""What the browser is told of a run: columns, words and pictures in packets. `js/src/protocol.ts` mirrors it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

from xinv_nb.history import History
from xinv_nb.run import Entry, Run
from xinv_nb.view.columns import bytes_per_row, chosen_rows, columns, series
from xinv_nb.view.events import events_for_view, with_last
from xinv_nb.view.export import File
from xinv_nb.view.head import Writer, head
from xinv_nb.view.scene import Frame
from xinv_nb.view.texts import captions, facts, phases
from xinv_nb.view.watched import describe_watched
from xinv_nb.view.wire import MOST_DEFLATED, Body, pack

MOST_ROWS = 20_000
"""Evaluations that a snapshot carries; of more, one in n is sent, and the view says so."""
MOST_BYTES = 8_000_000
"""Bytes of numbers that a snapshot carries: 20,000 evaluations of 33 parameters, fewer of more."""
MOST_BYTES_LIVE = 18_000
"""Bytes of numbers in one message of a live run; the snapshot at its end brings what was left out."""
_LEAST_ROWS = 16
MOST_EVENTS = 2_000
_MOST_EVENTS_LIVE = 40
"""Events in one message of a live run: wording them takes its time, and the next message brings more."""


@dataclass(frozen=True)
class Detail:
    """How much of a run a snapshot carries, and whether it is to be deflated."""

    bytes: int = MOST_BYTES
    events: int = MOST_EVENTS
    exact: bool = True
    deflated: bool = False


@dataclass
class Sent:
    """What the browser has been sent so far."""

    sequence: int = 0
    rows: int = 0
    events: int = 0
    last_seen: dict[Hashable, int] = field(default_factory=dict)
    """When each kind of event happened last: the lanes mark where one begins."""
    history: History | None = None
    """The objective whose rows these are."""
    several: set[int] = field(default_factory=set)
    """Watched quantities that had more than one number in an evaluation."""
    entries: list[Entry] = field(default_factory=list)
    """The parameters of that objective, under their names."""
    watched: list[dict[str, Any]] = field(default_factory=list)
    """What was said of the watched quantities."""


def snapshot(
    run: Run, sent: Sent, writer: Writer, frames: Iterable[Frame] | None = None, detail: Detail | None = None
) -> bytes:
    """Return everything there is to show of `run`; pictures that the browser has stay where `frames` is None."""
    detail, entries = detail or Detail(), _entries(run, sent)
    most_rows = min(MOST_ROWS, max(_LEAST_ROWS, detail.bytes // bytes_per_row(run, entries)))
    stride = max(1, -(-run.evaluations // most_rows))
    rows = chosen_rows(run, 0, run.evaluations, stride)
    is_small = len(rows) * bytes_per_row(run, entries) < MOST_DEFLATED
    body = Body(in_planes=detail.deflated or is_small, narrow=not detail.exact)
    events = run.events
    listed = with_last(events_for_view(run, events, {}), events, run)
    header: dict[str, Any] = {
        "kind": "snapshot",
        "sequence": sent.sequence,
        "run": run.id,
        **columns(run, entries, rows, body, sent.several),
        "head": _with_notice(head(run, writer, stride), len(listed), detail),
        **series(run, entries),
        "watched": describe_watched(run, sent.several),
        "phases": phases(run),
        "events": listed[: detail.events],
        "events_total": len(listed),
        "facts": facts(run),
        "captions": captions(run, writer),
    }
    if frames is not None:
        header["frames"] = [_frame(frame, body) for frame in frames]
    sent.rows, sent.events, sent.history = run.evaluations, len(events), run.history
    sent.watched = header["watched"]
    return pack(header, body)


def _with_notice(head: dict[str, Any], events: int, detail: Detail) -> dict[str, Any]:
    """Return the head, which says so where a page without a kernel lists fewer events than the run has."""
    if detail.events < min(events, MOST_EVENTS):
        head["notices"] = [*head["notices"], f"This page lists the first {detail.events} of {events} events."]
    return head


def update(
    run: Run,
    sent: Sent,
    writer: Writer,
    *,
    most_bytes: int = MOST_BYTES_LIVE,
    explain: bool = False,
    frames: Iterable[Frame] = (),
) -> bytes:
    """Return what is new since the last packet; `explain` adds phases, facts and captions as they stand.

    Where another objective has become the one that is shown, that is everything.
    """
    if sent.rows and sent.history is not run.history:
        sent.sequence += 1
        return snapshot(run, sent, writer, frames)
    body, entries = Body(), _entries(run, sent)
    is_first = sent.rows == 0 and run.evaluations > 0
    most_rows = max(_LEAST_ROWS, most_bytes // bytes_per_row(run, entries))
    stride = max(1, -(-(run.evaluations - sent.rows) // most_rows))
    header: dict[str, Any] = {
        **_next_update(run, sent),
        **columns(run, entries, chosen_rows(run, sent.rows, run.evaluations, stride), body, sent.several),
        "head": head(run, writer),
        "frames": [_frame(frame, body) for frame in frames],
    }
    if is_first:
        header |= series(run, entries)
    if (watched := describe_watched(run, sent.several)) != sent.watched:
        header["watched"] = sent.watched = watched
    last = min(MOST_EVENTS, sent.events + _MOST_EVENTS_LIVE)
    new = run._events_from(sent.events, last) if sent.events < last else []  # noqa: SLF001 - not all of them each time
    if new:
        header["events"] = events_for_view(run, new, sent.last_seen)
    if explain:
        header |= {"phases": phases(run), "facts": facts(run), "captions": captions(run, writer)}
    sent.rows, sent.events, sent.history = run.evaluations, sent.events + len(new), run.history
    return pack(header, body)


def head_update(run: Run, sent: Sent, writer: Writer) -> bytes:
    """Return an update of the head alone."""
    return pack({**_next_update(run, sent), "head": head(run, writer)}, Body())


def words(run: Run, sent: Sent, writer: Writer, extra: dict[str, Any] | None = None) -> bytes:
    """Return an update of the captions and the head alone."""
    header = {
        **_next_update(run, sent),
        "head": head(run, writer),
        "captions": captions(run, writer),
        **(extra or {}),
    }
    return pack(header, Body())


def frame_update(run: Run, sent: Sent, frame: Frame) -> bytes:
    """Return an update that carries one picture of the scene, or why it could not be drawn."""
    body = Body()
    header = _next_update(run, sent)
    if frame.error:
        header["frame_error"] = {"iteration": frame.iteration, "text": frame.error}
    else:
        header["frames"] = [_frame(frame, body)]
    return pack(header, body)


def file_update(run: Run, sent: Sent, request: Any, file: File | str) -> bytes:
    """Return an update that carries a file that the reader asked for, or in words why there is none."""
    body = Body()
    header = _next_update(run, sent)
    if isinstance(file, str):
        header["file"] = {"request": request, "error": file}
    else:
        header["file"] = {
            "request": request,
            "name": file.name,
            "type": file.type,
            "offset": body.add(file.content),
            "length": len(file.content),
        }
    return pack(header, body)


def _entries(run: Run, sent: Sent) -> list[Entry]:
    """Return what is followed of the parameters; named once, for names take longer than the numbers of a message."""
    if sent.history is not run.history or not sent.entries:
        sent.entries = run.entries()
    return sent.entries


def _next_update(run: Run, sent: Sent) -> dict[str, Any]:
    """Return the header of the next update, without rows."""
    sent.sequence += 1
    return {"kind": "update", "sequence": sent.sequence, "run": run.id, "rows": 0, "columns": []}


def _frame(frame: Frame, body: Body) -> dict[str, Any]:
    return {
        "iteration": frame.iteration,
        "offset": body.add(frame.png),
        "length": len(frame.png),
        "type": "image/png",
        "width": frame.width,
        "height": frame.height,
    }
