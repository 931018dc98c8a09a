"""What the browser is told of a run: columns, words and pictures in packets. `protocol` has their fields."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.analysis import facts_of
from xinv_nb.recorded.entries import Entry
from xinv_nb.recorded.history import History
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.view import protocol
from xinv_nb.view.columns import bytes_per_row, columns, drawn_at_first, entries_to_draw, groups, rows_to_send, series
from xinv_nb.view.events import events_for_view, most_telling, with_last
from xinv_nb.view.file import File
from xinv_nb.view.findings import findings_for_view
from xinv_nb.view.first_sight import add_first_sight, headline
from xinv_nb.view.fits import fits_for_view, looked_at
from xinv_nb.view.head import Writer, head, state_in_words
from xinv_nb.view.questions import fact_groups
from xinv_nb.view.reasons import MOST_BYTES_OF_REASONS, reasons_for_view, reasons_over
from xinv_nb.view.reasons_protocol import Reasons
from xinv_nb.view.scene import Frame
from xinv_nb.view.texts import captions, facts_for_view, phases
from xinv_nb.view.thinning import telling_rows
from xinv_nb.view.watched import describe_watched
from xinv_nb.view.wire import MOST_DEFLATED, VERSION, Body, pack

MOST_ROWS = 20_000
"""Evaluations that a packet carries; of more, the most telling ones are sent, and the view says so."""
MOST_BYTES = 8_000_000
"""Bytes of numbers that a snapshot carries: 20,000 evaluations of 33 parameters, fewer of more."""
MOST_BYTES_LIVE = 14_000
"""Bytes of numbers in one message of a live run; the snapshot at its end brings what was left out."""
_LEAST_ROWS = 16
MOST_EVENTS = 2_000
_MOST_EVENTS_LIVE, _MOST_EVENTS_LATER = 25, 200
"""Events that are looked at for one message of a live run: wording them takes its time, and the next message brings
more. Past `MOST_EVENTS`, when only what the lanes mark is told, it takes less."""

_Citing = protocol.Fact | protocol.Caption


@dataclass(frozen=True)
class Detail:
    """How much of a run a snapshot carries, and whether it is to be deflated."""

    all_entries: bool = True
    """Whether entries of large arrays go along, once the run has ended."""
    bytes: int = MOST_BYTES
    events: int = MOST_EVENTS
    pushes: int = MOST_BYTES_OF_REASONS
    """Bytes of the reasons, most of which are pushes."""
    exact: bool = True
    deflated: bool = False


@dataclass
class Sent:
    """What the browser has been sent so far."""

    sequence: int = 0
    rows: int = 0
    events: int = 0
    """Recorded events that were looked at, also those of other objectives."""
    listed: set[str] = field(default_factory=set)
    """The events that the browser has."""
    last_seen: dict[Hashable, int] = field(default_factory=dict)
    """When each kind of event happened last: the lanes mark where one begins."""
    history: History | None = None
    """The objective whose rows these are."""
    several: set[int] = field(default_factory=set)
    """Watched quantities that had more than one number in an evaluation."""
    entries: list[Entry] = field(default_factory=list)
    """The parameters of that objective, under their names."""
    drawn: list[int] = field(default_factory=list)
    """Which of them are drawn until the reader chooses others."""
    watched: list[protocol.Watched] = field(default_factory=list)
    """What was said of the watched quantities."""
    fits: protocol.Fits | None = None
    """What was said of the fits."""
    reasons: Reasons | None = None
    """What was said of the reasons."""
    looked_at: int = 0
    """How many evaluations that was said of."""
    begins: list[int] = field(default_factory=list)
    objectives: protocol.Objectives | None = None
    """The objectives that the reader may choose between."""
    thinned: int = 1
    """One in how many evaluations is there."""


def snapshot(
    run: RecordedRun, sent: Sent, writer: Writer, frames: Iterable[Frame] | None = None, detail: Detail | None = None
) -> bytes:
    """Return everything there is to show of `run`; pictures that the browser has stay where `frames` is None."""
    detail = detail or Detail()
    sent.entries = entries = entries_to_draw(run) if detail.all_entries and run.status != "running" else run.entries()
    sent.drawn = drawn_at_first(run, entries)
    drawn = [entries[key] for key in sent.drawn]
    rows = rows_to_send(run, drawn, 0, run.evaluations, _most_rows(run, entries, detail.bytes))
    is_small = len(rows) * bytes_per_row(run, entries) < MOST_DEFLATED
    sent.thinned = _one_in(run.evaluations, rows)
    body = Body(in_planes=detail.deflated or is_small, narrow=not detail.exact)
    events, sent.last_seen = run.events, {}
    possible = with_last(events_for_view(run, events, sent.last_seen), events, run)
    said, told = facts_for_view(facts_of(run)), captions(run, writer)
    listed = most_telling(possible, detail.events, _cites([*said, *told]))
    numbers = columns(run, entries, rows, body, sent.several)
    sent.watched = describe_watched(run, sent.several)
    header: protocol.Header = {
        "version": VERSION,
        "kind": "snapshot",
        "sequence": sent.sequence,
        "run": run.id,
        "rows": len(rows),
        "columns": numbers,
        "head": _with_notice(head(run, writer, sent.thinned), len(possible), detail),
        "series": series(entries, sent.drawn),
        "groups": groups(entries),
        "watched": sent.watched,
        "phases": phases(run),
        "events": listed,
        "events_total": len(possible),
        "facts": said,
        "fact_groups": fact_groups(said),
        "captions": told,
        "findings": findings_for_view(run),
    }
    add_first_sight(header, run)
    sent.fits, sent.looked_at, sent.begins = fits_for_view(run), looked_at(run), []
    if sent.fits is not None:
        header["fits"] = sent.fits
    if (reasons := reasons_for_view(run, detail.pushes)) is not None:
        header["reasons"] = sent.reasons = reasons
    if sent.objectives is not None:
        header["objectives"] = sent.objectives
    if frames is not None:
        header["frames"] = [_frame(frame, body) for frame in frames]
    sent.rows, sent.events, sent.history = run.evaluations, run.event_count, run.history
    sent.listed = {row["id"] for row in listed}
    return pack(header, body)


def _with_notice(head: protocol.Head, events: int, detail: Detail) -> protocol.Head:
    """Return the head, which says so where a page without a kernel lists fewer events than the run has."""
    if detail.events < min(events, MOST_EVENTS):
        head["notices"] = [*head["notices"], f"This page lists {detail.events} of {events} events."]
    return head


def update(
    run: RecordedRun,
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
    rows = telling_rows(run.evaluations - sent.rows, _most_rows(run, entries, most_bytes), run.loss[sent.rows :])
    header: protocol.Header = {
        **_next_update(run, sent),
        "rows": len(rows),
        "columns": columns(run, entries, sent.rows + rows, body, sent.several),
        "head": head(run, writer, sent.thinned),
        "frames": [_frame(frame, body) for frame in frames],
    }
    if is_first:
        sent.drawn = drawn_at_first(run, entries)
        header |= {"series": series(entries, sent.drawn), "groups": groups(entries)}
    if (watched := describe_watched(run, sent.several)) != sent.watched:
        header["watched"] = sent.watched = watched
    events = _next_events(run, sent)
    if explain:
        said, told = facts_for_view(facts_of(run)), captions(run, writer)
        header |= {"phases": phases(run), "facts": said, "fact_groups": fact_groups(said), "captions": told}
        header["findings"] = findings_for_view(run)
        add_first_sight(header, run)
        if (fits := fits_for_view(run)) != sent.fits:
            header["fits"] = sent.fits = fits
        if (reasons := reasons_for_view(run)) is not None and reasons != sent.reasons:
            header["reasons"] = sent.reasons = reasons
        sent.looked_at = looked_at(run)
        events += _cited_events(run, sent, [*said, *told])
    if (begins := [c.start for c in run.history.calls if c.start >= max(1, sent.looked_at)]) != sent.begins:
        header["begins"] = sent.begins = begins
    header["events"] = events
    sent.rows, sent.history = run.evaluations, run.history
    return pack(header, body)


def rows_update(run: RecordedRun, sent: Sent, request: int, span: protocol.Span) -> bytes:
    """Return an update that carries the evaluations of a part of the run, more closely than a snapshot has them."""
    body, entries = Body(), _entries(run, sent)
    start, stop = max(0, span[0]), min(run.evaluations, span[1] + 1)
    drawn = [entries[key] for key in sent.drawn]
    rows = rows_to_send(run, drawn, start, stop, _most_rows(run, entries, MOST_BYTES))
    header: protocol.Header = {
        **_next_update(run, sent),
        "rows": len(rows),
        "columns": columns(run, entries, rows, body, sent.several),
        "detail": {"request": request, "span": (start, stop - 1), "thinned": _one_in(stop - start, rows)},
    }
    return pack(header, body)


def reasons_update(run: RecordedRun, sent: Sent, span: protocol.Span) -> bytes:
    """Return an update that carries the reasons over a part of the run."""
    return pack({**_next_update(run, sent), "reasons_over": reasons_over(run, span)}, Body())


def head_update(run: RecordedRun, sent: Sent, writer: Writer) -> bytes:
    """Return an update of the head alone."""
    return pack({**_next_update(run, sent), "head": head(run, writer, sent.thinned)}, Body())


def words(run: RecordedRun, sent: Sent, writer: Writer, answers: Sequence[protocol.Answer] = ()) -> bytes:
    """Return an update of the captions and the head alone, with answers to what the reader has asked."""
    told = captions(run, writer)
    header: protocol.Header = {
        **_next_update(run, sent),
        "head": head(run, writer, sent.thinned),
        "captions": told,
        "headline": headline(run),
        "answers": answers,
        "events": _cited_events(run, sent, [*told, *(answer["caption"] for answer in answers)]),
    }
    return pack(header, Body())


def frame_update(run: RecordedRun, sent: Sent, frame: Frame) -> bytes:
    """Return an update that carries one picture of the scene, or why it could not be drawn."""
    body = Body()
    header = _next_update(run, sent)
    if frame.error:
        header["frame_error"] = {"iteration": frame.iteration, "text": frame.error}
    else:
        header["frames"] = [_frame(frame, body)]
    return pack(header, body)


def file_update(run: RecordedRun, sent: Sent, request: int, file: File) -> bytes:
    """Return an update that carries a file that the reader asked for."""
    body, header = Body(), _next_update(run, sent)
    header["file"] = {
        "request": request,
        "name": file.name,
        "type": file.type,
        "offset": body.add(file.content),
        "length": len(file.content),
    }
    return pack(header, body)


def comparison_update(run: RecordedRun, sent: Sent, request: int, comparison: bytes) -> bytes:
    """Return an update that carries a packet of this run and others laid over each other."""
    body, header = Body(), _next_update(run, sent)
    header["comparison"] = {"request": request, "offset": body.add(comparison), "length": len(comparison)}
    return pack(header, body)


def other_runs_update(run: RecordedRun, sent: Sent, request: int, others: Iterable[RecordedRun]) -> bytes:
    """Return an update that names the runs that this one can be laid over."""
    header = _next_update(run, sent)
    runs: list[protocol.OtherRun] = [
        {"id": other.id, "name": other.name or other.title, "state": state_in_words(other)[1]} for other in others
    ]
    header["other_runs"] = {"request": request, "runs": runs}
    return pack(header, Body())


def failure_update(run: RecordedRun, sent: Sent, request: int, text: str) -> bytes:
    """Return an update that says why there is no answer to a request."""
    header = _next_update(run, sent)
    header["failure"] = {"request": request, "text": text}
    return pack(header, Body())


def _entries(run: RecordedRun, sent: Sent) -> list[Entry]:
    """Return what is followed of the parameters; named once, for names take longer than the numbers of a message."""
    if sent.history is not run.history or not sent.entries:
        sent.entries = run.entries()
    return sent.entries


def _next_events(run: RecordedRun, sent: Sent) -> list[protocol.RunEvent]:
    """Return new events for the table and the lanes; of very many, those for the lanes alone."""
    is_full = len(sent.listed) >= MOST_EVENTS
    last = min(run.event_count, sent.events + (_MOST_EVENTS_LATER if is_full else _MOST_EVENTS_LIVE))
    new = run.events_between(sent.events, last)  # not all of them each time
    rows = [row for row in events_for_view(run, new, sent.last_seen) if row["lane"] or not is_full]
    sent.events = last
    sent.listed |= {row["id"] for row in rows}
    return rows


def _cited_events(run: RecordedRun, sent: Sent, texts: Iterable[_Citing]) -> list[protocol.RunEvent]:
    """Return the events that these facts or captions cite and the browser does not have."""
    missing = _cites(texts) - sent.listed
    if not any(cited.startswith("e") for cited in missing):
        return []
    found = [event for event in run.events if event.id in missing]
    sent.listed |= {event.id for event in found}
    return [row | {"lane": False} for event in found for row in events_for_view(run, [event], {})]


def _cites(texts: Iterable[_Citing]) -> set[str]:
    return {cited for text in texts for cited in text["cites"]}


def _most_rows(run: RecordedRun, entries: list[Entry], most_bytes: int) -> int:
    """Return how many evaluations these bytes hold, within what is sent at once."""
    return min(MOST_ROWS, max(_LEAST_ROWS, most_bytes // bytes_per_row(run, entries)))


def _one_in(evaluations: int, rows: NDArray[np.intp]) -> int:
    """Return one in how many evaluations is among these rows; 1 where all are."""
    return max(1, -(-evaluations // max(1, len(rows))))


def _next_update(run: RecordedRun, sent: Sent) -> protocol.Header:
    """Return the header of the next update, without rows."""
    sent.sequence += 1
    return {"version": VERSION, "kind": "update", "sequence": sent.sequence, "run": run.id, "rows": 0, "columns": []}


def _frame(frame: Frame, body: Body) -> protocol.FrameSpec:
    return {
        "iteration": frame.iteration,
        "offset": body.add(frame.png),
        "length": len(frame.png),
        "type": "image/png",
        "width": frame.width,
        "height": frame.height,
    }
