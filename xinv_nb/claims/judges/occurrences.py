"""What occurred: events, how long the run was and how it ended, and what no recording shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from xinv_nb.claims.judges.evidence import Evidence, Judge, Rows, Verdict
from xinv_nb.claims.statements import Statement
from xinv_nb.facts.counting import iterations_of_solver


def _event(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    times = _times_of(e, s.quantity)
    if not len(times):
        return e.unknown(s)
    reason = f"it happened first at {e.noun} {times[0]} and last at {e.noun} {times[-1]}"
    at, which = s.until[1], s.what[0]
    if s.until[0] != "at" and s.since[0] != "at":
        return None, "it is not said when"
    if s.since != s.until:
        good = times[0] == s.since[1] if s.since[0] == "at" else times[-1] == at
        return bool(good), reason
    return {"first": bool(times[0] == at), "last": bool(times[-1] == at), "at": bool(at in times)}[which], reason


def _times_of(e: Evidence, said: str) -> NDArray[np.intp]:
    events = [event for event in e.run.events_as_recorded() if event.phase == "forward"]
    same = next((e for e in events if " ".join(e.text.split()).rstrip(".") == said), None)
    if same is None:
        return np.array([], dtype=np.intp)
    return np.array(sorted({e.evaluation for e in events if (e.name, e.stage) == (same.name, same.stage)}))


def _ending(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    how, what = s.what
    status = {"by hand": "interrupted", "broken": "failed"}[how]
    said = not what or what in e.run.ending
    return e.run.status == status and said, f"the run was {e.run.status} {e.run.ending}".rstrip()


def first_times(e: Evidence, statements: Sequence[Statement], start: int, count: int) -> Iterator[int]:
    """Yield the iterations, of some from `start` on, at which what is stated held for the first time."""
    for s in statements:
        values, number = e.series(s.quantity), s.number
        if values is None or number is None:
            continue
        part = values[start : start + count + 1]
        below = part < number.value
        kinds = {"passes": below != below[:1], "value": np.abs(part - number.value) <= number.half}
        found = np.flatnonzero(kinds.get(s.kind, np.zeros(0)))
        yield from (int(start + at) for at in found[:1] if at)


def _count(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    count = int(s.what[0])
    reason = f"the run had {e.count} {e.noun}s"
    if e.noun == "evaluation" and "evaluations" not in s.what:
        return _iterations_of_solver(e, count)
    if "total" in s.what:
        return count == e.count, reason
    if "within" in s.what and len(rows) - 1 < count <= e.count:
        return True, reason
    if rows[0] == e.span[0] and len(rows) == count + 1 and rows[-1] < e.span[1]:
        return True, reason
    return count in (e.count, len(rows)), reason


def _iterations_of_solver(e: Evidence, count: int) -> Verdict:
    """Judge a number of iterations where the run's evaluations are more than that; its solver may tell it."""
    made = iterations_of_solver(e.run, e.first, e.last)
    if made is not None:
        return count == made, f"the solver made {made} iterations, with {e.count} evaluations"
    most = int(np.count_nonzero(e.run.accepted[e.first : e.last + 1]))
    reason = f"the run had {e.count} evaluations, of which {most} were accepted"
    return (False if count > most else None), reason


def _cause(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    return None, "the recording shows what happened, not what caused it"


def _remark(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    return True, "a remark that states nothing"


def _agent(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    own = s.what[0] in ("optimizer", e.domain.optimizer)
    return (True if own else None), "the optimizer moved the parameters" if own else "not in the recording"


JUDGES: Mapping[str, Judge] = {
    "event": _event,
    "ending": _ending,
    "count": _count,
    "cause": _cause,
    "remark": _remark,
    "agent": _agent,
}
