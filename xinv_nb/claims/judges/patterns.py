"""Patterns in a course: oscillation, divergence, convergence, plateau."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from xinv_nb.claims.clauses import LOSS
from xinv_nb.claims.judges.evidence import FLAT, Evidence, Floats, Judge, Rows, Verdict
from xinv_nb.claims.statements import Statement
from xinv_nb.facts.analysis import phases_of

_TURNS = 0.45
"""Share of steps that turn back from which a quantity goes up and down."""
_SWINGS, _SWING = 4, 0.05
"""How often, and by what share of its range, a quantity turns back that swings."""
_LEVEL = 0.01
_DIVERGING = 3.0
"""How many times as long the last steps of a quantity that diverges are as its first ones."""


def _pattern(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    values = e.series(s.quantity)
    part = values[e.part(s, rows)] if values is not None else np.array([])
    if not len(part) or (len(part) < 3 and s.what[0] in ("plateau", "settling", "oscillation")):
        return e.unknown(s)
    if s.what[0] == "plateau" and s.quantity == LOSS and e.in_level_phase(e.part(s, rows)):
        return True, "the loss hardly changed there"
    judge = _SEEN[s.what[0]]
    supported: bool | None = judge(e, part, s)
    kinds = ", ".join(dict.fromkeys(p.label for p in phases_of(e.run)))
    ends = e.ends(s, rows)
    return supported, ends[2] if ends else f"the phases of the run: {kinds}"


def _seen_oscillation(e: Evidence, part: Floats, s: Statement) -> bool | None:
    steps = np.diff(part[np.isfinite(part)])
    steps = steps[steps != 0]
    if len(steps) < 3:
        return False
    turns = float(np.mean(steps[1:] * steps[:-1] < 0))
    swings = _reversals(part[np.isfinite(part)])
    return True if turns >= _TURNS or swings >= _SWINGS else False if turns < 0.1 and swings <= 1 else None


def _reversals(part: Floats) -> int:
    """Return how often a course turns back by more than a small share of its range."""
    least = _SWING * float(np.ptp(part))
    turned, way, extreme = 0, 0, part[0]
    for value in part:
        if (way >= 0 and value > extreme) or (way <= 0 and value < extreme):
            way, extreme = (1 if value > extreme else -1) if way == 0 else way, value
        elif abs(value - extreme) > least:
            turned, way, extreme = turned + 1, -way, value
    return turned


def _seen_divergence(e: Evidence, part: Floats, s: Statement) -> bool | None:
    if not np.isfinite(part[-1]):
        return True
    ended = s.quantity == LOSS and any(p.kind == "divergence" for p in phases_of(e.run))
    steps = np.abs(np.diff(part))
    quarter = max(len(steps) // 4, 1)
    faster = len(steps) > 0 and np.median(steps[-quarter:]) > _DIVERGING * np.median(steps[:quarter])
    if ended or (faster and np.abs(part[-1]) >= _DIVERGING * np.abs(part[0])):
        return True
    return False if part[-1] <= part[0] or s.quantity == LOSS else None


def _seen_settling(e: Evidence, part: Floats, s: Statement) -> bool | None:
    late = part[-max(len(part) // 4, 2) :]
    if not np.isfinite(part).all():
        return False
    return bool(np.ptp(late) <= FLAT * np.ptp(part)) if len(part) > 3 else None


def _seen_convergence(e: Evidence, part: Floats, s: Statement) -> bool | None:
    if s.quantity == LOSS and any(p.kind == "converged" for p in phases_of(e.run)):
        return True
    settled = _seen_settling(e, part, s)
    return settled if settled is not True else (None if s.quantity == LOSS and part[-1] > part[0] else True)


def _seen_plateau(e: Evidence, part: Floats, s: Statement) -> bool | None:
    values = e.series(s.quantity)
    known = values[np.isfinite(values)] if values is not None else part
    if not np.isfinite(part).all():
        return False
    if s.since == ("start", 0) and s.until == ("end", 0):
        flat = any(p.kind in ("plateau", "converged") for p in phases_of(e.run))
        return True if flat and s.quantity == LOSS else None
    return bool(np.ptp(part) <= FLAT * np.ptp(known))


def _seen_vanished(e: Evidence, part: Floats, s: Statement) -> bool | None:
    return bool(abs(part[-1]) <= _LEVEL * abs(part[0]))


def _seen_level(e: Evidence, part: Floats, s: Statement) -> bool | None:
    values = e.series(s.quantity)
    return None if values is None else bool(abs(part[-1]) < _LEVEL * abs(values[e.span[0]]))


def _seen_exactly_level(e: Evidence, part: Floats, s: Statement) -> bool | None:
    return bool(part[-1] == 0)


def _seen_noise(e: Evidence, part: Floats, s: Statement) -> bool | None:
    if s.quantity == LOSS and any(p.noisy for p in phases_of(e.run)):
        return True
    return None if np.isfinite(part).all() and (np.diff(part)[1:] * np.diff(part)[:-1] < 0).any() else False


def _seen_worse(e: Evidence, part: Floats, s: Statement) -> bool | None:
    return bool((np.diff(part) > 0).all()) if s.quantity == LOSS else None


def _seen_better(e: Evidence, part: Floats, s: Statement) -> bool | None:
    return bool((np.diff(part) < 0).all()) if s.quantity == LOSS else None


_SEEN: Mapping[str, Callable[[Evidence, Floats, Statement], bool | None]] = {
    "oscillation": _seen_oscillation,
    "divergence": _seen_divergence,
    "settling": _seen_settling,
    "convergence": _seen_convergence,
    "plateau": _seen_plateau,
    "vanished": _seen_vanished,
    "level": _seen_level,
    "exactly level": _seen_exactly_level,
    "noise": _seen_noise,
    "worse": _seen_worse,
    "better": _seen_better,
}

JUDGES: Mapping[str, Judge] = {"pattern": _pattern}
