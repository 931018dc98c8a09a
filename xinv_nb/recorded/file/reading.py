"""Reads runs from files; nothing that a file claims is believed before it is checked."""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from xinv_nb.errors import XinvError
from xinv_nb.recorded.calls import OptimizerCall
from xinv_nb.recorded.captions import Caption, Claim, WordedSentence
from xinv_nb.recorded.columns import GrowingColumn, SlopeColumns, TermColumns, VariedColumn, WatchColumns
from xinv_nb.recorded.curvature import Curvature
from xinv_nb.recorded.events import Event, EventKind, EventPhase, worded
from xinv_nb.recorded.file import version1
from xinv_nb.recorded.file.checks import read_checks
from xinv_nb.recorded.file.fits import read_data, read_jacobians
from xinv_nb.recorded.file.layout import CURVATURE, EACH, FORMAT, VERSION, prefix
from xinv_nb.recorded.file.values import decoded, of_kind, one_of, position, texts
from xinv_nb.recorded.history import History
from xinv_nb.recorded.leaves import Leaf, sampled_leaf, whole_leaf
from xinv_nb.recorded.missed import Missed
from xinv_nb.recorded.problem import Objective, Parameter, Problem
from xinv_nb.recorded.run import RecordedRun, Status
from xinv_nb.recorded.sums import Sums, Term
from xinv_nb.recorded.writer import RunWriter

R = TypeVar("R", bound=RecordedRun)

_LARGEST = 4 * 2**30
"""Bytes of memory beyond which a file is not read: a small file may unfold to any size."""

_SMALL, _TIMES = 256 * 2**20, 50
"""Bytes that any file may unfold to; and to how many times its size a larger one may."""


class RunFileError(XinvError):
    """A file that is no run of xinv_nb, or cannot be read to its end."""


def read(path: str | Path | BinaryIO, new: Callable[[str, Problem | None], R]) -> R:
    """Read a run that `writing.save` wrote into the run that `new` makes of its name and its problem.

    Raises
    ------
    RunFileError
        The file is none of xinv_nb's, of a newer version, or damaged. A file cannot run code: nothing is unpickled.
    FileNotFoundError
        There is no such file.
    """
    try:
        columns = _columns(Path(path) if isinstance(path, str) else path)
        headers = [_header(columns, path)]
        parts = [columns]
        for i in range(1, of_kind(int, headers[0].get("objectives", 1))):
            parts.append({name.removeprefix(p): c for name, c in columns.items() if name.startswith(p := prefix(i))})
            headers.append(_header(parts[i], path))
        run = new(of_kind(str, headers[0]["name"]), _problem_in(headers[0]["problem"]))
        _fill(run, headers, parts)
        return run
    except (RunFileError, FileNotFoundError):
        raise
    except Exception as error:  # a damaged file fails in as many ways as there are bytes
        raise RunFileError(f"{path} is no run of xinv_nb, or is damaged ({type(error).__name__}).") from error


def from_bytes(saved: bytes, new: Callable[[str, Problem | None], R]) -> R:
    """Read a run from what its file holds, as `writing.to_bytes` returns it."""
    return read(io.BytesIO(saved), new)


def _columns(path: Path | BinaryIO) -> dict[str, NDArray[Any]]:
    with zipfile.ZipFile(path) as archive:
        packed, size = (sum(getattr(i, of) for i in archive.infolist()) for of in ("compress_size", "file_size"))
        if size > min(_LARGEST, max(_SMALL, _TIMES * packed)):
            raise RunFileError(f"{path} would take {size / 2**30:.0f} GB of memory; no run of xinv_nb is that large.")
        columns = {}
        for member in archive.namelist():
            with archive.open(member) as file:
                columns[member.removesuffix(".npy")] = np.lib.format.read_array(file, allow_pickle=False)
    return columns


def _header(columns: dict[str, NDArray[Any]], path: object) -> dict[str, Any]:
    header: dict[str, Any] = json.loads(columns.pop("run.json").tobytes())
    if header.get("format") != FORMAT:
        raise RunFileError(f"{path} is no run of xinv_nb.")
    if of_kind(int, header["version"]) > VERSION:
        raise RunFileError(f"{path} was written by a newer xinv_nb (format {header['version']}); update to read it.")
    return header


