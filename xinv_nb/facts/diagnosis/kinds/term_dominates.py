"""One term of the loss outweighs the rest: the data are fitted worse than at the start, or it counts n times over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.tape import place_of, story_of, tape_events
from xinv_nb.language.slots import Count, Iteration, Named, Said, Share, Slot, Value, pair
from xinv_nb.recorded.sums import Term

_ROSE = 1.5
"""Times the start at which the misfit ends at least."""
_FROM_NOTHING = 0.01
"""Share of its end below which the misfit at the start was none: a descent that starts at the data cannot but leave
them. Beside a prior it is a model's misfit, and a good fit was given up."""
_NEXT_TO_NOTHING = 0.1
"""Share of the misfit at the end that the other term is at most."""
_MOST_OF_THE_FALL = 0.9
_STILL = 0.3
"""Share of the misfit, and of its slope, at the start that is still there at the end where the data hardly count."""
_AGAINST = -0.9
"""Cosine of the two slopes up to which they are opposed."""
_EVEN = 0.5
"""Share of the larger slope that the other is at least, so that they hold each other."""


def compute(evidence: Evidence) -> Iterator[Finding]:
    """Yield a term that counts too often, else one for which the fit to the data was given up.

    Examples
    --------
    >>> import autograd.numpy as np
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> data = np.array([1.0, 3.0, 2.0, 4.0])
    >>> def loss(m):
    ...     misfit = np.sum((m - data) ** 2)
    ...     size = 50.0 * np.sum(m**2)
    ...     return misfit + size
    >>> with xi.record() as run:
    ...     m = 0.8 * data
    ...     for _ in range(40):
    ...         m = m - 0.01 * grad(loss)(m)
    >>> run.diagnosis[0].text[:47]
    'Size outweighs misfit: it fell from 960 to 0.57'
    """
    start, stop = story_of(evidence)
    for event in tape_events(evidence, "counted")[:1]:
        count, factor = int(event.values["count"]), float(event.values["factor"])
        slots: dict[str, Slot] = {"count": Count(count), "factor": Value(factor), "right": Value(factor / count)}
        slots |= {"operation": Said(str(event.values["operation"])), **place_of(event)}
        form = "counted"
        if "term" in event.values:
            form, slots["term"] = "counted, of a parameter", _named(str(event.values["term"]))
        if event.values["operation"] == "mean":  # a number stays the same there, taken out of it or not
            form += ", mean"
        yield KIND.finding(form, (start, stop - 1), slots, cites=(event.id,))
        return
    run = evidence.run
    if not run.evaluations or not evidence.is_minimized or evidence.is_maximized:
        return
    evaluations, values = run.history.sums.arrays()
    rows = [k for k, row in enumerate(evaluations.tolist()) if start <= row < stop and run.accepted[row]]
    if len(rows) > 1 and all(term.weight > 0 for term in run.history.sums.terms):
        found = _Sum(run.history.sums.terms, evaluations[rows], values[rows])
        yield from list(_given_up(found)) or _held_back(found, evidence)


@dataclass(frozen=True)
class _Sum:
    """The terms of a loss along the accepted evaluations in which their values are known."""

    terms: Sequence[Term]
    evaluations: NDArray[np.intp]
    values: NDArray[np.float64]
    """As the program has them, before they are weighed."""

    @property
    def parts(self) -> NDArray[np.float64]:
        """What each makes of the loss."""
        return self.values * [term.weight for term in self.terms]

    @property
    def pairs(self) -> Iterator[tuple[int, int]]:
        """Yield each misfit to data with each penalty, and that of a model with each prior."""
        for d, misfit in enumerate(self.terms):
            for t, term in enumerate(self.terms):
                is_penalty = term.is_penalty and not term.has_data
                if misfit.has_data and (is_penalty or (term.is_prior and not misfit.is_prior)):
                    yield d, t


