"""Comparisons of one quantity with another, and what two of them were at the same time."""

from __future__ import annotations

from collections.abc import Mapping

from xinv_nb.claims.judges.evidence import Evidence, Floats, Judge, Rows, Verdict
from xinv_nb.claims.statements import Statement


def _comparable(e: Evidence, one: str, two: str) -> tuple[Floats, Floats] | None:
    """Return two quantities if both were recorded in the same unit."""
    first, second = e.series(one), e.series(two)
    if first is None or second is None or e.domain.units.get(one, "") != e.domain.units.get(two, ""):
        return None
    return first, second


def _compared(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    way, other = s.what
    pair, part = _comparable(e, s.quantity, other), e.part(s, rows)
    if pair is None or not len(part):
        return e.unknown(s)
    one, two = pair
    above = one[part] > two[part] if way == "up" else one[part] < two[part]
    at = int(part[-1])
    reason = f"at {e.noun} {at}, {e.name(s.quantity)} was {e.said(s.quantity, one[at])} and {e.name(other)} "
    return (True if above.all() else None if above.any() else False), reason + e.said(other, two[at])


def _moved_more(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    way, other = s.what
    pair, part = _comparable(e, s.quantity, other), e.part(s, rows)
    if pair is None or len(part) < 2:
        return e.unknown(s)
    one, two = (abs(float(values[part[-1]] - values[part[0]])) for values in pair)
    reason = f"{e.name(s.quantity)} moved by {e.said(s.quantity, one)}, {e.name(other)} by {e.said(other, two)}"
    return (one > two if way == "up" else one < two), reason


def _together(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    one, two = e.series(s.quantity), e.series(s.what[0])
    if one is None or two is None or s.number is None or s.other is None:
        return e.unknown(s)
    names = e.name(s.quantity), e.name(s.what[0])
    for key, number, name in zip((s.quantity, s.what[0]), (s.number, s.other), names, strict=True):
        if number.unit and number.unit != (unit := e.domain.units.get(key, "")):
            return False, f"{name} is measured in {unit}" if unit else f"{name} has no unit"
    first, second = (
        [int(i) for i in rows if number.fits(float(values[i])) and number.is_near(float(values[i]))]
        for number, values in ((s.number, one), (s.other, two))
    )
    if not second:
        return None, f"{names[1]} was not that at any {e.noun}"
    at = min(set(first) & set(second), default=second[0])
    told = f"when {names[1]} was {e.said(s.what[0], two[at])}, at {e.noun} {at}, {names[0]} was "
    return at in first, told + e.said(s.quantity, one[at])


JUDGES: Mapping[str, Judge] = {"compared": _compared, "moved more": _moved_more, "together": _together}