def _fill(run: RecordedRun, headers: Sequence[dict[str, Any]], parts: Sequence[dict[str, NDArray[Any]]]) -> None:
    writer, header = RunWriter(run), headers[0]
    writer.end(one_of(get_args(Status), header["status"]), of_kind(str, header["ending"]))
    for notice in texts(header["notices"]):
        writer.notice(notice)
    writer.choose_parameters(texts(header["chosen_parameters"]))
    histories = [_history(each, columns) for each, columns in zip(headers, parts, strict=True)]
    for history in histories:
        if len(history):
            writer.add_history(history)
    if header["version"] == 1:
        events, has_dropped = version1.events_of(run, histories, headers)
    else:
        events, has_dropped = header["events"], of_kind(bool, header["dropped_events"])
    for owner, saved in events:
        of = None if owner is None else histories[position(owner, len(histories))]
        writer.restore_event(of, _event_in(saved, math.inf if of is None else max(len(of), 1)))
    if has_dropped:
        writer.note_dropped_events()
    writer.mute(texts(header.get("muted", [])))
    writer.note_missed(_missed_in(of_kind(dict, header.get("missed", {}))))
    if (chosen := header.get("chosen_fit")) is not None:
        writer.choose_fit(position(chosen))
    for span in header.get("chosen_spans", ()):
        run.choose_span(span)
    writer.keep_curvature(_curvature_in(header.get("curvature"), parts[0], histories[0]))
    writer.keep_replay_of(of_kind(dict, decoded(header.get("replay_of") or {"dict": []})))
    writer.keep_checks(read_checks(header.get("checks"), parts[0], histories[0]))
    if header["captions"] is not None:
        writer.keep_captions([_caption_in(caption) for caption in header["captions"]])
    for caption in header.get("span_captions", ()):
        writer.keep_span_caption(_caption_in(caption))


def _history(header: dict[str, Any], columns: dict[str, NDArray[Any]]) -> History:
    leaves: list[Leaf] = []
    width = columns["values"].shape[1]
    for name, shape, kept in header["leaves"]:
        start = leaves[-1].end if leaves else 0
        whole = whole_leaf(of_kind(str, name), tuple(position(n) for n in shape), start)
        if kept is None and whole.end > width:
            raise ValueError("parameters that have no columns")
        leaves.append(whole if kept is None else _sampled(whole, [position(i) for i in kept]))
    loss, values, gradients, accepted = (columns[name] for name in EACH)
    complex_ones = header.get("complex_leaves", [leaf.name for leaf in leaves] if values.dtype.kind == "c" else [])
    leaves = [replace(leaf, is_complex=leaf.name in texts(complex_ones)) for leaf in leaves]
    labels = [tuple(texts(of_leaf)) for of_leaf in header.get("labels", [[]] * len(leaves))]
    if any(of_leaf and len(of_leaf) != leaf.size for leaf, of_leaf in zip(leaves, labels, strict=True)):
        raise ValueError("labels of other entries")
    leaves = [replace(leaf, labels=of_leaf) for leaf, of_leaf in zip(leaves, labels, strict=True)]
    outline = decoded(header["outline"])
    if leaves and _leaves_in(outline) != len(leaves):
        raise ValueError("a structure of other leaves")
    history = History(
        of_kind(str, header["objective"]), leaves, values.dtype, outline, of_kind(str, header["optimizer"])
    )
    kept = columns.get("kept", np.arange(len(loss)))
    if not (values.shape == gradients.shape == (len(kept), history.width) and accepted.shape == loss.shape):
        raise ValueError("columns of different lengths")
    if loss.dtype != float or accepted.dtype != bool or {values.dtype.kind, gradients.dtype.kind} - {"f", "c"}:
        raise TypeError("columns that hold no numbers")
    history.loss, history.accepted = GrowingColumn.of(loss), GrowingColumn.of(accepted)
    history.values, history.gradients = GrowingColumn.of(values), GrowingColumn.of(gradients)
    if len(kept) < len(loss):
        if [position(k, len(loss)) for k in kept.tolist()] != sorted(set(kept.tolist())) or kept[0] != 0:
            raise ValueError("evaluations out of order")
        history.kept, history.stride = GrowingColumn.of(kept.astype(np.intp)), int(np.diff(kept).max())
    if (residuals := columns.get("residuals")) is not None:
        if residuals.dtype != float or residuals.ndim != 2 or len(residuals) != len(kept):
            raise ValueError("residuals of another shape")
        history.residuals = GrowingColumn.of(residuals)
    read_jacobians(columns, history)
    read_data(of_kind(list, header.get("data", [])), columns, history)
    if (unknown := columns.get("without_gradient")) is not None:
        if [position(k, len(loss)) for k in unknown.tolist()] != sorted(set(unknown.tolist())):
            raise ValueError("evaluations out of order")
        history.without_gradient = GrowingColumn.of(unknown.astype(np.intp))
    history.held = [(position(row, len(history)), position(mark)) for row, mark in header.get("held", ())]
    history.calls = [_call_in(call, len(history)) for call in header.get("calls", ())]
    history.is_on_manifold = of_kind(bool, header.get("is_on_manifold", False))
    history.is_within = of_kind(bool, header.get("is_within", False))
    history.anew = [position(row, len(history)) for row in header.get("anew", ())]
    history.handed = [position(row, len(history)) for row in header.get("handed", ())]
    history.nested = position(header.get("nested", 0))
    history.is_between = of_kind(bool, header.get("is_between", False))
    history.moved_by = tuple(texts(header.get("moved_by", [])))
    for i, watch in enumerate(header["watches"]):
        history.watches[of_kind(str, watch["name"])] = _watch_in(watch, i, columns, len(history))
    for i, term in enumerate(texts(header.get("terms", []))):
        history.terms[term] = _term_in(columns[f"term{i}_evaluation"], columns[f"term{i}_gradients"], history)
    sums = header.get("sums", [])  # a mapping in files of before the terms had columns: without these they say nothing
    history.sums = _sums_in([] if isinstance(sums, dict) else of_kind(list, sums), columns, len(history))
    for i, slopes in enumerate(of_kind(list, header.get("slopes", []))):
        read = _term_in(columns[f"slope{i}_evaluation"], columns[f"slope{i}_gradients"], history)
        inside = tuple(texts(slopes["inside"]))
        history.slopes[of_kind(str, slopes["name"])] = SlopeColumns(read.evaluation, read.gradients, inside)
    for i, name in enumerate(texts(header.get("along", []))):
        history.along[name] = _along_in(columns[f"along{i}_evaluation"], columns[f"along{i}_gradients"], history)
    return history


