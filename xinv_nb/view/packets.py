"""What the browser is told of a run: columns, words and pictures in packets. `js/src/protocol.ts` mirrors it."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xinv_nb.history import History
from xinv_nb.run import Caption, Entry, Event, Run
from xinv_nb.view.export import File
from xinv_nb.view.scene import Frame
from xinv_nb.view.watched import MOST_WATCHED, describe_watched, name_of_loss, watched_columns
from xinv_nb.view.wire import MOST_DEFLATED, Body, pack

MOST_ROWS = 20_000
"""Evaluations that a snapshot carries; of more, one in n is sent, and the view says so."""
MOST_BYTES = 8_000_000
"""Bytes of numbers that a snapshot carries: 20,000 evaluations of 33 parameters, fewer of more."""
MOST_BYTES_LIVE = 18_000
"""Bytes of numbers in one message of a live run; the snapshot at its end brings what was left out."""
_LEAST_ROWS = 16
MOST_EVENTS = 2_000
_MOST_SHOWN = 8
"""Series drawn at first; the reader may add the others."""


@dataclass(frozen=True)
class Detail:
    """How much of a run a snapshot carries, and whether it is to be deflated."""

    bytes: int = MOST_BYTES
    events: int = MOST_EVENTS
    exact: bool = True
    deflated: bool = False


@dataclass
class Writer:
    """Who writes the captions, for the head of the view."""

    text: str = "built-in text"
    hint: str = ""
    command: str = ""
    busy: bool = False
    working_on: int | None = None


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
    watched: list[dict[str, Any]] = field(default_factory=list)
    """What was said of the watched quantities."""


def snapshot(
    run: Run, sent: Sent, writer: Writer, frames: Iterable[Frame] | None = None, detail: Detail | None = None
) -> bytes:
    """Return everything there is to show of `run`; pictures that the browser has stay where `frames` is None."""
    detail = detail or Detail()
    most_rows = min(MOST_ROWS, max(_LEAST_ROWS, detail.bytes // _bytes_per_row(run)))
    stride = max(1, -(-run.evaluations // most_rows))
    rows = _rows(run, 0, run.evaluations, stride)
    is_small = len(rows) * _bytes_per_row(run) < MOST_DEFLATED
    body = Body(in_planes=detail.deflated or is_small, narrow=not detail.exact)
    events = run.events
    listed = _with_last(_events(run, events, {}), events, run)
    header: dict[str, Any] = {
        "kind": "snapshot",
        "sequence": sent.sequence,
        "run": run.id,
        **_columns(run, rows, body, sent),
        "head": _with_notice(head(run, writer, stride), len(listed), detail),
        **_series(run),
        "watched": describe_watched(run, sent.several),
        "phases": _phases(run),
        "events": listed[: detail.events],
        "facts": _facts(run),
        "captions": _captions(run, writer),
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
    body = Body()
    is_first = sent.rows == 0 and run.evaluations > 0
    most_rows = max(_LEAST_ROWS, most_bytes // _bytes_per_row(run))
    stride = max(1, -(-(run.evaluations - sent.rows) // most_rows))
    header: dict[str, Any] = {
        **_next_update(run, sent),
        **_columns(run, _rows(run, sent.rows, run.evaluations, stride), body, sent),
        "head": head(run, writer),
        "frames": [_frame(frame, body) for frame in frames],
    }
    if is_first:
        header |= _series(run)
    if (watched := describe_watched(run, sent.several)) != sent.watched:
        header["watched"] = sent.watched = watched
    new = run.events[sent.events : MOST_EVENTS] if sent.events < MOST_EVENTS else []
    if new:
        header["events"] = _events(run, new, sent.last_seen)
    if explain:
        header |= {"phases": _phases(run), "facts": _facts(run), "captions": _captions(run, writer)}
    sent.rows, sent.events, sent.history = run.evaluations, sent.events + len(new), run.history
    return pack(header, body)


def words(run: Run, sent: Sent, writer: Writer, extra: dict[str, Any] | None = None) -> bytes:
    """Return an update of the captions and the head alone."""
    header = {
        **_next_update(run, sent),
        "head": head(run, writer),
        "captions": _captions(run, writer),
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


def _next_update(run: Run, sent: Sent) -> dict[str, Any]:
    """Return the header of the next update, without rows."""
    sent.sequence += 1
    return {"kind": "update", "sequence": sent.sequence, "run": run.id, "rows": 0, "columns": []}


# ---------------------------------------------------------------------- the head


def head(run: Run, writer: Writer, thinned: int = 1) -> dict[str, Any]:
    """Return title, state in words, loss label, who writes, and notices."""
    tone, state = state_in_words(run)
    loss, unit = name_of_loss(run)
    return {
        "title": run.title,
        "goal": run.problem.goal if run.problem else "",
        "status": run.status,
        "tone": tone,
        "state": state,
        "evaluations": run.evaluations,
        "optimizer": run.optimizer,
        "writer": {"text": writer.text, "hint": writer.hint, "command": writer.command},
        "busy": writer.busy,
        "thinned": thinned,
        "has_scene": bool(run.problem and run.problem.scene),
        "loss_label": loss,
        "loss_unit": unit,
        "notices": list(run.notices),
        "compared": False,
    }


def state_in_words(run: Run) -> tuple[str, str]:
    """Return the tone and the words of a run's state, such as `("good", "converged · 90 iterations")`."""
    count = run.evaluations
    iterations = f"{count} iteration{'' if count == 1 else 's'}"
    if run.status == "running":
        return "live", f"recording · {count}"
    if run.status == "interrupted":
        return "warning", f"interrupted at {count}"
    if run.status == "failed":
        return "bad", f"failed: {run.ending}"
    if count == 0:
        return "neutral", "nothing recorded"
    last = run.phases[-1]
    if last.kind == "divergence":
        what = "diverged" if np.isfinite(run.loss[last.start]) else "not a number"
        return "bad", f"{what} from iteration {last.start}"
    if last.kind == "converged":
        return "good", f"converged · {iterations}"
    return "neutral", f"finished · {iterations}"


