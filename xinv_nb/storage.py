"""Files of runs: one NumPy archive (`.npz`), read and written without pickle.

The archive is a zip file. Its member `run.json.npy` holds UTF-8 JSON as bytes: `format` and `version`, the run's
`name`, `status`, `ending`, `notices`, `problem`, `chosen_parameters`, `chosen_spans`, `events`, `captions` and
`span_captions`, and of the objective its name, `optimizer`, `leaves` (name, shape, and the flat positions of the
entries kept, or null for all), `outline` (the structure that it takes, null at each leaf) and `watches`. The other
members are columns with one row for each evaluation, `loss`, `values`, `gradients` and `accepted`; where a long run was
thinned, `values` and `gradients` have one for each evaluation that is listed in `kept`; and for watch number i
`watch{i}_evaluation`, `watch{i}_values` and `watch{i}_cotangents`, the latter two laid end to end where the `shapes` in
the JSON say so; for number i of the `terms` (names, in the JSON) `term{i}_evaluation` and `term{i}_gradients`. Where
`run.identify` took second derivatives, the JSON holds `curvature` (evaluation, loss, method), and there are members
`curvature_scale`, `curvature_slope`, `curvature_values` and `curvature_vectors`.

Of several `objectives` (their number, in the JSON), the members of the second are prefixed `objective1/`, and so on.

What JSON has no word for is an object with one key: `{"float": "nan"}`, `{"complex": [re, im]}`, `{"tuple": […]}`,
`{"dict": [[key, value], …]}`, `{"array": […], "dtype": …}`. Any other object of an event is kept as its text.
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_args

import numpy as np
from numpy.typing import NDArray

from xinv_nb.columns import GrowingColumn, TermColumns, VariedColumn, WatchColumns
from xinv_nb.errors import XinvError
from xinv_nb.events import BOUND, PARAMETER, TERMS, Event, EventPhase
from xinv_nb.explanation import Caption, Claim, Wording
from xinv_nb.history import History
from xinv_nb.leaves import Leaf, sampled_leaf, whole_leaf
from xinv_nb.problem import Parameter, Problem
from xinv_nb.run import Curvature, Run, Status

if TYPE_CHECKING:
    import pandas

T = TypeVar("T")

_FORMAT, _VERSION = "xinv_nb run", 1
_LARGEST = 4 * 2**30
"""Bytes of memory beyond which a file is not read: a small file may unfold to any size."""
_EACH = ("loss", "values", "gradients", "accepted")
_CURVATURE = ("scale", "slope", "values", "vectors")


class RunFileError(XinvError):
    """A file that is no run of xinv_nb, or cannot be read to its end."""


# ---------------------------------------------------------------------- writing


def save(run: Run, path: Path) -> Path:
    """Write `run` to `path` and return the path. The scene, a function, is not saved."""
    arrays: dict[str, Any] = {}
    for i, each in enumerate(run.objectives.values() or [run]):
        arrays |= {f"{_prefix(i)}{name}": array for name, array in _members_of(each, len(run.objectives)).items()}
    # Beside the file first: a disk that is full does not cost an earlier recording.
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            np.savez_compressed(file, **arrays)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _out(value: Any) -> Any:
    """Return `value` as JSON can hold it exactly; an object that is not plain data as its text."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, complex):
        return {"complex": [_out(value.real), _out(value.imag)]}
    if isinstance(value, np.ndarray):
        return {"array": _out(value.tolist()), "dtype": value.dtype.str}
    if isinstance(value, Mapping):
        return {"dict": [[_out(key), _out(item)] for key, item in value.items()]}
    if isinstance(value, list):
        return [_out(item) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [_out(item) for item in value]}
    return str(value)


def _out_positions(kept: NDArray[np.intp] | None) -> list[int] | None:
    return None if kept is None else kept.tolist()


