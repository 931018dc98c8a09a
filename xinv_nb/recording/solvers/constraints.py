"""What a solver knows of its constraints at its end: read from what SciPy computed, so that nothing is called again.

Each number of a constraint becomes one row of plain data: its `slack` (0 or more where an inequality holds, 0 where an
equality does), `normal`, the gradient of the slack, where the solver took it, `start`, the slack at the start, and
whether it `is_linear`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import FrameType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recording.solvers.constraint_values import answers_of
from xinv_nb.recording.wrappers import function_name

_MOST = 1000
"""Numbers that are kept."""
_OF_SCIPY = ("objective", "f_eq", "f_ineq", "fun", "<lambda>")
"""Names of functions that tell a reader nothing: those of SciPy's own, and none."""

Floats = NDArray[np.float64]


def of_frame(frame: FrameType) -> list[dict[str, Any]]:
    """Return the constraints at the end of SLSQP or COBYLA, out of its frame; none where it is not as we know it."""
    local = frame.f_locals
    if frame.f_code.co_name == "_minimize_slsqp":
        return _of_slsqp(local)
    if frame.f_code.co_name == "_minimize_cobyla" and "result" in local:
        return _of_cobyla(local)
    return []


def _of_slsqp(local: Mapping[str, Any]) -> list[dict[str, Any]]:
    count, equalities = int(local["meq"] + local["mieq"]), int(local["meq"])
    slack = np.asarray(local.get("d", local.get("c")), dtype=float).reshape(-1)[:count]
    normals = np.asarray(local.get("C", local.get("a")), dtype=float)[:count, : len(local["x"])]
    given = local["constraints"]
    given = [given] if isinstance(given, Mapping) else list(given)
    types = [str(each["type"]).lower() for each in given]
    order = [place for kind in ("eq", "ineq") for place, each in enumerate(types) if each == kind]
    places: Sequence[int | None] = [None] * count
    if len(given) == 1:
        places = [0] * count
    elif len(given) == count:
        places = order
    names = [_name(each.get("fun")) for each in given]
    # A constraint with limits on both sides is handed on as two, of which the second is at the end of the list.
    is_split = any(function_name(each.get("fun")) == "f_eq" for each in given)
    starts = _starts([given[place] for place in order], count)
    rows = []
    for i in range(count):
        place = None if is_split else places[i]
        row = _row("eq" if i < equalities else "ineq", slack[i], normals[i], place, len(given), names)
        rows.append(row | ({} if starts is None else {"start": float(starts[i])}))
    return _kept(rows)


def _starts(given: Sequence[Any], count: int) -> Floats | None:
    """Return the numbers of all constraints at the start; None where they are not known, or not so many."""
    first = [found.first for each in given if (found := answers_of(each)) is not None and found.first is not None]
    known = np.concatenate(first) if first else np.zeros(0)
    return known if len(first) == len(given) and len(known) == count else None