def _sums_in(saved: list[Any], columns: dict[str, NDArray[Any]], evaluations: int) -> Sums:
    terms = tuple(Term(**of_kind(dict, decoded(each))) for each in saved)
    if not terms:
        return Sums()
    texts([term.name for term in terms])
    for term in terms:
        of_kind(float, term.weight)
        for each in (term.is_watched, term.has_data, term.is_penalty):
            of_kind(bool, each)
    numbers, values = columns["sums_evaluation"], columns["sums_values"]
    if [position(number, evaluations) for number in numbers.tolist()] != sorted(set(numbers.tolist())):
        raise ValueError("evaluations out of order")
    if values.dtype != float or values.shape != (len(numbers), len(terms)):
        raise ValueError("terms of another number")
    return Sums(terms, GrowingColumn.of(numbers.astype(np.intp)), GrowingColumn.of(values))


def _missed_in(saved: dict[str, Any]) -> Missed:
    missed = Missed(**saved)
    texts([missed.whole, missed.written, missed.parameter, missed.file, missed.operation])
    for number in (missed.line, missed.passes, missed.threads, missed.solvers, missed.processes):
        position(number)
    return missed


def _call_in(saved: Any, evaluations: int) -> OptimizerCall:
    call = OptimizerCall(**of_kind(dict, decoded(saved)))
    start = position(of_kind(int, call.start), evaluations)
    if call.stop is not None and position(call.stop, evaluations + 1) <= start:
        raise ValueError("an optimizer that stops before it starts")
    for pair in of_kind(list, call.differences):
        first, after = (position(edge, evaluations + 1) for edge in of_kind(list, pair))
        if after <= first:
            raise ValueError("finite differences that stop before they start")
    texts([call.optimizer, call.title])
    of_kind(dict, call.options), of_kind(dict, call.ending)
    return call


def _term_in(evaluation: NDArray[Any], gradients: NDArray[Any], history: History) -> TermColumns:
    if gradients.dtype.kind not in "fc" or gradients.shape != (len(evaluation), history.width):
        raise ValueError("gradients of another shape")
    return TermColumns([position(e, len(history)) for e in evaluation.tolist()], list(gradients))


def _along_in(evaluation: NDArray[Any], gradients: NDArray[Any], history: History) -> TermColumns:
    if gradients.dtype.kind not in "fc" or gradients.ndim != 3 or gradients.shape[2] != history.width:
        raise ValueError("gradients of another shape")
    if len(evaluation) != len(gradients):
        raise ValueError("columns of different lengths")
    return TermColumns([position(e, len(history)) for e in evaluation.tolist()], list(gradients))


def _curvature_in(saved: Any, columns: dict[str, NDArray[Any]], history: History) -> Curvature | None:
    if saved is None:
        return None
    scale, slope, values, vectors = (columns[f"curvature_{name}"] for name in CURVATURE)
    if {column.dtype for column in (scale, slope, values, vectors)} != {np.dtype(np.float64)}:
        raise TypeError("a curvature of other than numbers")
    count = len(values)
    if not (scale.shape == slope.shape == (history.width,) and vectors.shape == (history.width, count) and count > 0):
        raise ValueError("a curvature of another shape")
    evaluation, loss = position(saved["evaluation"], len(history)), of_kind(float, saved["loss"])
    return Curvature(evaluation, loss, scale, slope, values, vectors, of_kind(str, saved["method"]))