def _given_up(found: _Sum) -> Iterator[Finding]:
    """Yield a term without data that fell nearly to nothing, while the misfit to the data rose."""
    first, last = found.parts[0], found.parts[-1]
    fall = float(first.sum() - last.sum())
    for d, t in found.pairs:
        was_there = found.terms[t].is_prior or first[d] >= _FROM_NOTHING * last[d]
        rose = was_there and last[d] >= _ROSE * first[d] and last[d] > 0
        fell = 0 <= last[t] <= _NEXT_TO_NOTHING * last[d] and first[t] - last[t] >= _MOST_OF_THE_FALL * fall > 0
        if rose and fell:
            begin, end = int(found.evaluations[0]), int(found.evaluations[-1])
            slots: dict[str, Slot] = {"term": _named(found.terms[t].name), "misfit": _named(found.terms[d].name)}
            own = found.values
            slots |= {"start": Value(float(own[0, t])), "end": Value(float(own[-1, t]))}
            slots |= {"misfit_start": Value(float(own[0, d])), "misfit_end": Value(float(own[-1, d]))}
            slots |= {"first": Iteration(begin), "last": Iteration(end)}
            yield KIND.finding("given up", (begin, end), slots)
            return


def _held_back(found: _Sum, evidence: Evidence) -> Iterator[Finding]:
    """Yield a penalty that is next to nothing, and yet holds the fit to the data back near where it began."""
    columns = evidence.run.history.slopes
    known = [columns[term.name].arrays() for term in found.terms if term.name in columns]
    if len(known) < len(found.terms):
        return
    both = sorted(set(found.evaluations.tolist()).intersection(*(evaluations.tolist() for evaluations, _ in known)))
    if len(both) < 2:
        return
    begin, end = both[0], both[-1]
    numbers = np.ones(evidence.run.history.width, dtype=bool)
    numbers[[leaf.rms_column for leaf in evidence.run.history.leaves if leaf.rms_column is not None]] = False
    before, after = (_pulls(found.terms, known, evaluation, numbers) for evaluation in (begin, end))
    first, last = (found.parts[found.evaluations == evaluation][0] for evaluation in (begin, end))
    own = found.values
    for d, t in found.pairs:
        slope, other, was = (float(np.sqrt(each)) for each in (after[d, d], after[t, t], before[d, d]))
        is_held = after[d, t] <= _AGAINST * slope * other < 0 and _EVEN < other / slope < 1 / _EVEN
        still = was > 0 and slope >= _STILL * was and first[d] >= last[d] >= _STILL * first[d] > 0
        if is_held and still and 0 <= last[t] <= _NEXT_TO_NOTHING * last[d]:
            slots: dict[str, Slot] = {"term": _named(found.terms[t].name), "misfit": _named(found.terms[d].name)}
            misfits = [float(own[found.evaluations == evaluation][0, d]) for evaluation in (begin, end)]
            start, rest = pair(misfits[0], misfits[1])
            slots |= {"misfit_start": start, "misfit_end": rest, "share": Share(slope / was)}
            slots["last"] = Iteration(end)
            form = "held fast" if start.looks_like(rest) else "held back"
            yield KIND.finding(form, (begin, end), slots, severity="caution")
            return


def _pulls(terms: Sequence[Term], known: Sequence[Any], evaluation: int, numbers: NDArray[np.bool_]) -> Any:
    """Return the products of the gradients of the loss through each term with each other."""
    rows = np.array([gradients[evaluations == evaluation][0][numbers] for evaluations, gradients in known])
    rows = np.real(rows) * np.array([[term.weight] for term in terms])
    return rows @ rows.T


def _named(name: str) -> Named:
    return Named(name, name, is_of_domain=name.replace(" ", "").isalpha())


KIND = FindingKind(
    name="term-dominates",
    severity="warning",
    rank=12,
    slots={
        "count": Count,
        "factor": Value,
        "right": Value,
        "operation": Said,
        "line": Count,
        "file": Said,
        "term": Named,
        "misfit": Named,
        "start": Value,
        "end": Value,
        "misfit_start": Value,
        "misfit_end": Value,
        "first": Iteration,
        "last": Iteration,
        "share": Share,
    },
    compute=compute,
    means="One term of the loss outweighs the rest, so that the data hardly count.",
    seen_by="the terms of the loss in the program's own last sum, and factors on the tape of the first evaluation",
    example="a smoothness weighed 100,000 times too heavily, so that the data are fitted worse than at the start",
    asked_with=r"\b(?:dominat\w*|outweigh\w*|weights?|weighed|regulari[sz]\w*|penalt\w*)\b",
    silences=("advice", "minimum", "identifiability", "idle"),
    of_fits=True,
)
