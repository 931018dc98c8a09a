"""The start is a whole number, by which autograd does not differentiate: it raised before anything was recorded."""

from __future__ import annotations

import re
from collections.abc import Iterator

from xinv_nb.facts.diagnosis.asking import STANDS_STILL
from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.tape import at_line
from xinv_nb.language.slots import Count, Named, Said, Slot

_TYPE_ERROR = re.compile(r"(?:_?UFunc)?\w*(?:TypeError|CastingError)")
"""TypeErrors by their names: NumPy has some of its own."""


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield the whole number that autograd refused, where the program did not go on with another.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> try:
    ...     with xi.record() as run:
    ...         slope = grad(lambda x: x**2)(10)
    ... except TypeError:
    ...     pass
    >>> run.diagnosis[0].advice
    'Write 10.0 in the place of 10, or leave it out of what is differentiated.'
    """
    run = evidence.run
    missed, broke_off = run.missed, run.status == "failed" and _TYPE_ERROR.match(run.ending) is not None
    if not missed.whole or not (run.evaluations == 0 or broke_off):
        return
    slots: dict[str, Slot] = {"number": Said(missed.whole), "written": Said(missed.written)}
    form = "numbers" if missed.whole.startswith("[") else "number"
    if missed.parameter:
        slots["parameter"] = Named(missed.parameter, is_of_domain=False)
        form += ", named"
    if missed.line:
        slots |= at_line(missed.line, missed.file)
    last = max(evidence.last, 0)
    yield KIND.finding(form, (last, last), slots)


KIND = FindingKind(
    name="integer-start",
    severity="warning",
    rank=0,
    slots={"number": Said, "written": Said, "parameter": Named, "line": Count, "file": Said},
    compute=compute,
    means="A parameter is a whole number, by which autograd does not differentiate: it raised a TypeError.",
    seen_by="the pass that raised, and the numbers that it was given",
    example="`grad(f)(10)`",
    of_fits=True,
    asked_with=STANDS_STILL + r"|\bnothing (?:was )?recorded|\bno gradient",
    of_samples=True,
)
