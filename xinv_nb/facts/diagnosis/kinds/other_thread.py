"""The fit was made where the recording does not look: in other threads, or in other processes."""

from __future__ import annotations

from collections.abc import Iterator

from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.language.slots import Count, Slot


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield how many derivatives other threads took, and, where nothing was recorded, that other processes ran.

    Examples
    --------
    >>> from xinv_nb.recorded.missed import Missed
    >>> from xinv_nb.recorded.run import RecordedRun
    >>> from xinv_nb.recorded.writer import RunWriter
    >>> run = RecordedRun()
    >>> RunWriter(run).note_missed(Missed(passes=12, threads=1))
    >>> next(compute(Evidence(run, ()))).text
    'Derivatives were taken 12 times in another thread, and none of them was recorded: a recording sees its own thread.'
    """
    run = evidence.run
    missed, is_empty, last = run.missed, run.evaluations == 0, max(evidence.last, 0)
    if missed.passes:
        slots: dict[str, Slot] = {"passes": Count(missed.passes), "threads": Count(missed.threads)}
        form = "thread" if missed.threads == 1 else "threads"
        yield KIND.finding(form, (last, last), slots, severity="warning" if is_empty else "caution")
    elif missed.solvers and is_empty:
        form = "solver" if missed.solvers == 1 else "solvers"
        yield KIND.finding(form, (last, last), {"threads": Count(missed.solvers)})
    elif missed.processes and is_empty:
        yield KIND.finding("processes", (last, last), {"processes": Count(missed.processes)})


KIND = FindingKind(
    name="other-thread",
    severity="warning",
    rank=0,
    slots={"passes": Count, "threads": Count, "processes": Count},
    compute=compute,
    means="The fit runs in another thread or process, where the recording does not see it.",
    seen_by="the count of derivatives that other threads took, their calls of SciPy's solvers, and the count of "
    "processes that were started",
    example="`threading.Thread(target=fit)` within the recording",
    of_fits=True,
    asked_with=r"\bthreads?\b|\bnothing (?:was )?recorded",
    notices=("Derivatives were taken ", "A solver of SciPy was called in "),
    of_samples=True,
)
