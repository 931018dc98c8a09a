"""The run goes up, because its loss is to be as large as possible: the rise is no fault."""

from __future__ import annotations

from collections.abc import Iterator

from xinv_nb.facts.diagnosis.asking import ROSE
from xinv_nb.facts.diagnosis.finding import Finding, shifted_finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.diagnosis.naming import called, called_in
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.inside import inside
from xinv_nb.facts.measures.sizes import norms
from xinv_nb.language.slots import Named, Said, Slot, Value, loss_pair
from xinv_nb.recorded.excerpt import Places


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield that the loss is maximized, where the steps go up its gradient or a solver minimizes its negative.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> def profit(x):
    ...     return 4.0 - (x - 1.0) ** 2
    >>> from autograd import grad
    >>> with xi.record() as run:
    ...     x = 5.0
    ...     for _ in range(20):
    ...         x = x + 0.2 * grad(profit)(x)
    >>> run.diagnosis[0].text.split(": ")[0]
    'The steps go up the gradient, so profit is maximized'
    """
    story, places = evidence.story, Places(0) if evidence.parts is None else evidence.parts.places
    for finding in _uphill(story):
        yield shifted_finding(finding, places)
    for found in inside(evidence.run):
        if found.relation == "negative":
            span = int(found.evaluations[0]), int(found.evaluations[-1])
            slots = _ends(*found.losses[[0, -1], 1].tolist())
            slots |= {"objective": called(found.part.objective), "optimizer": Said(found.whole.calls[-1].optimizer)}
            yield KIND.finding("negative", span, slots)


def _ends(start: float, end: float, which: str = "") -> dict[str, Slot]:
    one, other = loss_pair(start, end)
    return {f"{which}start": one, f"{which}end": other}


def _uphill(story: Evidence) -> Iterator[Finding]:
    run, way = story.run, story.uphill
    if not way:
        return
    ends = story.iterates.rows[[0, -1]]
    slots: dict[str, Slot] = {"objective": called_in(run)} | _ends(*run.loss[ends].tolist())
    first, last = norms(run, run.history.rows(ends, "gradients")).tolist()
    slots |= _ends(first, last, "slope_")
    yield KIND.finding(way, (0, story.last), slots, severity="warning" if way == "without end" else "caution")


KIND = FindingKind(
    name="maximized",
    severity="caution",
    rank=2,
    slots={
        "objective": Named,
        "start": Value,
        "end": Value,
        "slope_start": Value,
        "slope_end": Value,
        "optimizer": Said,
    },
    compute=compute,
    means="The loss rises on purpose: the optimizer was given the negative of its gradient, or of the loss.",
    seen_by="the signs of gradient times step from the start; of what a solver minimizes, both values at its points",
    example="Adam on `lambda x, i: -grad(f)(x)`",
    of_fits=True,
    asked_with=ROSE + r"|\bmaximi[sz]|\bwrong (?:sign|way|direction)|\bsign\b",
)
