"""The tape ends at a rounding, an index or a number that was read out of its box: no slope leads back from there."""

from __future__ import annotations

from collections.abc import Iterator

from xinv_nb.facts.diagnosis.asking import STANDS_STILL
from xinv_nb.facts.diagnosis.finding import Finding, Severity
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.tape import SLOTS, at_line, ended, widest
from xinv_nb.language.slots import Said, Slot, Value

_ROUNDS = frozenset(
    ["round", "floor", "ceil", "rint", "around", "fix", "trunc", "floor_divide", "sign", "int", "argmax", "argmin"]
)


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield the parameters whose gradient is 0 at all iterations because something takes their values off the tape.

    Examples
    --------
    >>> import autograd.numpy as np
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> def loss(p):
    ...     return (np.round(p[0]) * p[1] - 8.0) ** 2
    >>> with xi.record() as run:
    ...     p = np.array([3.2, 1.0])
    ...     for _ in range(20):
    ...         p = p - 0.02 * grad(loss)(p)
    >>> [(finding.kind, finding.values["operation"]) for finding in run.diagnosis]
    [('cut-off', 'round')]
    """
    yield from _refused(evidence)
    for found in widest(ended(evidence, "cut off")):
        if not found.matters:
            continue
        name = str(found.event.values["operation"])
        form = "read"
        if name.rpartition(".")[2] in _ROUNDS:
            form = "rounded"
        elif found.event.values.get("by") not in ("getval", "_value"):
            form = "decided"
        slots: dict[str, Slot] = found.slots
        if found.value is not None:
            slots["value"] = found.value
        severity: Severity | None = None if found.is_grave else "caution"
        yield KIND.finding(form, found.span, slots, cites=(found.event.id,), severity=severity)


def _refused(evidence: Evidence) -> Iterator[Finding]:
    """Yield what made a whole number of one on the tape, where autograd raised for it and the program broke off."""
    run, last = evidence.run, max(evidence.last, 0)
    broke_off = run.status == "failed" and run.ending.startswith("TypeError")
    if run.missed.operation and (run.evaluations == 0 or broke_off):
        slots: dict[str, Slot] = {"operation": Said(run.missed.operation)}
        yield KIND.finding("refused", (last, last), slots | at_line(run.missed.line, run.missed.file))


KIND = FindingKind(
    name="cut-off",
    severity="warning",
    rank=6,
    slots={**SLOTS, "value": Value},
    compute=compute,
    means="A parameter is rounded, made an index, compared or read out of its box: no slope leads back to it.",
    seen_by="functions without a derivative and reads of boxed numbers, noted in a first evaluation; a gradient of 0",
    example="`int(getval(delay))` as an index, `np.round(shells)` in a model",
    asked_with=STANDS_STILL + r"|\bgradient (?:\w+ ){0,2}(?:0|zero|vanish)",
    silences=("idle: no gradient", "minimum", "identifiability"),
    of_fits=True,
    of_samples=True,
)
