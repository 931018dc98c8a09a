"""Which term of the loss earned its fall, and when two terms pulled against each other.

Methods: the change of each watched term times its weight in the sum, which adds up to the change of the loss; the
cosine of the angle between the terms' gradients (Yu et al., "Gradient surgery", NeurIPS 2020; Désidéri 2012 for the
balance at the end: where two gradients are opposed, no small step lowers both). Parameters are measured by the range
that each moved through, so that their units do not matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.fact import Fact, Phase
from xinv_nb.facts.measures.iterates import Floats, Iterates
from xinv_nb.facts.measures.phases import last_of
from xinv_nb.language.quantities import listed, number, sentence_start
from xinv_nb.recorded.run import RecordedRun, Watch

_OPPOSED = -0.3
"""Cosine below which two pulls are against each other."""
_BALANCED = -0.95
_EVEN = 0.7
"""Share of the stronger pull from which the weaker one holds it in balance."""
_FEWEST = 3
_MOST_TERMS = 4
_MOST_PAIRS = 2
_MAIN = 0.15
"""Share of the change of the loss from which a phase is told of."""
_MOST_PHASES = 3
_EXACT = 1e-6


def terms(
    run: RecordedRun, watches: Mapping[str, Watch], iterates: Iterates, phases: Sequence[Phase]
) -> Iterator[Fact]:
    """Yield what each term of the loss did to it, over the run and in its main phases, and the terms' conflicts."""
    gradients = run.term_gradients
    if len(gradients) < 2 or len(iterates) < 2:
        return
    last = run.evaluations - 1
    parts = _parts(run, {name: watches[name] for name in gradients if name in watches})
    if parts is not None and len(parts) == len(gradients) <= _MOST_TERMS:
        if fact := _shares(run, iterates, parts, (0, last), 0.8):
            yield fact
        whole = abs(float(run.loss[iterates.rows[-1]] - run.loss[iterates.rows[0]]))
        spans = [(p.start, last_of(p, run.loss)) for p in phases] if len(phases) > 1 else []
        told = [fact for span in spans if (fact := _shares(run, iterates, parts, span, 0.5))]
        main = [fact for fact in told if abs(fact.values["total"]) > _MAIN * whole]
        yield from sorted(main, key=lambda fact: -abs(fact.values["total"]))[:_MOST_PHASES]
    yield from _conflicts(run, iterates, gradients)


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


def _shares(
    run: RecordedRun, iterates: Iterates, parts: dict[str, Floats], span: tuple[int, int], salience: float
) -> Fact | None:
    a, b = (int(iterates.rows[iterates.at(end)]) for end in span)
    total = float(run.loss[b] - run.loss[a])
    changes = {name: float(part[b] - part[a]) for name, part in parts.items()}
    largest = max(map(abs, changes.values()))
    if not np.isfinite(total) or total == 0 or abs(sum(changes.values()) - total) > _EXACT * largest:
        return None
    ordered = sorted(changes, key=lambda name: changes[name] * np.sign(total), reverse=True)
    said = [
        f"{name} {'lowered' if changes[name] < 0 else 'raised'} it by {number(abs(changes[name]))}"
        if changes[name]
        else f"{name} did not change it"
        for name in ordered
    ]
    when = "Over the run" if span == (0, run.evaluations - 1) else f"Between iterations {span[0]} and {span[1]}"
    text = f"{when} the loss {'fell' if total < 0 else 'rose'} by {number(abs(total))}: {listed(said)}."
    return Fact("", "terms", text, {"total": total, "parts": changes}, span, (), salience)


# ---------------------------------------------------------------------- conflicts


