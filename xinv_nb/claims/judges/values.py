"""Values: at a moment, over a stretch, within limits, lowest and highest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from xinv_nb.claims.clauses import LOSS
from xinv_nb.claims.judges.evidence import Evidence, Floats, Judge, Rows, Verdict
from xinv_nb.claims.numerals import Number
from xinv_nb.claims.statements import SOME, Statement
from xinv_nb.language.quantities import quantity as with_its_unit

_CLEAR = 3
"""Significant digits from which a value that is given without its time is looked for in all iterations."""
_BEYOND = 0.02
"""Share by which an extreme value may lie beyond a bound that is rounded."""
_ZERO = 1e-3
"""Share of a quantity's largest value below which it is near 0."""


def _value(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    values, number = e.series(s.quantity), s.number
    if values is None or number is None:
        return e.unknown(s)
    if s.until == SOME:
        return _somewhere(e, s, values[rows[0] : rows[-1] + 1], int(rows[0]), number)
    name = e.name(s.quantity)
    if s.until[0] in ("lowest", "highest"):
        known = values[rows][np.isfinite(values[rows])]
        if not len(known):
            return False, f"{name} was never a finite number"
        found = float(known.min() if s.until[0] == "lowest" else known.max())
        supported = None if number.fits(found) and not number.is_near(found) else number.fits(found)
        return supported, f"the {s.until[0]} value of {name} was {e.said(s.quantity, found)}"
    places = e.place(s.until, rows)
    zero = number.value == 0 and number.about and not number.limit
    for at in () if zero else places:
        if number.fits(float(values[at])):
            found = float(values[at])
            return True if number.is_near(
                found
            ) else None, f"{name} at {e.noun} {at} was {e.said(s.quantity, values[at])}"
    at = places[0]
    known = values[np.isfinite(values)]
    if number.value == 0 and len(known) and abs(values[at]) <= _ZERO * np.abs(known).max():
        return (
            True if number.about else None,
            f"{name} at {e.noun} {at} was {e.said(s.quantity, values[at])}: near 0, not 0",
        )
    return False, f"{name} at {e.noun} {at} was {e.said(s.quantity, values[at])}, not {_of(number)}"


def _of(number: Number) -> str:
    return with_its_unit(number.value, number.unit, 6)


def _somewhere(e: Evidence, s: Statement, part: Floats, offset: int, number: Number) -> Verdict:
    """Judge a value that is given without its time."""
    name = e.name(s.quantity)
    finite = np.flatnonzero(np.isfinite(part))
    if not len(finite):
        return False, f"{name} was never a finite number"
    special = (finite[0], finite[-1], finite[np.argmin(part[finite])], finite[np.argmax(part[finite])])
    exact = replace(number, about=False)
    for at in special:
        if exact.fits(float(part[at])) and exact.is_near(float(part[at])) and not number.limit:
            return True, f"{name} at {e.noun} {offset + at} was {e.said(s.quantity, part[at])}"
    fits = finite[np.abs(part[finite] - number.value) <= number.half]
    if not len(fits):
        return False, f"{name} never was {_of(number)}"
    if number.limit:
        return None, f"it is not said when {name} was {number.limit} than {_of(number)}"
    digits = 1 + math.floor(math.log10(abs(number.value) / (2 * number.half))) if number.value else 1
    if digits >= _CLEAR:
        return True, f"{name} at {e.noun} {offset + fits[0]} was {e.said(s.quantity, part[fits[0]])}"
    return None, f"it is not said when {name} was {_of(number)}"


def _stays(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    values = e.series(s.quantity)
    if values is None or s.number is None:
        return e.unknown(s)
    part = values[e.part(s, rows)]
    good = len(part) > 0 and s.number.fits(float(part.min())) and s.number.fits(float(part.max()))
    low, high = (e.said(s.quantity, v) for v in (part.min(), part.max())) if len(part) else ("", "")
    return good, f"{e.name(s.quantity)} lay between {low} and {high}"


def _limit(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    values = e.series(s.quantity)
    part = values[e.part(s, rows)] if values is not None else np.array([])
    part = part[np.isfinite(part)]
    if not len(part) or s.number is None:
        return e.unknown(s)
    bound, name = s.number.value, e.name(s.quantity)
    if s.since == s.until:
        inside = part[0] >= bound if s.what[0] == "lower" else part[0] <= bound
        return bool(inside or s.number.fits(float(part[0]))), f"{name} was {e.said(s.quantity, part[0])} then"
    if s.what[0] == "lower":
        low = float(part.min())
        return _within(s.number, low, low - bound), f"the lowest value of {name} was {e.said(s.quantity, low)}"
    high = float(part.max())
    return _within(s.number, high, bound - high), f"the highest value of {name} was {e.said(s.quantity, high)}"


def _within(number: Number, found: float, room: float) -> bool | None:
    """Whether an extreme value is what a limit says; a limit that is wider says something else."""
    if number.fits(found):
        return True if room >= -_BEYOND * abs(found) and number.is_near(found) else None
    return None if room > 0 else False


def _passes(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    ends = e.ends(s, rows)
    if ends is None or s.number is None:
        return e.unknown(s)
    first, final, reason = ends
    bound = s.number.value
    if s.what[0] == "through":
        values = e.series(s.quantity)
        sides = np.sign((values if values is not None else np.array([]))[e.part(s, rows)] - bound)
        return bool((sides > 0).any() and (sides < 0).any()), reason
    return (first > bound > final) if s.what[0] == "below" else (first < bound < final), reason


def _around(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    values = e.series(s.quantity)
    part = values[e.part(s, rows)] if values is not None else np.array([])
    if not len(part) or s.number is None:
        return e.unknown(s)
    low, high = float(part.min()), float(part.max())
    reason = f"{e.name(s.quantity)} lay between {e.said(s.quantity, low)} and {e.said(s.quantity, high)}"
    return bool(low < s.number.value < high), reason


def _extreme(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    values = e.series(s.quantity)
    if values is None:
        return e.unknown(s)
    every = np.arange(e.span[0], e.span[1] + 1)
    part = every[np.isfinite(values[every])]
    if not len(part):
        return e.unknown(s)
    best = int(part[np.argmin(values[part]) if s.what[0] == "lowest" else np.argmax(values[part])])
    reason = f"{e.name(s.quantity)} was {s.what[0]} at {e.noun} {best}: {e.said(s.quantity, values[best])}"
    return any(values[at] == values[best] for at in e.place(s.until, rows)), reason


def _state(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    values = e.series(s.quantity or LOSS)
    if values is None:
        return e.unknown(s)
    part = values[e.part(s, rows)]
    bad = np.isnan(part) if s.what[0] == "nan" else np.isinf(part) if s.what[0] == "infinite" else ~np.isfinite(part)
    where = np.flatnonzero(~np.isfinite(values))
    reason = f"{e.name(s.quantity)} was a finite number at every {e.noun}"
    if len(where):
        reason = f"{e.name(s.quantity)} was first not a finite number at {e.noun} {where[0]}"
    good = bool(len(part) and bad.all())
    if good and s.since[0] == "at" and s.until == ("end", 0) and s.since[1] > 0:
        good = bool(np.isfinite(values[s.since[1] - 1]))
    return good, reason


JUDGES: Mapping[str, Judge] = {
    "value": _value,
    "stays": _stays,
    "around": _around,
    "limit": _limit,
    "passes": _passes,
    "extreme": _extreme,
    "state": _state,
}