# ---------------------------------------------------------------------- columns and series


def _rows(run: Run, start: int, stop: int, stride: int) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Return evaluations from `start` on, about one in `stride`; the last one, and each spike of the loss, among them.

    Of each stretch the first evaluation and those with the least and the largest loss; NaN counts as the largest.
    """
    rows = np.arange(start, stop)
    if stride == 1 or start >= stop:
        return rows
    begins = rows[:: 3 * stride]
    loss = np.where(np.isnan(run.loss[start:stop]), np.inf, run.loss[start:stop])
    stretches = np.append(loss, np.full(-len(loss) % (3 * stride), loss[-1])).reshape(len(begins), -1)
    chosen = np.concatenate([begins, begins + stretches.argmin(axis=1), begins + stretches.argmax(axis=1), [stop - 1]])
    return np.unique(np.minimum(chosen, stop - 1))


def _bytes_per_row(run: Run) -> int:
    return 17 + 12 * len(run.entries()) + 20 * min(MOST_WATCHED, len(run.history.watches))


def _columns(run: Run, rows: Any, body: Body, sent: Sent) -> dict[str, Any]:
    columns = [
        body.column("iteration", "f8", rows),
        body.column("loss", "f8", run.loss[rows]),
        body.column("accepted", "u1", run.accepted[rows]),
    ]
    for key, entry in enumerate(run.entries() if len(rows) else []):
        columns.append(body.column(f"p{key}", "f8", run.column(entry)[rows]))
        columns.append(body.column(f"g{key}", "f4", run.column(entry, "gradients")[rows]))
    columns += watched_columns(run, rows, body, sent.several) if len(rows) else []
    return {"rows": len(rows), "columns": columns}


def _series(run: Run) -> dict[str, Any]:
    entries = run.entries()
    shown = set(_most_moved(run, entries))
    groups = {
        entry.group: {"key": entry.group, "label": entry.group, "unit": _unit(entries, entry)} for entry in entries
    }
    series = [
        {
            "key": key,
            "name": entry.name,
            "label": entry.label,
            "unit": entry.parameter.unit,
            "description": entry.parameter.description,
            "group": entry.group,
            "bounds": entry.parameter.bounds,
            "truth": entry.parameter.truth,
            "statistic": entry.statistic,
            "shown": key in shown,
        }
        for key, entry in enumerate(entries)
    ]
    return {"series": series, "groups": list(groups.values())}


def _unit(entries: Sequence[Entry], of: Entry) -> str:
    """Return the unit that all entries of a group share, or none."""
    units = {entry.parameter.unit for entry in entries if entry.group == of.group}
    return units.pop() if len(units) == 1 else ""


def _most_moved(run: Run, entries: Sequence[Entry]) -> list[int]:
    if len(entries) <= _MOST_SHOWN:
        return list(range(len(entries)))
    spans = [float(np.ptp(column)) for column in map(run.column, entries)]
    return sorted(range(len(entries)), key=lambda i: -spans[i])[:_MOST_SHOWN]


# ---------------------------------------------------------------------- words


def _phases(run: Run) -> list[dict[str, Any]]:
    return [{"start": p.start, "stop": p.stop, "kind": p.kind, "label": p.label} for p in run.phases]


def _events(run: Run, events: Sequence[Event], last_seen: dict[Hashable, int]) -> list[dict[str, Any]]:
    """Return events for the table; the lanes mark only where a kind of event begins, or turns to its opposite.

    The value of a watched quantity at each iteration is no news to a reader: of these the table has the beginnings.
    """
    rows = []
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


def _with_last(rows: list[dict[str, Any]], events: Sequence[Event], run: Run) -> list[dict[str, Any]]:
    """Mark in the lanes as well where a kind of event happens for the last time before the end."""
    watched = run.history.watches.keys()
    latest = {_kind(e): e for e in events if e.phase == "forward" and e.name not in watched}
    ending = {e.id for e in latest.values() if e.evaluation < run.evaluations - 1}
    for row in rows:
        row["lane"] = row["lane"] or row["id"] in ending
    return rows


def _kind(event: Event) -> Hashable:
    """Return what makes two events the same but for their numbers: words, and the sign that the gradient has."""
    words = tuple(value for value in event.values.values() if isinstance(value, str))
    return event.phase, event.name, event.stage, words, np.sign(event.values.get("cotangent", 0))


def _facts(run: Run) -> list[dict[str, Any]]:
    return [{"id": f.id, "kind": f.kind, "text": f.text, "span": f.span, "cites": f.cites} for f in run.facts]


def _captions(run: Run, writer: Writer) -> list[dict[str, Any]]:
    if run.status == "running" and run.evaluations == 0:
        return []  # "nothing recorded" is for the end
    names = names_to_mark(run)
    return [
        caption_for_view(caption, f"c{i}", names, writing=writer.busy and writer.working_on == i)
        for i, caption in enumerate(run.captions)
    ]


def names_to_mark(run: Run) -> list[str]:
    """Return the names of the domain that stand out in a caption."""
    return [*(entry.label for entry in run.entries()), *run.history.watches]


def caption_for_view(caption: Caption, key: str, names: Sequence[str], *, writing: bool = False) -> dict[str, Any]:
    """Return a caption with its numbers and names marked."""
    return {
        "id": key,
        "heading": caption.heading,
        "span": caption.span,
        "parts": marked(caption.text, names),
        "cites": caption.cites,
        "line": caption.status if caption.source == "built-in" else f"{caption.status} · {caption.source}",
        "tone": _tone(caption),
        "writing": writing,
    }


def _tone(caption: Caption) -> str:
    if "did not match" in caption.status:
        return "warning"
    return "good" if caption.source != "built-in" else "neutral"


def marked(text: str, names: Sequence[str]) -> list[dict[str, str]]:
    """Split a text into runs of plain words, numbers with their unit, and names of the domain.

    >>> [part["kind"] for part in marked("drag fell to 0.5", ["drag"])]
    ['name', 'text', 'number']
    """
    known = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True) if name)
    number = r"[−-]?\d[\d.,]*\d(?:×10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?(?:\s%)?|[−-]?\d(?:×10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?(?:\s%)?"
    pattern = re.compile(
        rf"(?P<name>(?<!\w)(?:{known})(?!\w))|(?P<number>(?<!\w){number})" if known else rf"(?P<number>{number})"
    )
    parts: list[dict[str, str]] = []
    end = 0
    for match in pattern.finditer(text):
        if match.start() > end:
            parts.append({"text": text[end : match.start()], "kind": "text"})
        parts.append({"text": match.group(), "kind": match.lastgroup or "text"})
        end = match.end()
    if end < len(text):
        parts.append({"text": text[end:], "kind": "text"})
    return parts


def _frame(frame: Frame, body: Body) -> dict[str, Any]:
    return {
        "iteration": frame.iteration,
        "offset": body.add(frame.png),
        "length": len(frame.png),
        "type": "image/png",
        "width": frame.width,
        "height": frame.height,
    }
