"""What a reader wants to be otherwise when a run is optimized again, checked against what was recorded."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.errors import XinvError, shown
from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.replay.recorded import DESCENT, FITTERS, LOOPS, MINIMIZERS
from xinv_nb.recorded.entries import Entry
from xinv_nb.recorded.history import History
from xinv_nb.recorded.run import RecordedRun

_SHORT = {
    "adam": "Adam", "rmsprop": "RMSProp", "sgd": "Gradient descent with momentum", "cg": "Conjugate gradient",
    "descent": DESCENT, "trf": "Trust region reflective", "lm": "Levenberg-Marquardt",
}  # fmt: skip
"""What optimizers are called in programs, where a recording has another name for them."""


@dataclass(frozen=True)
class Wishes:
    """What is to be otherwise; None, or nothing, for what stays as it was."""

    start: Any = None
    optimizer: str | None = None
    step_size: float | None = None
    fixed: Mapping[str, float] | Iterable[str] | str | None = None
    from_iteration: int | None = None
    iterations: int | None = None


@dataclass
class Point:
    """A point in one row, which of its numbers may move, and what of it was wished for."""

    x: Floats
    free: NDArray[np.bool_]
    moved: list[int] = field(default_factory=list)
    """The columns that were set by the wish for another start."""


def optimizer_named(name: Any, *, of_residuals: bool) -> str:
    """Return an optimizer as a recording names it; raises `XinvError` with those that there are.

    >>> optimizer_named("adam", of_residuals=False), optimizer_named("l-bfgs-b", of_residuals=False)
    ('Adam', 'L-BFGS-B')
    """
    there = list(FITTERS) if of_residuals else [*LOOPS, DESCENT, *MINIMIZERS]
    called = {each.lower(): each for each in there}
    called |= {short: each for short, each in _SHORT.items() if each in there}
    if isinstance(name, str) and name.lower() in called:
        return called[name.lower()]
    short = {each: word for word, each in _SHORT.items()}
    known = ", ".join(repr(short.get(each, each)) for each in there)
    of = " for a fit of residuals" if of_residuals else ""
    raise XinvError(f"run.replay(optimizer=…) knows{of} {known}; it was given {shown(name)}.")


def positive(value: Any, what: str, such: str) -> float:
    """Return a positive number; raises `XinvError` where it is none.

    >>> positive(0.5, "step_size", "0.1")
    0.5
    """
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number or not 0 < float(value) < np.inf:
        raise XinvError(f"run.replay({what}=…) is a positive number, such as {such}; it was given {shown(value)}.")
    return float(value)


def whole(value: Any, what: str, first: int, last: int) -> int:
    """Return a whole number within limits; raises `XinvError` where it is none.

    >>> whole(3, "from_iteration", 0, 5)
    3
    """
    is_number = isinstance(value, Integral) and not isinstance(value, bool)
    if not is_number or not first <= int(value) <= last:
        raise XinvError(f"run.replay({what}=…) is a whole number from {first} to {last}; it was given {shown(value)}.")
    return int(value)


def point_wished(run: RecordedRun, base: Floats, wishes: Wishes) -> Point:
    """Return where to start, and what may move; raises `XinvError` for what fits no parameter."""
    point = Point(np.array(base), np.ones(len(base), dtype=bool))
    if wishes.start is not None:
        _set_start(run, point, wishes.start)
    if wishes.fixed is not None:
        _hold(run, point, wishes.fixed)
    if not np.isfinite(point.x).all():
        raise XinvError("run.replay starts at finite numbers; one of those it was given is not finite.")
    if not point.free.any():
        raise XinvError("run.replay(fixed=…) holds every parameter, so that none is left to move.")
    return point


def _set_start(run: RecordedRun, point: Point, start: Any) -> None:
    from xinv_nb.recording.reevaluating import flattened

    history, before = run.history, np.array(point.x)
    names = _columns(run)
    if isinstance(start, Mapping) and start and not _is_whole(start, history):
        for name, value in start.items():
            columns = _columns_of(name, names, "start")
            point.x[columns] = _numbers(value, len(columns), name)
    else:
        point.x[:] = flattened(start, history)
    point.moved = np.flatnonzero(point.x != before).tolist()


def _is_whole(start: Mapping[Any, Any], history: History) -> bool:
    """Whether a mapping has the structure of the parameters, and names not only some of them."""
    outline = history.outline
    return isinstance(outline, Mapping) and set(start) == set(outline)


def _hold(run: RecordedRun, point: Point, fixed: Any) -> None:
    names = _columns(run)
    if isinstance(fixed, str):
        fixed = [fixed]
    if not isinstance(fixed, (Mapping, Sequence, set, frozenset)):
        raise XinvError(
            "run.replay(fixed=…) maps names of parameters to where they are held, such as {'p[1]': 3.0}, or lists "
            f"names, to hold them where they start; it was given {shown(fixed)}."
        )
    for name in fixed:
        columns = _columns_of(name, names, "fixed")
        if isinstance(fixed, Mapping):
            point.x[columns] = _numbers(fixed[name], len(columns), name)
        point.free[columns] = False


def _columns(run: RecordedRun) -> dict[str, list[int]]:
    """Return the columns of each parameter and of each array, by all names that they go by."""
    found: dict[str, list[int]] = {}
    for leaf in run.history.leaves:
        found.setdefault(leaf.name, list(range(leaf.start, leaf.stop)))
    for entry in all_entries(run):
        for name in (entry.label, entry.name):
            found.setdefault(name, [] if entry.column is None else [entry.column])
    return found


def all_entries(run: RecordedRun) -> list[Entry]:
    """Return an entry for each number among the parameters, in the order of the columns."""
    return [entry for leaf in run.history.leaves for entry in run.entries_of(leaf, range(leaf.size))]


def _columns_of(name: Any, names: Mapping[str, list[int]], what: str) -> list[int]:
    if name in names:
        return names[name]
    near = difflib.get_close_matches(str(name), names, 1, 0.3)
    meant = f"did you mean {near[0]!r}?" if near else f"the parameters are {', '.join(list(names)[:8])}."
    raise XinvError(f"run.replay({what}=…): there is no parameter {shown(name)}; {meant}")


def _numbers(value: Any, count: int, name: Any) -> Floats:
    try:
        found = np.asarray(value, dtype=float).ravel()
    except (TypeError, ValueError):
        found = np.zeros(0)
    if isinstance(value, (str, bool)) or found.size not in (1, count) or not np.isfinite(found).all():
        wanted = "a finite number" if count == 1 else f"a finite number, or {count} of them"
        raise XinvError(f"run.replay sets {name!s:.60} to {wanted}; it was given {shown(value)}.")
    return np.broadcast_to(found, (count,))
