"""Files of runs: one NumPy archive (`.npz`), read and written without pickle.

The archive holds the member `run.json` (UTF-8 JSON as bytes: format name and version, names, events, notices) and one
array for each column. What JSON cannot hold of an event's values is kept as text.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from xinv_nb.errors import XinvError
from xinv_nb.history import History, WatchColumns
from xinv_nb.run import Event, Parameter, Problem, Run

if TYPE_CHECKING:
    import pandas

_FORMAT, _VERSION = "xinv_nb run", 1


class RunFileError(XinvError):
    """A file that is no run of xinv_nb, or cannot be read to its end."""


def save(run: Run, path: Path) -> Path:
    """Write `run` to `path` and return the path. The scene, a function, is not saved."""
    history = run.history
    header = {
        "format": _FORMAT,
        "version": _VERSION,
        "name": run.name,
        "status": run.status,
        "ending": run.ending,
        "notices": run.notices,
        "problem": _problem_out(run.problem),
        "objective": history.objective,
        "optimizer": history.optimizer,
        "leaves": [(leaf.name, leaf.shape) for leaf in history.leaves],
        "watches": {name: columns.unit for name, columns in history.watches.items()},
        "events": [asdict(event) for event in run.events],
    }
    arrays: dict[str, Any] = {
        "loss": history.loss.array,
        "values": history.values.array,
        "gradients": history.gradients.array,
        "accepted": history.accepted.array,
    }
    for i, watch in enumerate(run.watches.values()):
        if watch.values.dtype != object and watch.cotangents.dtype != object:
            arrays |= {f"watch{i}_evaluation": watch.evaluation}
            arrays |= {f"watch{i}_values": watch.values, f"watch{i}_cotangents": watch.cotangents}
    text = json.dumps(header, default=_sayable, ensure_ascii=False)
    arrays["run.json"] = np.frombuffer(text.encode(), dtype=np.uint8)
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)
    return path


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
        with np.load(path, allow_pickle=False) as archive:
            columns = {name: archive[name] for name in archive.files}
        header = json.loads(columns.pop("run.json").tobytes())
        if header.get("format") != _FORMAT:
            raise RunFileError(f"{path} is no run of xinv_nb.")
        if header["version"] > _VERSION:
            raise RunFileError(
                f"{path} was written by a newer xinv_nb (format {header['version']}); update to read it."
            )
        return _run(header, columns)
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        IndexError,
        AttributeError,
        EOFError,
        zipfile.BadZipFile,
    ) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise RunFileError(f"{path} is no run of xinv_nb, or is damaged ({type(error).__name__}).") from error


def _run(header: dict[str, Any], columns: dict[str, Any]) -> Run:
    run = Run(header["name"], _problem_in(header["problem"]))
    run.status, run.ending, run.notices = header["status"], header["ending"], list(header["notices"])
    leaves = [(name, tuple(shape)) for name, shape in header["leaves"]]
    history = History(header["objective"], leaves, columns["values"].dtype)
    history.optimizer = header["optimizer"]
    for loss, values, gradient in zip(columns["loss"], columns["values"], columns["gradients"], strict=True):
        history.append(float(loss), values, gradient)
    for i, (name, unit) in enumerate(header["watches"].items()):
        if f"watch{i}_values" in columns:
            rows = columns[f"watch{i}_values"]
            history.watches[name] = WatchColumns(
                unit,
                columns[f"watch{i}_evaluation"].tolist(),
                list(rows),
                list(columns[f"watch{i}_cotangents"]),
                [None] * len(rows),
            )
    if len(history):
        run._histories.append(history)  # noqa: SLF001
    run._events = [(history, Event(**event)) for event in header["events"]]  # noqa: SLF001
    return run


def _problem_out(problem: Problem | None) -> dict[str, Any] | None:
    if problem is None:
        return None
    parameters = [(key, asdict(parameter)) for key, parameter in problem.parameters.items()]
    return asdict(replace(problem, parameters={}, scene=None)) | {"parameters": parameters}


def _problem_in(saved: dict[str, Any] | None) -> Problem | None:
    if saved is None:
        return None
    parameters = {key: Parameter(**known) for key, known in saved["parameters"]}
    return Problem(**(saved | {"parameters": parameters}))


def _sayable(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    return str(value)


def to_frame(run: Run) -> pandas.DataFrame:
    """Return a row for each evaluation: loss, accepted, each parameter's entry, each gradient's."""
    try:
        import pandas as pd
    except ImportError as error:
        raise XinvError("run.to_frame() needs pandas: pip install pandas.") from error
    columns: dict[str, Any] = {"loss": run.loss, "accepted": run.accepted}
    for entry in run.entries():
        columns[entry.name] = run.column(entry)
        columns[f"∂loss/∂{entry.name}"] = run.column(entry, "gradients")
    frame: pandas.DataFrame = pd.DataFrame(columns).rename_axis("evaluation")
    return frame
