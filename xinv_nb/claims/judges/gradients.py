"""What the gradient asked for."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from xinv_nb.claims.judges.evidence import Evidence, Judge, Rows, Verdict
from xinv_nb.claims.statements import Statement


def _asks(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    values, slopes = e.series(s.quantity), e.slopes(s.quantity)
    part = e.part(s, rows)
    if values is None or slopes is None or len(part) < 2:
        return e.unknown(s)
    how, *extent = s.what
    rose = values[part[-1]] > values[part[0]]
    up = {"this": rose, "opposite": not rose, "up": True, "down": False}[how]
    steps = slopes[part[:-1]]
    asked, count = int(np.count_nonzero(steps < 0 if up else steps > 0)), len(steps)
    way = "more" if up else "less"
    reason = f"the gradient asked for {way} of {e.name(s.quantity)} at {asked} of {count} iterations"
    if not extent:
        return (True if asked == count else False if 2 * asked < count else None), reason
    if extent[0] == "every":
        return asked == count, reason
    return extent[0] == f"{asked} of {count}", reason


def _wants(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    slopes = e.slopes(s.quantity)
    if slopes is None:
        return e.unknown(s)
    part = slopes[rows[:-1] if len(rows) > 1 else rows]
    up = s.what[0] == "up"
    asked, count = int(np.count_nonzero(part < 0 if up else part > 0)), len(part)
    reason = f"the gradient asked for {'more' if up else 'less'} of {e.name(s.quantity)} at {asked} of {count} "
    return (True if asked == count else False if not asked or "all" in s.what else None), reason + "iterations"


JUDGES: Mapping[str, Judge] = {
    "asks": _asks,
    "wants": _wants,
}