def _end_to_end(rows: NDArray[Any]) -> tuple[NDArray[Any], list[Any] | None]:
    """Return rows of different shapes as one flat array and their shapes; rows of one shape as they are."""
    if rows.dtype != object:
        return rows, None
    return np.concatenate([np.ravel(row) for row in rows]), [np.shape(row) for row in rows]


def _problem_out(problem: Problem | None) -> Any:
    if problem is None:
        return None
    return {
        "title": problem.title,
        "goal": problem.goal,
        "glossary": _out(problem.glossary),
        "parameters": [[_out(key), _out(vars(known))] for key, known in problem.parameters.items()],
    }


def _caption_out(caption: Caption) -> Any:
    sentences = [vars(wording) | {"claims": _claims_out(wording.claims)} for wording in caption.sentences]
    return _out(vars(caption) | {"claims": _claims_out(caption.claims), "sentences": sentences})


def _claims_out(claims: Sequence[Claim]) -> list[Any]:
    return [vars(claim) for claim in claims]


# ---------------------------------------------------------------------- reading


def load(path: str | Path) -> Run:
    """Read a run that `Run.save` wrote.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    Run

    Raises
    ------
    RunFileError
        The file is none of xinv_nb's, of a newer version, or damaged. A file cannot run code: nothing is unpickled.
    FileNotFoundError
        There is no such file.

    Examples
    --------
    >>> import tempfile, xinv_nb as xi
    >>> with xi.record("empty") as run:
    ...     pass
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     xi.load(run.save(f"{folder}/run.npz")).name
    'empty'
    """
    try:
        columns = _columns(Path(path))
        header = _header(columns, path)
        run = _run(header, columns)
        for i in range(1, _a(int, header.get("objectives", 1))):
            prefix = _prefix(i)
            other = {name.removeprefix(prefix): c for name, c in columns.items() if name.startswith(prefix)}
            _add(_header(other, path), other, run)
        return run
    except (RunFileError, FileNotFoundError):
        raise
    except Exception as error:  # a damaged file fails in as many ways as there are bytes
        raise RunFileError(f"{path} is no run of xinv_nb, or is damaged ({type(error).__name__}).") from error


def _columns(path: Path) -> dict[str, NDArray[Any]]:
    with zipfile.ZipFile(path) as archive:
        if (size := sum(info.file_size for info in archive.infolist())) > _LARGEST:
            raise RunFileError(f"{path} would take {size / 2**30:.0f} GB of memory; no run of xinv_nb is that large.")
        columns = {}
        for member in archive.namelist():
            with archive.open(member) as file:
                columns[member.removesuffix(".npy")] = np.lib.format.read_array(file, allow_pickle=False)
    return columns


def _header(columns: dict[str, NDArray[Any]], path: str | Path) -> dict[str, Any]:
    header: dict[str, Any] = json.loads(columns.pop("run.json").tobytes())
    if header.get("format") != _FORMAT:
        raise RunFileError(f"{path} is no run of xinv_nb.")
    if _a(int, header["version"]) > _VERSION:
        raise RunFileError(f"{path} was written by a newer xinv_nb (format {header['version']}); update to read it.")
    return header


def _run(header: dict[str, Any], columns: dict[str, NDArray[Any]]) -> Run:
    run = Run(_a(str, header["name"]), _problem_in(header["problem"]))
    run.status = _one_of(get_args(Status), header["status"])
    run.ending, run.notices = _a(str, header["ending"]), _texts(header["notices"])
    run.chosen_parameters = tuple(_texts(header["chosen_parameters"]))
    history = _add(header, columns, run)
    for span in header.get("chosen_spans", ()):
        run.choose_span(span)
    run._curvature = _curvature_in(header.get("curvature"), columns, history)  # noqa: SLF001
    if header["captions"] is not None:
        run._captions = tuple(_caption_in(caption) for caption in header["captions"])  # noqa: SLF001
    run._span_captions = tuple(map(_caption_in, header.get("span_captions", ())))  # noqa: SLF001
    return run


