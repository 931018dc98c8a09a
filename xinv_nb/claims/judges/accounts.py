"""What facts account for: shares of the fall of the loss, and true values."""

from __future__ import annotations

from collections.abc import Mapping

from xinv_nb.claims.judges.evidence import Evidence, Judge, Rows, Verdict
from xinv_nb.claims.statements import Statement
from xinv_nb.language.quantities import number as written

_VERY_NEAR, _NEAR, _FAR = 0.01, 0.05, 0.2


def _share(e: Evidence, key: str) -> tuple[float, str] | None:
    for fact in e.facts("credit"):
        parts = fact.values.get("parts", {})
        name = key.removeprefix("parameter ")
        if name in parts and fact.values.get("total"):
            return 100 * parts[name] / fact.values["total"], fact.id
    return None


def _credit(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    share = _share(e, s.quantity)
    if share is None or s.number is None:
        return e.unknown(s)
    reason = f"moving {e.name(s.quantity)} accounts for {written(share[0])} % ({share[1]})"
    return s.number.fits(share[0]), reason


def _credit_more(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    one, two = _share(e, s.quantity), _share(e, s.what[0])
    if one is None or two is None:
        return e.unknown(s)
    names = f"{e.name(s.quantity)} accounts for {written(one[0])} %, {e.name(s.what[0])} for"
    return one[0] > two[0], f"{names} {written(two[0])} % ({one[1]})"


def _true_and_final(e: Evidence, s: Statement) -> tuple[float, float, str] | None:
    entry, values = e.entries.get(s.quantity), e.series(s.quantity)
    if entry is None or values is None or entry.parameter.truth is None:
        return None
    truth, final = float(entry.parameter.truth), float(values[e.last])
    told = f"the true value of {entry.label} is {e.said(s.quantity, truth)}"
    return truth, final, f"{told}; it ended at {e.said(s.quantity, final)}"


def _truth(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    found = _true_and_final(e, s)
    return e.unknown(s) if found is None or s.number is None else (s.number.fits(found[0]), found[2])


def _truth_is(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    found = _true_and_final(e, s)
    if found is None:
        return e.unknown(s)
    truth, final, reason = found
    off = abs(final - truth) / (abs(truth) or 1.0)
    return {
        "very-near": True if off <= _VERY_NEAR else False if off > _NEAR else None,
        "near": True if off <= _NEAR else False if off > _FAR else None,
        "far": True if off > _FAR else False if off <= _NEAR else None,
        "over": final > truth,
        "under": final < truth,
        "at": f"{final:.3g}" == f"{truth:.3g}",
    }[s.what[0]], reason


JUDGES: Mapping[str, Judge] = {
    "credit": _credit,
    "credit more": _credit_more,
    "truth": _truth,
    "truth is": _truth_is,
}
