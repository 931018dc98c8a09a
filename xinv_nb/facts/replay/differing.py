"""What sets a replay apart from the run that it repeats: what differed first, where it ended, which reason turned."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.analysis import phases_of, shown_excerpt
from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.subdivided import reasons_with_leave
from xinv_nb.recorded.run import RecordedRun

_ROUNDING = 1e-9
"""Share of the size of a parameter by which two runs may be apart and count as the same."""
_APART = 0.01
"""Share of the way of a parameter from which on its end is another one."""
_MOST_ENDS = 2
_MUCH = 0.1
"""Share of the largest part of a quantity from which on a part is told to have turned."""
_MOST_TURNED = 2


def what_differs(
    run: RecordedRun, again: RecordedRun, row: int, free: NDArray[np.bool_], *, is_moved: bool
) -> dict[str, Any]:
    """Return what sets apart a replay that began at the evaluation `row` of the fit that is shown, as plain data.

    Of what was held, which `free` says, it is no news that it stayed.

    >>> what_differs(RecordedRun(), RecordedRun(), 0, np.ones(0, dtype=bool), is_moved=False)
    {}
    """
    one, other = shown_excerpt(run)[0], shown_excerpt(again)[0]
    if not one.evaluations or not other.evaluations:
        return {}
    one_points, other_points = _points(one, row), _points(other, 0)
    found: dict[str, Any] = {}
    if one_points is not None and other_points is not None and one_points.shape[1] == other_points.shape[1]:
        count = min(len(one_points), len(other_points))
        scale = _scale(one_points[:count], other_points[:count])
        with np.errstate(all="ignore"):
            apart = np.abs(one_points[:count] - other_points[:count]) > _ROUNDING * scale
        is_held_elsewhere = bool(apart[:, ~free].any())
        apart &= free
        rows = np.flatnonzero(apart.any(axis=1))
        if not len(rows):
            found["is_same"] = len(one_points) == len(other_points) and not is_held_elsewhere
        elif not is_moved and rows[0] > 0:
            found["first"] = _first(
                one_points[rows[0]], other_points[rows[0]], int(rows[0]), np.where(free, scale[rows[0]], np.inf)
            )
        found["points"] = [end for end in _ends(one_points, other_points) if free[end["column"]]][:_MOST_ENDS]
    if not _is_noisy(one) and not _is_noisy(other):
        ends = [float(each.loss[np.flatnonzero(each.accepted)[-1]]) for each in (one, other)]
        found |= {"loss": ends[1], "other_loss": ends[0]} if np.isfinite(ends).all() else {}
    if row == 0 and not found.get("is_same"):
        found["turned"] = _turned(run, again)
    return found


def _points(run: RecordedRun, row: int) -> Floats | None:
    """Return the accepted points from an evaluation on, a row for each; None where not each was kept."""
    if run.history.kept is not None or not run.history.is_real:
        return None
    rows = np.flatnonzero(run.accepted)
    return np.asarray(run.history.values.array[rows[rows >= row]])


def _scale(one: Floats, other: Floats) -> Floats:
    """Return how large each number was up to each point: what a difference of it is measured by.

    Not how large it became in the end: of a run that goes off, all that came before would count as the same.
    """
    sizes = np.maximum(np.abs(one), np.abs(other))
    return np.asarray(np.maximum.accumulate(np.where(np.isfinite(sizes), sizes, 0.0), axis=0))


def _first(one: Floats, other: Floats, steps: int, scale: Floats) -> dict[str, Any]:
    with np.errstate(all="ignore"):
        shares = np.where(scale > 0, np.abs(one - other) / scale, 0.0)
    column = int(np.argmax(np.where(np.isfinite(shares), shares, 0.0)))
    return {"steps": steps, "column": column, "value": float(other[column]), "other": float(one[column])}


def _ends(one: Floats, other: Floats) -> list[dict[str, Any]]:
    """Return the parameters that ended elsewhere, farthest apart first, measured by how far they went."""
    if not len(one) or not len(other) or not np.isfinite([one[-1], other[-1]]).all():
        return []
    went = np.maximum(np.ptp(one, axis=0), np.ptp(other, axis=0))
    apart = np.abs(one[-1] - other[-1])
    shares = np.divide(apart, went, out=np.zeros_like(apart), where=went > 0)
    order = np.argsort(-shares, kind="stable")
    return [
        {"column": int(column), "value": float(other[-1, column]), "other": float(one[-1, column])}
        for column in order
        if shares[column] > _APART
    ]


def _is_noisy(run: RecordedRun) -> bool:
    """Whether single losses are draws, so that those at the ends cannot be compared."""
    return any(phase.noisy for phase in phases_of(run))


def _turned(run: RecordedRun, again: RecordedRun) -> list[dict[str, Any]]:
    """Return which parts changed their sign: what the move of a parameter brought to a quantity, in both runs."""
    one, other = reasons_with_leave(run), reasons_with_leave(again)
    if one.why_not or other.why_not or list(one.parameters) != list(other.parameters):
        return []
    found: list[tuple[float, dict[str, Any]]] = []
    for name, unit in list(zip(one.quantities, one.units, strict=True))[:-1]:  # the last is the loss
        if name not in other.quantities[:-1]:
            continue
        (before, doubt), (after, doubt_after) = (
            (each.parts[:, q], each.doubts[:, q]) for each in (one, other) for q in [each.quantities.index(name)]
        )
        largest = max(_largest(before), _largest(after))
        for k, parameter in enumerate(one.parameters):
            share = min(abs(before[k]), abs(after[k])) / largest if largest else 0.0
            is_sure = abs(before[k]) > doubt[k] and abs(after[k]) > doubt_after[k]
            if before[k] * after[k] < 0 and share >= _MUCH and is_sure:
                told = {"parameter": parameter, "quantity": name, "unit": unit}
                found.append((share, {**told, "part": float(after[k]), "other": float(before[k])}))
    return [told for _, told in sorted(found, key=lambda each: -each[0])[:_MOST_TURNED]]


def _largest(parts: NDArray[np.float64]) -> float:
    return float(np.max(np.abs(parts), initial=0.0))