def _add(header: dict[str, Any], columns: dict[str, NDArray[Any]], run: Run) -> History:
    """Add one objective and its events to a run; returns its history."""
    history = _history(header, columns)
    if len(history):
        run._histories.append(history)  # noqa: SLF001
    run._events += [(history, _event_in(event, len(history))) for event in header["events"]]  # noqa: SLF001
    return history


def _history(header: dict[str, Any], columns: dict[str, NDArray[Any]]) -> History:
    leaves: list[Leaf] = []
    for name, shape, kept in header["leaves"]:
        start = leaves[-1].end if leaves else 0
        whole = whole_leaf(_a(str, name), tuple(_position(n) for n in shape), start)
        leaves.append(whole if kept is None else _sampled(whole, [_position(i) for i in kept]))
    loss, values, gradients, accepted = (columns[name] for name in _EACH)
    outline = _in(header["outline"])
    if leaves and _leaves_in(outline) != len(leaves):
        raise ValueError("a structure of other leaves")
    history = History(_a(str, header["objective"]), leaves, values.dtype, outline, _a(str, header["optimizer"]))
    kept = columns.get("kept", np.arange(len(loss)))
    if not (values.shape == gradients.shape == (len(kept), history.width) and accepted.shape == loss.shape):
        raise ValueError("columns of different lengths")
    if loss.dtype != float or accepted.dtype != bool or {values.dtype.kind, gradients.dtype.kind} - {"f", "c"}:
        raise TypeError("columns that hold no numbers")
    history.loss, history.accepted = GrowingColumn.of(loss), GrowingColumn.of(accepted)
    history.values, history.gradients = GrowingColumn.of(values), GrowingColumn.of(gradients)
    if len(kept) < len(loss):
        if [_position(k, len(loss)) for k in kept.tolist()] != sorted(set(kept.tolist())) or kept[0] != 0:
            raise ValueError("evaluations out of order")
        history.kept, history.stride = GrowingColumn.of(kept.astype(np.intp)), int(np.diff(kept).max())
    for i, watch in enumerate(header["watches"]):
        history.watches[_a(str, watch["name"])] = _watch_in(watch, i, columns, len(history))
    for i, term in enumerate(_texts(header.get("terms", []))):
        history.terms[term] = _term_in(columns[f"term{i}_evaluation"], columns[f"term{i}_gradients"], history)
    return history


def _term_in(evaluation: NDArray[Any], gradients: NDArray[Any], history: History) -> TermColumns:
    if gradients.dtype.kind not in "fc" or gradients.shape != (len(evaluation), history.width):
        raise ValueError("gradients of another shape")
    return TermColumns([_position(e, len(history)) for e in evaluation.tolist()], list(gradients))


def _curvature_in(saved: Any, columns: dict[str, NDArray[Any]], history: History) -> Curvature | None:
    if saved is None:
        return None
    scale, slope, values, vectors = (columns[f"curvature_{name}"] for name in _CURVATURE)
    if {column.dtype for column in (scale, slope, values, vectors)} != {np.dtype(np.float64)}:
        raise TypeError("a curvature of other than numbers")
    count = len(values)
    if not (scale.shape == slope.shape == (history.width,) and vectors.shape == (history.width, count) and count > 0):
        raise ValueError("a curvature of another shape")
    evaluation, loss = _position(saved["evaluation"], len(history)), _a(float, saved["loss"])
    return Curvature(evaluation, loss, scale, slope, values, vectors, _a(str, saved["method"]))


def _leaves_in(outline: Any) -> int:
    if outline is None:
        return 1
    items = _a(dict, outline).values() if isinstance(outline, dict) else _a((list, tuple), outline)
    return sum(_leaves_in(item) for item in items)


def _sampled(leaf: Leaf, kept: list[int]) -> Leaf:
    if not kept or max(kept) >= leaf.size:
        raise ValueError("positions outside the array")
    return sampled_leaf(leaf.name, leaf.shape, leaf.start, np.array(kept, dtype=np.intp))


