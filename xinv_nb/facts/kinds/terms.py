"""Which term of the loss earned its fall.

Method: the change of each watched term times its weight in the sum, which adds up to the change of the loss.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.names import watched
from xinv_nb.facts.measures.phases import last_of
from xinv_nb.language.slots import Clause, Iteration, Listed, LossValue, Named, Slot, Value, Way, Word
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.recorded.watch import Watch

_FEWEST_TERMS = 2
_MOST_TERMS = 4
_MAIN = 0.15
"""Share of the change of the loss from which a phase is told of."""
_MOST_PHASES = 3
_EXACT = 1e-6


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield what each term of the loss did to it, over the run and in its main phases.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> def loss(x):
    ...     return xi.watch(x**2, "misfit") + xi.watch(-x, "effort")
    >>> with xi.record() as run:
    ...     slopes = [grad(loss)(x) for x in (4.0, 2.0, 1.0)]
    >>> next(fact for fact in run.facts if fact.kind == "terms").text
    'Over the run the loss fell by 12: misfit lowered it by 15 and effort raised it by 3.'
    """
    run, iterates, phases = evidence.run, evidence.iterates, evidence.phases
    gradients = run.term_gradients
    if len(gradients) < _FEWEST_TERMS or len(iterates) < 2:
        return
    parts = _parts(run, {name: evidence.watches[name] for name in gradients if name in evidence.watches})
    if parts is None or not len(parts) == len(gradients) <= _MOST_TERMS:
        return
    if fact := _shares(evidence, parts, (0, evidence.last), 0.8):
        yield fact
    whole = abs(float(run.loss[iterates.rows[-1]] - run.loss[iterates.rows[0]]))
    spans = [(phase.start, last_of(phase, run.loss)) for phase in phases] if len(phases) > 1 else []
    told = [fact for span in spans if (fact := _shares(evidence, parts, span, 0.5))]
    main = [fact for fact in told if abs(fact.data["total"]) > _MAIN * whole]
    yield from sorted(main, key=lambda fact: -abs(fact.data["total"]))[:_MOST_PHASES]


def _parts(run: RecordedRun, watches: Mapping[str, Watch]) -> dict[str, Floats] | None:
    """Return each term's weighted value in each evaluation, where its weight stays the same."""
    parts = {}
    for name, watch in watches.items():
        cotangents = np.real(watch.cotangents) if watch.cotangents.dtype.kind in "fc" else np.zeros(0)
        whole = watch.values.ndim == 1 and len(watch.values) == run.evaluations == len(cotangents)
        if not whole or not (watch.evaluation == np.arange(run.evaluations)).all():
            return None
        weight = float(cotangents[0])
        if not np.isfinite(weight) or not np.allclose(cotangents, weight):
            return None
        parts[name] = weight * np.real(watch.values).astype(float)
    return parts


def _shares(evidence: Evidence, parts: dict[str, Floats], span: tuple[int, int], salience: float) -> Fact | None:
    loss, iterates = evidence.run.loss, evidence.iterates
    a, b = (int(iterates.rows[iterates.at(end)]) for end in span)
    total = float(loss[b] - loss[a])
    changes = {name: float(part[b] - part[a]) for name, part in parts.items()}
    largest = max(map(abs, changes.values()))
    if not np.isfinite(total) or total == 0 or abs(sum(changes.values()) - total) > _EXACT * largest:
        return None
    ordered = sorted(changes, key=lambda name: changes[name] * np.sign(total), reverse=True)
    terms = [(watched(evidence.watches[name]), changes[name]) for name in ordered]
    form, slots = said(terms)
    form += ", over the run" if span == (0, evidence.last) else ", in a stretch"
    slots |= {"first": Iteration(span[0]), "last": Iteration(span[1])}
    slots |= {"went": Way(total), "change": LossValue(abs(total))}
    return KIND.fact(form, span, salience, slots, data={"total": total, "parts": changes})


def said(terms: list[tuple[Named, float]]) -> tuple[str, dict[str, Slot]]:
    """Return the beginning of the form, and the slots, that say what each part of a loss did to it."""
    return _two(terms) if len(terms) == 2 and all(part for _, part in terms) else _several(terms)


def _two(terms: list[tuple[Named, float]]) -> tuple[str, dict[str, Slot]]:
    (term, part), (other, other_part) = terms
    slots: dict[str, Slot] = {"term": term, "did": _did(part), "part": LossValue(abs(part))}
    return "two", slots | {"other": other, "did2": _did(other_part), "other_part": LossValue(abs(other_part))}


def _did(part: float) -> Word:
    return Word("lowered" if part < 0 else "raised")


def _several(terms: list[tuple[Named, float]]) -> tuple[str, dict[str, Slot]]:
    return "several", {"terms": Listed(tuple(_what_it_did(term, part) for term, part in terms))}


def _what_it_did(term: Named, part: float) -> Clause:
    if not part:
        return Clause("a term did not change it", {"term": term})
    return Clause("a term changed it", {"term": term, "did": _did(part), "part": LossValue(abs(part))})


KIND = Kind(
    name="terms",
    question=Question.CREDIT,
    rank=42,
    slots={
        "first": Iteration,
        "last": Iteration,
        "went": Way,
        "change": Value,
        "term": Named,
        "did": Word,
        "part": Value,
        "other": Named,
        "did2": Word,
        "other_part": Value,
        "terms": Listed,
    },
    compute=compute,
    method="the change of each watched term times its weight in the sum",
)
