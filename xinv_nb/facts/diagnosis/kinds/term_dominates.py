"""One term of the loss outweighs the rest: the data are fitted worse than at the start, or it counts n times over."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.measures.tape import place_of, story_of, tape_events
from xinv_nb.language.slots import Count, Iteration, Named, Said, Share, Slot, Value, pair

_ROSE = 1.5
"""Times the start at which the misfit ends at least."""
_FROM_NOTHING = 0.01
"""Share of its end below which the misfit at the start was none: a descent that starts at the data cannot but leave
them."""
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
        slots: dict[str, Slot] = {"count": Count(count), "factor": Value(factor), **place_of(event)}
        slots["operation"] = Said(str(event.values["operation"]))
        yield KIND.finding("counted", (start, stop - 1), slots, cites=(event.id,))
        return
    run = evidence.run
    if not run.evaluations or not evidence.is_minimized or evidence.is_maximized:
        return
    read = run.history.sums.evaluations
    rows = [k for k, row in enumerate(read) if start <= row < stop and run.accepted[row]]
    if len(rows) > 1:
        yield from list(_given_up(evidence, rows)) or _held_back(evidence, rows)


def _given_up(evidence: Evidence, rows: list[int]) -> Iterator[Finding]:
    """Yield a term without data that fell nearly to nothing, while the misfit to the data rose."""
    sums = evidence.run.history.sums
    first, last = sums.values[rows[0]], sums.values[rows[-1]]
    fall = sum(first) - sum(last)
    for d, has_data in enumerate(sums.has_data):
        rose = has_data and last[d] >= _ROSE * first[d] >= _ROSE * _FROM_NOTHING * last[d] > 0
        for t, is_penalty in enumerate(sums.is_penalty):
            fell = 0 <= last[t] <= _NEXT_TO_NOTHING * last[d] and first[t] - last[t] >= _MOST_OF_THE_FALL * fall > 0
            if rose and fell and is_penalty and not sums.has_data[t]:
                begin, end = (sums.evaluations[rows[k]] for k in (0, -1))
                slots: dict[str, Slot] = {"term": _named(sums.names[t]), "misfit": _named(sums.names[d])}
                slots |= {"start": Value(first[t]), "end": Value(last[t])}
                slots |= {"misfit_start": Value(first[d]), "misfit_end": Value(last[d])}
                slots |= {"first": Iteration(begin), "last": Iteration(end)}
                yield KIND.finding("given up", (begin, end), slots)
                return


def _held_back(evidence: Evidence, rows: list[int]) -> Iterator[Finding]:
    """Yield a penalty that is next to nothing, and yet holds the fit to the data back near where it began."""
    sums = evidence.run.history.sums
    if sums.pulls[rows[0]] is None or sums.pulls[rows[-1]] is None:
        return
    first, last = sums.values[rows[0]], sums.values[rows[-1]]
    before, after = np.array(sums.pulls[rows[0]]), np.array(sums.pulls[rows[-1]])
    for d, has_data in enumerate(sums.has_data):
        for t, is_penalty in enumerate(sums.is_penalty):
            if not has_data or not is_penalty or sums.has_data[t]:
                continue
            slope, other, was = (float(np.sqrt(each)) for each in (after[d, d], after[t, t], before[d, d]))
            is_held = after[d, t] <= _AGAINST * slope * other < 0 and _EVEN < other / slope < 1 / _EVEN
            still = was > 0 and slope >= _STILL * was and last[d] >= _STILL * first[d] > 0
            if is_held and still and 0 <= last[t] <= _NEXT_TO_NOTHING * last[d]:
                begin, end = (sums.evaluations[rows[k]] for k in (0, -1))
                slots: dict[str, Slot] = {"term": _named(sums.names[t]), "misfit": _named(sums.names[d])}
                start, rest = pair(first[d], last[d])
                slots |= {"misfit_start": start, "misfit_end": rest, "share": Share(slope / was)}
                slots["last"] = Iteration(end)
                form = "held fast" if start.looks_like(rest) else "held back"
                yield KIND.finding(form, (begin, end), slots, severity="caution")
                return


def _named(name: str) -> Named:
    return Named(name, name, is_of_domain=name.replace(" ", "").isalpha())


KIND = FindingKind(
    name="term-dominates",
    severity="warning",
    rank=12,
    slots={
        "count": Count,
        "factor": Value,
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