def _watch_in(watch: dict[str, Any], i: int, columns: dict[str, NDArray[Any]], evaluations: int) -> WatchColumns:
    evaluation = [_position(e, evaluations) for e in columns[f"watch{i}_evaluation"].tolist()]
    values = _rows(columns[f"watch{i}_values"], watch["shapes"]["values"])
    cotangents = _rows(columns[f"watch{i}_cotangents"], watch["shapes"]["cotangents"])
    at = _a(list, _in(watch["at"]))
    if not len(evaluation) == len(values) == len(cotangents) == len(at):
        raise ValueError("columns of different lengths")
    found = WatchColumns(_a(str, watch["unit"]))
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


def _event_in(saved: Any, evaluations: int) -> Event:
    event = Event(**_a(dict, _in(saved)))
    _texts([event.id, event.name, event.text, event.stage])
    if event.name in (PARAMETER, BOUND, TERMS):
        raise ValueError("an event without words")
    _one_of(get_args(EventPhase), event.phase)
    _a(dict, event.values)
    _position(event.count)
    _position(event.evaluation, max(evaluations, 1))
    return event


def _caption_in(saved: Any) -> Caption:
    fields = _a(dict, _in(saved))
    claims, sentences = _claims_in(fields.pop("claims")), fields.pop("sentences", ())
    wordings = tuple(_wording_in(_a(dict, wording)) for wording in sentences)
    caption = Caption(**fields, claims=claims, sentences=wordings)
    _texts([caption.text, caption.source, caption.status, caption.heading, *caption.cites])
    if [_position(end) for end in caption.span] != sorted(caption.span) or len(caption.span) != 2:
        raise ValueError("a caption about no span")
    return caption


def _claims_in(saved: Any) -> tuple[Claim, ...]:
    claims = tuple(Claim(**claim) for claim in saved)
    for claim in claims:
        _texts([claim.text, claim.reason])
        _one_of((True, False, None), claim.supported)
    return claims


def _wording_in(fields: dict[str, Any]) -> Wording:
    wording = Wording(**fields | {"cites": tuple(fields["cites"]), "claims": _claims_in(fields["claims"])})
    _texts([wording.text, wording.source, wording.built_in, wording.checked, wording.dropped, *wording.cites])
    return wording


def _problem_in(saved: Any) -> Problem | None:
    if saved is None:
        return None
    parameters = {_in(key): _parameter_in(_in(known)) for key, known in saved["parameters"]}
    glossary = _a(dict, _in(saved["glossary"]))
    _texts([*glossary.keys(), *glossary.values()])
    return Problem(_a(str, saved["title"]), _a(str, saved["goal"]), parameters, glossary)


def _parameter_in(fields: Any) -> Parameter:
    parameter = Parameter(**_a(dict, fields))
    _texts([parameter.name or "", parameter.unit, parameter.description, *(parameter.directions or ())])
    for value in (parameter.truth, *(parameter.bounds or ())):
        _a((int, float, type(None)), value)
    return parameter


def _in(saved: Any) -> Any:
    """Return what `_out` was given."""
    if isinstance(saved, list):
        return [_in(item) for item in saved]
    if not isinstance(saved, dict):
        return saved
    if "float" in saved:
        return float(saved["float"])
    if "complex" in saved:
        return complex(*(_in(part) for part in saved["complex"]))
    if "tuple" in saved:
        return tuple(_in(item) for item in saved["tuple"])
    if "dict" in saved:
        return {_in(key): _in(item) for key, item in saved["dict"]}
    dtype = np.dtype(_a(str, saved["dtype"]))
    if dtype.kind not in "biufcU":
        raise TypeError("an array that holds no plain data")
    return np.array(_in(saved["array"]), dtype=dtype)


