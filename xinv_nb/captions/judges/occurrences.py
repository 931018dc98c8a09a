"""What occurred: events, how long the run was and how it ended, and what no recording shows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from xinv_nb.captions.judges.evidence import Evidence, Judge, Rows, Verdict
from xinv_nb.captions.statements import Statement


def _event(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    times = _times_of(e, s.quantity)
    if not len(times):
        return e.unknown(s)
    reason = f"it happened first at iteration {times[0]} and last at iteration {times[-1]}"
    at, which = s.until[1], s.what[0]
    if s.until[0] != "at" and s.since[0] != "at":
        return None, "it is not said when"
    if s.since != s.until:
        good = times[0] == s.since[1] if s.since[0] == "at" else times[-1] == at
        return bool(good), reason
    return {"first": bool(times[0] == at), "last": bool(times[-1] == at), "at": bool(at in times)}[which], reason


def _times_of(e: Evidence, said: str) -> NDArray[np.intp]:
    history = e.run.history
    events = [e for owner, e in e.run._events if owner in (history, None) and e.phase == "forward"]  # noqa: SLF001
    same = next((e for e in events if " ".join(e.text.split()).rstrip(".") == said), None)
    if same is None:
        return np.array([], dtype=np.intp)
    return np.array(sorted({e.evaluation for e in events if (e.name, e.stage) == (same.name, same.stage)}))


def _ending(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    how, what = s.what
    status = {"by hand": "interrupted", "broken": "failed"}[how]
    said = not what or what in e.run.ending
    return e.run.status == status and said, f"the run was {e.run.status} {e.run.ending}".rstrip()


def is_deadline(e: Evidence, s: Statement) -> bool:
    """Whether a statement tells of fewer iterations than the run had, within which something happened."""
    return s.kind == "count" and "within" in s.words and int(s.what[0]) < e.last + 1


def _count(e: Evidence, s: Statement, rows: Rows) -> Verdict:
    count = int(s.what[0])
    return count in (e.last + 1, len(rows)), f"the run had {e.last + 1} iterations"


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
