"""Changes: up or down, by how much, to what share, how fast."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import numpy as np

from xinv_nb.claims.clauses import LOSS
from xinv_nb.claims.judges.evidence import FLAT, Evidence, Judge, Rows, Verdict
from xinv_nb.claims.statements import Statement
from xinv_nb.language.quantities import number as written

_FAR = 0.2
_TIMES, _ABOUT_TIMES = 0.05, 0.1
_FASTER = 2.0
_MOST_RIVALS = 50
"""Parameters with which one is compared."""


def _change(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    ends = e.ends(s, rows)
    values = e.series(s.quantity)
    if ends is None or values is None:
        return e.unknown(s)
    first, final, reason = ends
    how, part = s.what[0], values[e.part(s, rows)]
    part = part[np.isfinite(part)]
    known = values[np.isfinite(values) & e.run.accepted]
    whole = float(np.ptp(known / 2)) * 2 if len(known) else 0.0
    if how in ("up", "down"):
        return (final > first) if how == "up" else (final < first), reason
    spread = float(np.ptp(part / 2)) * 2
    if how == "stay":
        return spread <= 1e-9 * abs(first), reason
    if s.quantity == LOSS and e.in_level_phase(e.part(s, rows)):
        return True, reason
    if whole == 0 or spread <= FLAT * whole or spread <= FLAT * abs(first):
        return True, reason
    if s.quantity != LOSS and (part[0], part[-1]) == (known[0], known[-1]):
        return None, reason  # over the whole run: compared with what?
    return (False if abs(final - first) > _FAR * whole else None), reason


def _turned(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    """Judge that a quantity went one way first, and then the other."""
    values = e.series(s.quantity)
    part = e.part(s, rows)
    if values is None or len(part) < 3 or not np.isfinite(values[part]).all():
        return e.unknown(s)
    up = s.what[0] == "up"
    turn = int(part[np.argmax(values[part]) if up else np.argmin(values[part])])
    least = FLAT * float(np.ptp(values[part]))
    gains = [abs(float(values[turn] - values[part[k]])) for k in (0, -1)]
    reason = f"{e.name(s.quantity)} was {'highest' if up else 'lowest'} at {e.noun} {turn}"
    return (False if min(gains) == 0 else True if min(gains) >= least else None), reason


def _moved_most(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    part, unit = e.part(s, rows), e.domain.units.get(s.quantity, "")
    own = e.series(s.quantity)
    rivals = [key for key in e.domain.parameters if key != s.quantity]
    if (
        own is None
        or not len(part)
        or len(rivals) > _MOST_RIVALS
        or any(e.domain.units.get(k, "") != unit for k in rivals)
    ):
        return e.unknown(s)
    moves = {key: values for key in rivals if (values := e.series(key)) is not None}
    found = {key: abs(float(values[part[-1]] - values[part[0]])) for key, values in moves.items()}
    by = abs(float(own[part[-1]] - own[part[0]]))
    reason = f"{e.name(s.quantity)} moved by {e.said(s.quantity, by)}"
    if not found or s.quantity not in e.domain.parameters:
        return e.unknown(s)
    key = max(found, key=lambda k: found[k])
    return by > found[key], f"{reason}, {e.name(key)} by {e.said(key, found[key])}"


def judge_never(e: Evidence, s: Statement, rows: Rows, reason: str) -> Verdict:
    """Judge that a quantity did not go one way, when from one end to the other it did not: no step may have."""
    values, part = e.series(s.quantity), e.part(s, rows)
    part = part[e.run.accepted[part]]
    if values is None or s.what[0] not in ("up", "down") or not np.isfinite(values[part]).all():
        return None, reason
    steps = np.diff(values[part]) * (1 if s.what[0] == "up" else -1)
    if not (steps > 0).any():
        return True, reason
    k = int(np.argmax(steps > 0))
    told = f"{e.name(s.quantity)} went from {e.said(s.quantity, float(values[part[k]]))} to "
    told += f"{e.said(s.quantity, float(values[part[k + 1]]))} between {e.noun}s {part[k]} and {part[k + 1]}"
    return (False if re.search(r"\b(?:never|no)\b", s.words) else None), told


def _by(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    ends = e.ends(s, rows)
    if ends is None or s.number is None:
        return e.unknown(s)
    first, final, reason = ends
    went = "down" if final < first else "up"
    fall = first - final if s.what[0] == "down" else final - first
    if s.number.unit == "%":
        if first <= 0:
            return None, f"{reason}; a percentage of that says nothing"
        return s.number.fits(100 * fall / first), f"{reason}, {went} by {written(abs(100 * fall / first))} %"
    return s.number.fits(fall), f"{reason}, {went} by {e.said(s.quantity, abs(fall))}"


def _ratio(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    ends = e.ends(s, rows)
    if ends is None or s.number is None or ends[0] == 0:
        return e.unknown(s)
    first, final, reason = ends
    return s.number.fits(100 * final / first), f"{reason}, to {written(100 * final / first)} % of what it was"


def _factor(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    ends = e.ends(s, rows)
    if ends is None or s.number is None or not ends[0] > 0 or not ends[1] > 0:
        return e.unknown(s)
    first, final, reason = ends
    ratio, number = final / first, s.number
    reason = f"{reason}, to {written(ratio)} times what it was"
    if number.limit:
        return (ratio > number.value if number.limit == "more" else ratio < number.value), reason
    room = (_ABOUT_TIMES if number.about else _TIMES) * number.value
    return abs(ratio - number.value) <= room, reason


def _pace(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    values, rowed = e.series(s.quantity), e.part(s, rows)
    ends = e.ends(s, rows)
    if values is None or ends is None or len(rowed) < 2:
        return e.unknown(s)
    part = values[rowed]
    if s.what[0] == "steady":
        steps = np.diff(part) * (1 if part[-1] > part[0] else -1)
        return bool((steps > 0).all()), ends[2]
    inside = abs(part[-1] - part[0]) / (rowed[-1] - rowed[0])
    a, b = e.span
    left = (b - a) - (rowed[-1] - rowed[0])
    if left <= 0:
        return None, "it is not said compared with what"
    outside = (abs(values[rowed[0]] - values[a]) + abs(values[b] - values[rowed[-1]])) / left
    ratio = inside / outside if outside else math.inf
    reason = f"the change per iteration was {written(ratio)} times that of the rest of the run"
    fast = ratio >= _FASTER
    slow = ratio <= 1 / _FASTER
    if s.what[0] == "fast":
        return (True if fast else False if slow else None), reason
    return (True if slow else False if fast else None), reason


JUDGES: Mapping[str, Judge] = {
    "turned": _turned,
    "moved most": _moved_most,
    "change": _change,
    "by": _by,
    "ratio": _ratio,
    "factor": _factor,
    "pace": _pace,
}