def _of_cobyla(local: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what COBYLA tells: where a constraint is above 0 it is broken, and those of the bounds come first."""
    found, given = local["result"], list(local["constraints"])
    seen = np.array(list(found.conhist), dtype=float)
    bounds = local.get("bounds")
    count = 0 if bounds is None else int(np.isfinite(bounds.lb).sum() + np.isfinite(bounds.ub).sum())
    broken, scales = np.asarray(found.constr, dtype=float)[count:], np.abs(seen[:, count:]).max(axis=0)
    is_plain = len(broken) == len(given) and all(hasattr(each, "fun") for each in given)
    rows = []
    for i, (by, scale) in enumerate(zip(broken, scales, strict=True)):
        place = {"place": i, "name": _name(given[i].fun)} if is_plain else {}
        row = {"type": "ineq", "slack": -float(by), "scale": float(scale), **place, "of": len(given)}
        # Where some are linear it begins at another point, which keeps to these.
        starts_there = not any(hasattr(each, "A") for each in given)
        rows.append(row | ({"start": -float(seen[0, count + i])} if starts_there else {}))
    return _kept(rows)


def of_result(result: Any, constraints: Any) -> list[dict[str, Any]]:
    """Return the constraints at the end as the result tells them; `constraints` as SciPy has them.

    trust-constr tells all of them, others only by how much the worst is broken.
    """
    given = list(constraints) if isinstance(constraints, (list, tuple)) else [constraints]
    values, slopes = getattr(result, "constr", None), getattr(result, "jac", None)
    if not isinstance(values, (list, tuple)) or not isinstance(slopes, (list, tuple)):
        worst = getattr(result, "maxcv", None)
        by_answers = _of_answers(result, given)
        if worst is None or by_answers:
            return _kept(by_answers)
        if not given:
            return []
        return _kept([{"type": "ineq", "slack": -float(worst), "of": len(given)}])
    names = [_name(getattr(each, "fun", None)) for each in given]
    rows = []
    for place, (each, value, slope) in enumerate(zip(given, values, slopes, strict=False)):  # bounds come after them
        dense = np.asarray(slope.toarray() if hasattr(slope, "toarray") else slope, dtype=float)
        flat = np.asarray(value, dtype=float).reshape(-1)
        first = _first(each, flat)
        for i, normal in enumerate(dense.reshape(len(flat), -1)):
            for kind, slack, sign, start in _sides(each, flat, first, i):
                rows.append(_row(kind, slack, sign * normal, place, len(given), names) | start | _linear(each))
    return _kept(rows)


def _linear(each: Any) -> dict[str, bool]:
    return {"is_linear": True} if hasattr(each, "A") else {}


def _of_answers(result: Any, given: Sequence[Any]) -> list[dict[str, Any]]:
    """Return the constraints at the end by what their functions answered there; none where one is not known."""
    rows: list[dict[str, Any]] = []
    for place, each in enumerate(given):
        if hasattr(each, "A"):
            matrix = np.atleast_2d(each.A.toarray() if hasattr(each.A, "toarray") else each.A)
            flat = np.asarray(matrix @ result.x, dtype=float)
            for i, normal in enumerate(matrix):
                for kind, slack, sign, _ in _sides(each, flat, None, i):
                    rows.append(_row(kind, slack, sign * normal, place, len(given), [""] * len(given)) | _linear(each))
            continue
        found = answers_of(each)
        numbers = None if found is None else found.at(result.x)
        if found is None or numbers is None or found.largest is None:
            return []
        known = {"place": place, "name": _name(found.function), "of": len(given)}
        for i in range(len(numbers)):
            limits = [abs(limit[i]) for limit in _limits(each, numbers) if np.isfinite(limit[i])]
            scale = float(max(found.largest[i], *limits))
            for kind, slack, _, start in _sides(each, numbers, found.first, i):
                rows.append({"type": kind, "slack": slack, "scale": scale} | known | start)
    return rows


def _first(each: Any, flat: Floats) -> Floats | None:
    found = answers_of(each)
    return None if found is None or found.first is None or found.first.shape != flat.shape else found.first


def _limits(each: Any, flat: Floats) -> list[Floats]:
    return [np.broadcast_to(np.asarray(limit, dtype=float), flat.shape) for limit in (each.lb, each.ub)]


def _sides(
    each: Any, numbers: Floats, first: Floats | None, i: int
) -> Iterator[tuple[str, float, int, dict[str, float]]]:
    """Yield what holds one number between its limits: its kind, its slack, which way that grows, its start."""
    low, high = (float(limit[i]) for limit in _limits(each, numbers))
    number, start = float(numbers[i]), None if first is None else float(first[i])
    for kind, limit, sign in (("eq", low, 1),) if low == high else (("ineq", low, 1), ("ineq", high, -1)):
        if np.isfinite(limit):
            yield kind, sign * (number - limit), sign, {} if start is None else {"start": sign * (start - limit)}


def _row(
    kind: str, slack: float, normal: Floats, place: int | None, count: int, names: Sequence[str]
) -> dict[str, Any]:
    found: dict[str, Any] = {"type": kind, "slack": float(slack), "normal": [float(number) for number in normal]}
    if place is not None:
        found |= {"place": place, "name": names[place]}
    return found | {"of": count}


def _name(function: Any) -> str:
    name = function_name(function) if callable(function) else ""
    return "" if name in _OF_SCIPY else name


def _kept(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows that are not too many numbers; normals only where all of them are finite."""
    normals = [row.get("normal", []) for row in rows]
    if sum(map(len, normals)) > _MOST or not all(np.isfinite(normal).all() for normal in normals):
        rows = [{name: value for name, value in row.items() if name != "normal"} for row in rows]
    known = all(np.isfinite([row["slack"], row.get("start", 0.0)]).all() for row in rows)
    return rows if len(rows) <= _MOST and known else []