def _a(kind: type[T] | tuple[type[Any], ...], value: Any) -> T:
    """Return `value` if it is of that kind; a bool is no number here."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(f"{value!r:.40} is of the wrong type")
    return cast("T", value)


def _one_of(choices: tuple[T, ...], value: Any) -> T:
    if not isinstance(value, (str, bool, type(None))) or value not in choices:
        raise ValueError(f"{value!r:.40} is none of {choices}")
    return value


def _texts(values: Any) -> list[str]:
    return [_a(str, value) for value in _a(list, values)]


def _position(value: Any, below: float = math.inf) -> int:
    if not 0 <= _a(int, value) < below:
        raise ValueError(f"{value!r:.40} is out of range")
    return int(value)


# ---------------------------------------------------------------------- tables


def _prefix(objective: int) -> str:
    return f"objective{objective}/" if objective else ""


def _members_of(run: Run, objectives: int) -> dict[str, Any]:
    """Return the members of the archive for the objective that `run` shows."""
    history = run.history
    arrays: dict[str, Any] = {name: getattr(history, name).array for name in _EACH}
    if history.kept is not None:
        arrays["kept"] = history.kept.array
    watches = []
    for i, watch in enumerate(run.watches.values()):
        arrays[f"watch{i}_evaluation"] = watch.evaluation
        arrays[f"watch{i}_values"], value_shapes = _end_to_end(watch.values)
        arrays[f"watch{i}_cotangents"], cotangent_shapes = _end_to_end(watch.cotangents)
        shapes = {"values": value_shapes, "cotangents": cotangent_shapes}
        watches.append({"name": watch.name, "unit": watch.unit, "at": _out(list(watch.at)), "shapes": shapes})
    for i, (evaluation, gradients) in enumerate(run.term_gradients.values()):
        arrays[f"term{i}_evaluation"], arrays[f"term{i}_gradients"] = evaluation, gradients
    curvature = run._curvature  # noqa: SLF001
    if curvature is not None:
        arrays |= {f"curvature_{name}": getattr(curvature, name) for name in _CURVATURE}
    captions = run._captions  # noqa: SLF001 - what the narrator would write anew is not worth keeping
    header = {
        "format": _FORMAT,
        "version": _VERSION,
        "name": run.name,
        "status": run.status,
        "ending": run.ending,
        "notices": run.notices,
        "problem": _problem_out(run.problem),
        "chosen_parameters": list(run.chosen_parameters),
        "chosen_spans": [list(span) for span in run.chosen_spans],
        "objective": history.objective,
        "optimizer": history.optimizer,
        "leaves": [(leaf.name, leaf.shape, _out_positions(leaf.kept)) for leaf in history.leaves],
        "outline": _out(history.outline),
        "watches": watches,
        "terms": list(history.terms),
        "events": [_out(vars(event)) for event in run.events],
        "objectives": objectives,
        "curvature": None
        if curvature is None
        else {"evaluation": curvature.evaluation, "loss": curvature.loss, "method": curvature.method},
        "captions": None if captions is None else [_caption_out(caption) for caption in captions],
        "span_captions": [_caption_out(caption) for caption in run._span_captions],  # noqa: SLF001
    }
    arrays["run.json"] = np.frombuffer(json.dumps(header, allow_nan=False).encode(), dtype=np.uint8)
    return arrays


def to_frame(run: Run) -> pandas.DataFrame:
    """Return a row for each evaluation: loss, accepted, each parameter's entry, each gradient's; nan where not kept."""
    try:
        import pandas as pd
    except ImportError as error:
        raise XinvError("run.to_frame() needs pandas: pip install pandas.") from error
    columns: dict[str, Any] = {"loss": run.loss, "accepted": run.accepted}
    gaps = np.ones(run.evaluations, dtype=bool)
    gaps[run.kept] = False
    for entry in run.entries():
        columns[entry.name] = np.where(gaps, np.nan, run.column(entry))
        columns[f"∂loss/∂{entry.name}"] = np.where(gaps, np.nan, run.column(entry, "gradients"))
    frame: pandas.DataFrame = pd.DataFrame(columns).rename_axis("evaluation")
    return frame