def _conflicts(
    run: RecordedRun, iterates: Iterates, gradients: Mapping[str, tuple[NDArray[np.intp], NDArray[np.float64]]]
) -> Iterator[Fact]:
    values = run.history.rows(iterates.rows)
    scale = np.ptp(np.real(values), axis=0)
    scale[[leaf.rms_column for leaf in run.history.leaves if leaf.rms_column is not None]] = 0.0  # no direction
    if not np.isfinite(scale).all() or not scale.any():
        return
    found = []
    for one, two in combinations([name for name in run.history.watches if name in gradients], 2):
        rows, i, j = np.intersect1d(gradients[one][0], gradients[two][0], return_indices=True)
        first, second = (np.real(gradients[n][1][k]) * scale for n, k in ((one, i), (two, j)))
        sizes = np.linalg.norm(first, axis=1), np.linalg.norm(second, axis=1)
        cosines = np.einsum("ij,ij->i", first, second) / (sizes[0] * sizes[1])
        known = np.isfinite(cosines)
        if np.count_nonzero(known) >= _FEWEST:
            found.append(_Pair(one, two, rows[known], cosines[known], sizes[0][known], sizes[1][known]))
    found.sort(key=lambda pair: float(np.mean(pair.cosines)))
    for pair in found[:_MOST_PAIRS]:
        yield from pair.facts(run)


class _Pair:
    """Two terms in the evaluations in which the gradients of both are known."""

    def __init__(
        self, one: str, two: str, rows: NDArray[np.intp], cosines: Floats, first: Floats, second: Floats
    ) -> None:
        self.names = one, two
        self.rows, self.cosines = rows, cosines
        self.evenness = np.minimum(first, second) / np.maximum(first, second)

    def facts(self, run: RecordedRun) -> Iterator[Fact]:
        last = run.evaluations - 1
        both = sentence_start(listed(self.names))
        opposed = self.cosines < _OPPOSED
        start, stop = _longest(opposed)  # of a sample of the iterations: it may have begun earlier and ended later
        if stop - start >= max(2, len(self.rows) // 20):
            a, b = int(self.rows[start]), int(self.rows[stop - 1])
            mean = float(np.mean(self.cosines[start:stop]))
            values = {"terms": self.names, "cosine": mean, "from": a, "to": b, "looked_at": stop - start}
            if opposed.all():
                when = f"at all {len(self.rows)} iterations at which their gradients were read"
            elif stop == len(self.rows):
                when = f"from iteration {a} on at the latest"
            elif start == 0:
                when = f"until iteration {b} at least"
            else:
                when = f"between iterations {a} and {b} at least"
            text = f"{both} pulled the parameters in opposite directions {when} (mean cosine {number(mean)})."
            span = a, last if stop == len(self.rows) else b
            yield Fact("", "conflict", text, values, span, self._seen(run, span), 0.7)
        row, cosine, even = int(self.rows[-1]), float(self.cosines[-1]), float(self.evenness[-1])
        if row >= 0.9 * last and cosine < _BALANCED and even > _EVEN:
            text = f"At iteration {row} {listed(self.names)} pulled with about equal strength in opposite directions: "
            text += "a small step that lowers one raises the other."
            yield Fact("", "balance", text, {"terms": self.names, "cosine": cosine, "even": even}, (row, row), (), 0.7)

    def _seen(self, run: RecordedRun, span: tuple[int, int]) -> tuple[str, ...]:
        """Return the events that tell of a parameter that the two terms pull to opposite sides."""
        found = []
        for event in run.events_as_recorded():
            if event.kind == "terms":
                sides = [side for name in self.names for side in ("less", "more") if name in event.values[side]]
                if span[0] <= event.evaluation <= span[1] and sorted(sides) == ["less", "more"]:
                    found.append(event.id)
        return tuple(found)


def _longest(where: NDArray[np.bool_]) -> tuple[int, int]:
    """Return start and stop of the longest stretch that is true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], where, [False]]).astype(int)))
    if not len(edges):
        return 0, 0
    lengths = edges[1::2] - edges[::2]
    longest = int(np.argmax(lengths))
    return int(edges[2 * longest]), int(edges[2 * longest + 1])
