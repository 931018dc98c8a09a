"""Writes runs to files, in the newest version of the format."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from xinv_nb.errors import XinvError, told
from xinv_nb.recorded.captions import Caption, Claim
from xinv_nb.recorded.file.layout import CHECKS, CURVATURE, EACH, FORMAT, VERSION, prefix
from xinv_nb.recorded.file.reading import RunFileError, read
from xinv_nb.recorded.file.replacing import replacing
from xinv_nb.recorded.file.values import encoded
from xinv_nb.recorded.keys import with_plain_keys
from xinv_nb.recorded.problem import Problem
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.recorded.watch import Watch


def save(run: RecordedRun, path: Path) -> Path:
    """Write `run` to `path` and return the path. The scene, a function, is not saved.

    A run that could not be read back does not take the place of an earlier one: that is an `XinvError`.
    """
    with replacing(path) as file:
        write(run, file)
        file.flush()
        with Path(file.name).open("rb") as again:
            try:
                read(again, RecordedRun)
            except RunFileError as error:
                raise XinvError(
                    f"{path} was not written: what it would have held could not be read back "
                    f"({told(error.__cause__ or error)}). Please report this."
                ) from error
    return path


def write(run: RecordedRun, file: BinaryIO) -> None:
    """Write `run` to a file that is open."""
    arrays: dict[str, Any] = {}
    for i, each in enumerate(run.objectives.values() or [run]):
        header = _of_objective(each) | (_of_run(run) if i == 0 else {})
        members = _columns_of(each) | {
            "run.json": np.frombuffer(json.dumps(header, allow_nan=False).encode(), np.uint8)
        }
        arrays |= {f"{prefix(i)}{name}": array for name, array in members.items()}
    np.savez_compressed(file, **arrays)


def to_bytes(run: RecordedRun) -> bytes:
    """Return what the file of `run` holds."""
    file = io.BytesIO()
    write(run, file)
    return file.getvalue()


def _positions(kept: NDArray[np.intp] | None) -> list[int] | None:
    return None if kept is None else kept.tolist()


def _problem_out(problem: Problem | None) -> Any:
    if problem is None:
        return None
    told = problem.objective
    return {
        "title": problem.title,
        "goal": problem.goal,
        "glossary": encoded(problem.glossary),
        "parameters": [[encoded(key), encoded(vars(known))] for key, known in problem.parameters.items()],
        "landmarks": encoded(problem.landmarks),
        "objective": told and {name: getattr(told, name) for name in ("name", "unit", "lower", "higher")},
    }


def _caption_out(caption: Caption) -> Any:
    sentences = [vars(wording) | {"claims": _claims_out(wording.claims)} for wording in caption.sentences]
    return encoded(vars(caption) | {"claims": _claims_out(caption.claims), "sentences": sentences})


def _claims_out(claims: Sequence[Claim]) -> list[Any]:
    return [vars(claim) for claim in claims]


def _of_run(run: RecordedRun) -> dict[str, Any]:
    """Return what the file holds once."""
    captions, curvature, checks = run.written_captions, run.curvature, run.checks
    # What the narrator would write anew is not worth keeping.
    return {
        "name": run.name,
        "status": run.status,
        "ending": run.ending,
        "notices": run.notices,
        "problem": _problem_out(run.problem),
        "chosen_parameters": list(run.chosen_parameters),
        "muted": list(run.muted),
        "missed": vars(run.missed),
        "chosen_fit": run.chosen_fit,
        "chosen_spans": [list(span) for span in run.chosen_spans],
        "events": [[owner, encoded(vars(event))] for owner, event in run.events_by_objective()],
        "dropped_events": run.has_dropped_events,
        "objectives": len(run.objectives),
        "curvature": None
        if curvature is None
        else {"evaluation": curvature.evaluation, "loss": curvature.loss, "method": curvature.method},
        "checks": None
        if checks is None
        else encoded({name: value for name, value in vars(checks).items() if name not in CHECKS}),
        "replay_of": encoded(run.replay_of),
        "captions": None if captions is None else [_caption_out(caption) for caption in captions],
        "span_captions": [_caption_out(caption) for caption in run.span_captions],
    }


def _of_objective(run: RecordedRun) -> dict[str, Any]:
    """Return what the file holds of the objective that `run` shows, but for its columns."""
    history = run.history
    return {
        "format": FORMAT,
        "version": VERSION,
        "objective": history.objective,
        "optimizer": history.optimizer,
        "held": [list(change) for change in history.held],
        "calls": [encoded(vars(call)) for call in history.calls],
        "leaves": [(leaf.name, leaf.shape, _positions(leaf.kept)) for leaf in history.leaves],
        "moved_by": history.moved_by,
        "is_on_manifold": history.is_on_manifold,
        "is_within": history.is_within,
        "nested": history.nested,
        "is_between": history.is_between,
        "anew": history.anew,
        "handed": history.handed,
        "labels": [leaf.labels for leaf in history.leaves],
        "complex_leaves": [leaf.name for leaf in history.leaves if leaf.is_complex],
        "outline": encoded(with_plain_keys(history.outline)),
        "watches": [
            {"name": watch.name, "unit": watch.unit, "at": encoded(list(watch.at)), "shapes": _shapes(watch)}
            for watch in run.watches.values()
        ],
        "terms": list(history.terms),
        "sums": [encoded(vars(term)) for term in history.sums.terms],
        "slopes": [{"name": name, "inside": list(slopes.inside)} for name, slopes in history.slopes.items()],
        "along": list(history.along),
        "data": [{"name": name, "labels": list(group.labels)} for name, group in history.data.items()],
    }


def _columns_of(run: RecordedRun) -> dict[str, Any]:
    history = run.history
    arrays: dict[str, Any] = {name: getattr(history, name).array for name in EACH}
    if history.kept is not None:
        arrays["kept"] = history.kept.array
    if history.residuals is not None:
        arrays["residuals"] = history.residuals.array
    if len(history.jacobians):
        arrays["jacobians"] = np.array([jacobian for _, jacobian in history.jacobians])
        arrays["jacobian_evaluation"] = np.array(history.jacobians.evaluations)
    for i, group in enumerate(history.data.values()):
        arrays[f"data{i}_residuals"] = group.residuals.array[: history.values.rows]
        if group.sigma is not None:
            arrays[f"data{i}_sigma"] = group.sigma
    if history.without_gradient is not None:
        arrays["without_gradient"] = history.without_gradient.array
    for i, watch in enumerate(run.watches.values()):
        arrays[f"watch{i}_evaluation"] = watch.evaluation
        arrays[f"watch{i}_values"], arrays[f"watch{i}_cotangents"] = map(_flat, (watch.values, watch.cotangents))
    for i, (evaluation, gradients) in enumerate(run.term_gradients.values()):
        arrays[f"term{i}_evaluation"], arrays[f"term{i}_gradients"] = evaluation, gradients
    if history.sums.terms:
        arrays["sums_evaluation"], arrays["sums_values"] = history.sums.arrays()
    for i, slopes in enumerate(history.slopes.values()):
        arrays[f"slope{i}_evaluation"], arrays[f"slope{i}_gradients"] = slopes.arrays()
    for i, along in enumerate(history.along.values()):
        arrays[f"along{i}_evaluation"], arrays[f"along{i}_gradients"] = along.arrays()
    if run.curvature is not None:
        arrays |= {f"curvature_{name}": getattr(run.curvature, name) for name in CURVATURE}
    if run.checks is not None:
        arrays |= {f"checks_{name}": getattr(run.checks, name) for name in CHECKS}
    return arrays


def _flat(rows: NDArray[Any]) -> NDArray[Any]:
    """Return rows of different shapes as one flat array; rows of one shape as they are."""
    return rows if rows.dtype != object else np.concatenate([np.ravel(row) for row in rows])


def _shapes(watch: Watch) -> dict[str, Any]:
    """Return the shapes of rows that are laid end to end; None for those of one shape."""
    both = {"values": watch.values, "cotangents": watch.cotangents}
    return {name: [np.shape(row) for row in rows] if rows.dtype == object else None for name, rows in both.items()}