def _leaves_in(outline: Any) -> int:
    if outline is None:
        return 1
    items = of_kind(dict, outline).values() if isinstance(outline, dict) else of_kind((list, tuple), outline)
    return sum(_leaves_in(item) for item in items)


def _sampled(leaf: Leaf, kept: list[int]) -> Leaf:
    if not kept or max(kept) >= leaf.size:
        raise ValueError("positions outside the array")
    return sampled_leaf(leaf.name, leaf.shape, leaf.start, np.array(kept, dtype=np.intp))


def _watch_in(watch: dict[str, Any], i: int, columns: dict[str, NDArray[Any]], evaluations: int) -> WatchColumns:
    evaluation = [position(e, evaluations) for e in columns[f"watch{i}_evaluation"].tolist()]
    values = _rows(columns[f"watch{i}_values"], watch["shapes"]["values"])
    cotangents = _rows(columns[f"watch{i}_cotangents"], watch["shapes"]["cotangents"])
    at = of_kind(list, decoded(watch["at"]))
    if not len(evaluation) == len(values) == len(cotangents) == len(at):
        raise ValueError("columns of different lengths")
    found = WatchColumns(of_kind(str, watch["unit"]))
    found.evaluation = GrowingColumn.of(np.array(evaluation, dtype=np.intp))
    found.values, found.cotangents, found.at = VariedColumn(values), VariedColumn(cotangents), at
    return found


def _rows(array: NDArray[Any], shapes: Sequence[Any] | None) -> list[Any]:
    if array.dtype.kind not in "biufc":
        raise TypeError("a watch that holds no numbers")
    if shapes is None:
        return list(array)
    ends = np.cumsum([math.prod(shape) for shape in shapes])
    return [part.reshape(shape)[()] for part, shape in zip(np.split(array, ends[:-1]), shapes, strict=True)]


def _event_in(saved: Any, below: float) -> Event:
    event = Event(**of_kind(dict, decoded(saved)))
    texts([event.id, event.name, event.text, event.stage, event.until])
    one_of(get_args(EventPhase), event.phase)
    one_of(get_args(EventKind), event.kind)
    of_kind(dict, event.values)
    position(event.count)
    position(event.evaluation, below)
    if event.column is not None:
        position(event.column)
        if event.kind not in ("turn", "bound", "terms"):
            raise ValueError("an event without words")
    worded(event, {}, {})  # raises where it lacks what its words are made of
    return event


def _caption_in(saved: Any) -> Caption:
    fields = of_kind(dict, decoded(saved))
    claims, sentences = _claims_in(fields.pop("claims")), fields.pop("sentences", ())
    wordings = tuple(_wording_in(of_kind(dict, wording)) for wording in sentences)
    caption = Caption(**fields, claims=claims, sentences=wordings)
    texts([caption.text, caption.source, caption.status, caption.heading, caption.headline, *caption.cites])
    if [position(end) for end in caption.span] != sorted(caption.span) or len(caption.span) != 2:
        raise ValueError("a caption about no span")
    return caption


def _claims_in(saved: Any) -> tuple[Claim, ...]:
    claims = tuple(Claim(**claim) for claim in saved)
    for claim in claims:
        texts([claim.text, claim.reason])
        one_of((True, False, None), claim.supported)
    return claims


def _wording_in(fields: dict[str, Any]) -> WordedSentence:
    wording = WordedSentence(**fields | {"cites": tuple(fields["cites"]), "claims": _claims_in(fields["claims"])})
    texts([wording.text, wording.source, wording.built_in, wording.checked, wording.dropped, *wording.cites])
    return wording


def _problem_in(saved: Any) -> Problem | None:
    if saved is None:
        return None
    parameters = {decoded(key): _parameter_in(decoded(known)) for key, known in saved["parameters"]}
    glossary = of_kind(dict, decoded(saved["glossary"]))
    texts([*glossary.keys(), *glossary.values()])
    told = saved.get("objective")  # files of before have none
    objective = None if told is None else Objective(**of_kind(dict, told))
    if objective is not None:
        texts([objective.name, objective.unit, objective.lower, objective.higher])
    landmarks = of_kind(dict, decoded(saved.get("landmarks") or {"dict": []}))
    title, goal = of_kind(str, saved["title"]), of_kind(str, saved["goal"])
    return Problem(title, goal, parameters, glossary, objective=objective, landmarks=landmarks)


def _parameter_in(fields: Any) -> Parameter:
    parameter = Parameter(**of_kind(dict, fields))
    texts([parameter.name or "", parameter.unit, parameter.description, *(parameter.directions or ())])
    for value in (parameter.truth, *(parameter.bounds or ())):
        of_kind((int, float, type(None)), value)
    return parameter
