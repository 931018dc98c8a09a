"""The constraints of a solver where it ended: which are broken, which are active, and what slope they leave.

Method: at the minimum under constraints the gradient is a sum of the gradients of the active ones, with a factor of the
right sign for each inequality (the Karush-Kuhn-Tucker conditions; Nocedal & Wright 2006, chapter 12).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xinv_nb.facts.measures.ends import last_call, slope_at_end
from xinv_nb.facts.measures.iterates import Floats, Iterates
from xinv_nb.facts.measures.scales import sizes
from xinv_nb.facts.measures.sizes import end_of
from xinv_nb.language.slots import Said
from xinv_nb.recorded.run import RecordedRun

_BROKEN = 1e-3
"""Share of a constraint's size by which one is broken of which the solver says that it holds."""
_BROKEN_FOR_SURE = 1e-5
"""The same where the solver did not succeed."""
_ACTIVE = 1e-4
"""Share of its size up to which the slack of an inequality is none."""


@dataclass(frozen=True)
class Constraint:
    """One number that a solver kept at 0, or at 0 and above, where it ended."""

    label: Said
    """What the program calls it."""
    is_equality: bool
    slack: float
    normal: Floats | None
    """The gradient of the slack."""
    size: float
    """How much the slack changes as the parameters change by their own sizes."""
    start: float | None
    """The slack at the start; None where it is not known."""
    is_sized: bool
    """Whether its size is known, and not only taken for 1."""

    @property
    def broken_by(self) -> float:
        """By how much it is broken; 0 where it holds."""
        return self._lacking(self.slack)

    @property
    def broken_at_start_by(self) -> float:
        """By how much the start broke it; 0 where it held there, by more than rounding, or where that is not known."""
        by = 0.0 if self.start is None else self._lacking(self.start)
        return by if by > _BROKEN * self.size else 0.0

    def _lacking(self, slack: float) -> float:
        return abs(slack) if self.is_equality else max(-slack, 0.0)

    def is_broken(self, *, succeeded: bool) -> bool:
        """Whether it is broken by more than solvers leave."""
        return self.broken_by > (_BROKEN if succeeded else _BROKEN_FOR_SURE) * self.size

    @property
    def is_active(self) -> bool:
        """Whether it holds with nothing to spare."""
        return abs(self.slack) <= _ACTIVE * self.size


@dataclass(frozen=True)
class Share:
    """What the active constraints leave of the gradient at the end, each parameter measured by its size."""

    whole: float
    """Size of the gradient."""
    left: float
    """Size of what no active constraint or bound takes up."""
    holding: tuple[Constraint, ...]
    """Those that take up something."""


def is_constrained(run: RecordedRun) -> bool:
    """Whether any optimizer of the run kept constraints: the lowest loss need be no solution then.

    >>> is_constrained(RecordedRun())
    False
    """
    return any(call.options.get("constraints") or call.ending.get("constraints") for call in run.history.calls)


def constraints_of(run: RecordedRun, iterates: Iterates) -> list[Constraint]:
    """Return the constraints of the last optimizer, as they stood where it ended; none where that is not known."""
    call = last_call(run)
    rows: Sequence[Mapping[str, Any]] = call.ending.get("constraints", ()) if call is not None else ()
    if not rows or not len(iterates):
        return []
    scale = sizes(run, iterates) if all(leaf.kept is None for leaf in run.history.leaves) else np.ones(0)
    way = np.zeros(0)
    if len(scale) and call is not None and 0 <= call.start < run.evaluations:
        start, end = np.real(run.history.rows(np.array([call.start, end_of(run)])))
        way = start - np.array(call.ending.get("at_end", {}).get("point", end), dtype=float)
    return [_constraint(row, scale, way) for row in rows]


def _constraint(row: Mapping[str, Any], scale: Floats, way: Floats) -> Constraint:
    normal = np.array(row.get("normal", ()), dtype=float)
    known = normal if len(normal) == len(scale) and len(normal) else None
    size = row.get("scale") or (1.0 if known is None else float(np.abs(known) @ scale))
    start = row.get("start")
    if start is None and known is not None and row.get("is_linear") and len(way) == len(known):
        start = float(row["slack"]) + float(known @ way)
    is_equality = row["type"] == "eq"
    return Constraint(
        _label(row),
        is_equality,
        float(row["slack"]),
        known,
        float(size) or 1.0,
        None if start is None else float(start),
        bool(row.get("scale")) or known is not None,
    )


def _label(row: Mapping[str, Any]) -> Said:
    """Return what a constraint is called: its place in the program's own list, and the name of its function."""
    if "place" not in row:
        return Said("the constraint" if row.get("of") == 1 else "one of the constraints")
    if row["of"] == 1:
        return Said(f"the constraint {row['name']}".rstrip())
    return Said(f"constraints[{row['place']}]" + (f" ({row['name']})" if row["name"] else ""))


def share_of(run: RecordedRun, iterates: Iterates, constraints: Sequence[Constraint]) -> Share | None:
    """Return what the active constraints and bounds leave of the gradient at the end; None where it is not known."""
    active = [each for each in constraints if each.is_active and each.normal is not None]
    found = slope_at_end(run)
    if not active or found is None:
        return None
    scale = sizes(run, iterates)
    slope = found * scale
    normals = np.array([each.normal for each in active]) * scale
    free = ~pulled_across(run, slope)
    factors = np.zeros(0)
    while len(active):
        factors, *_ = np.linalg.lstsq(normals[:, free].T, slope[free], rcond=None)
        wrong = [i for i, each in enumerate(active) if not each.is_equality and factors[i] < 0]
        if not wrong:
            break
        worst = min(wrong, key=lambda i: factors[i])
        active = active[:worst] + active[worst + 1 :]
        normals = np.delete(normals, worst, axis=0)
    if not active:
        return None
    left = slope[free] - factors @ normals[:, free]
    whole = float(np.linalg.norm(slope))
    pulls = np.linalg.norm(normals, axis=1) * np.abs(factors)
    holding = tuple(each for each, pull in zip(active, pulls, strict=True) if pull > _BROKEN * whole)
    return Share(whole, float(np.linalg.norm(left)), holding)


def pulled_across(run: RecordedRun, slope: Floats) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which parameters lie at a bound of the last optimizer that the gradient pulls them across."""
    call, found = last_call(run), np.zeros(len(slope), dtype=bool)
    bounds = call.options.get("bounds", ()) if call is not None else ()
    if len(bounds) != len(slope):
        return found
    values = np.real(run.history.rows(np.array([end_of(run)]))[0])
    for i, (low, high) in enumerate(bounds):
        near = 1e-6 * max(abs(values[i]), 1e-300)
        if low is not None and values[i] - low <= near:
            found[i] = slope[i] > 0
        if high is not None and high - values[i] <= near:
            found[i] = slope[i] < 0
    return found
