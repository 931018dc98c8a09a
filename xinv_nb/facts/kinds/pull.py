"""What the backward pass asked for: whether the steps obeyed, and which watched quantity the gradient bore on.

Methods: the sign of gradient times step, parameter by parameter (O'Donoghue and Candès 2015 use the sign of their sum
to tell momentum that has gone too far); cotangent times the quantity's range over the run, the first-order effect of
all that the quantity did, in units of the loss, so that quantities of different units compare (adjoint sensitivity,
Giles and Pierce 2000).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from xinv_nb.facts.fact import Fact, Phase
from xinv_nb.facts.kinds.movement import name_of, subject
from xinv_nb.facts.kinds.watched import followed
from xinv_nb.facts.measures.iterates import Floats, Iterates
from xinv_nb.facts.measures.phases import last_of
from xinv_nb.language.quantities import number, sentence_start, share
from xinv_nb.recorded.run import RecordedRun, Watch

_FEWEST = 6
"""Moves from which on it is told how many of them obeyed."""
_DISOBEDIENT = 0.75
"""Share of obeying moves of one parameter below which it is told."""
_CARRIED = 0.8
"""Share of the disobeying moves that went on as before from which it is told."""
_MOST = 2
_STRONGER = 1.5
"""Factor by which one quantity's pull stands out."""
_MOST_PULLS = 4


def pull(run: RecordedRun, watches: Mapping[str, Watch], iterates: Iterates, phases: Sequence[Phase]) -> Iterator[Fact]:
    """Yield how many moves went the way the gradient asked, and the watched quantity that it bore on in each phase."""
    if run.evaluations < 2:
        return
    yield from _obeyed(run, iterates)
    yield from _carriers(run, watches, phases)


def _obeyed(run: RecordedRun, iterates: Iterates) -> Iterator[Fact]:
    last, moves, obeying = run.evaluations - 1, 0, 0
    against: list[tuple[float, Fact]] = []
    for track in iterates.numbers:
        steps = np.diff(track.values)
        work = steps * track.slopes[:-1]
        moved, obeyed = int(np.count_nonzero(work)), int(np.count_nonzero(work < 0))
        if not np.isfinite(work).all():
            return
        moves, obeying = moves + moved, obeying + obeyed
        if moved >= _FEWEST and obeyed < _DISOBEDIENT * moved:
            wrong = work > 0
            carried = int(np.count_nonzero(wrong[1:] & (steps[1:] * steps[:-1] > 0)))
            text = f"{subject(track.entry)} went against its gradient in {moved - obeyed} of {moved} steps"
            values = {"parameter": track.entry.name, "steps": moved, "against": moved - obeyed, "carried": carried}
            if carried >= _CARRIED * (moved - obeyed):
                all_of_them = "all" if carried == moved - obeyed else str(carried)
                text += f"; in {all_of_them} of these it went on as in the step before"
                text += ", as momentum does" if any(w in run.optimizer for w in ("Adam", "momentum")) else ""
            against.append((obeyed / moved, Fact("", "asked", text + ".", values, (0, last), (), 0.4)))
    if moves >= _FEWEST:
        values = {"moves": moves, "obeying": obeying}
        text = f"In {share(obeying / moves)} of their single moves the parameters went the way that the gradient asked."
        if obeying in (0, moves):
            way = "the way that its gradient asked" if obeying else "against its gradient, uphill"
            text = f"At each step every parameter that moved went {way}."
        if len(iterates.numbers) == 1:
            name = name_of(iterates.numbers[0].entry)
            text = f"In {share(obeying / moves)} of its steps {name} went the way that the gradient asked."
            if obeying in (0, moves):
                way = "the way that the gradient asked" if obeying else "against the gradient, uphill,"
                text = f"{sentence_start(name)} went {way} at each step."
        yield Fact("", "asked", text, values, (0, last), (), 0.3 if obeying == moves else 0.4)
    if obeying:
        yield from (fact for _, fact in sorted(against, key=lambda pair: pair[0])[:_MOST])


def _carriers(run: RecordedRun, watches: Mapping[str, Watch], phases: Sequence[Phase]) -> Iterator[Fact]:
    """Tell in which phase the gradient bore most on which quantity; where that does not change, for the whole run."""
    ranges: dict[str, float] = {}
    cotangents: dict[str, Floats] = {}
    for watch, values in followed(watches, run.evaluations):
        size = np.abs(watch.cotangents) if watch.cotangents.dtype.kind in "fc" else np.zeros(0)
        if len(size) != run.evaluations or not np.isfinite(values).all() or not np.isfinite(size).all():
            continue
        is_told = watch.name in run.history.terms or np.allclose(values, run.loss, rtol=1e-9, atol=0.0)
        if not is_told and np.ptp(values) > 0:
            ranges[watch.name], cotangents[watch.name] = float(np.ptp(values)), size
    if len(ranges) < 2:
        return
    spans = [(p.start, last_of(p, run.loss)) for p in phases]
    found = []
    for a, b in spans:
        pulls = {name: float(np.mean(cotangents[name][a : b + 1])) * ranges[name] for name in ranges}
        first, second = sorted(pulls, key=lambda name: -pulls[name])[:2]
        if pulls[first] > _STRONGER * pulls[second]:
            found.append(((a, b), first, second, pulls))
    if len(found) == len(spans) and len({first for _, first, _, _ in found}) == 1:
        whole = 0, run.evaluations - 1
        pulls = {name: float(np.mean(cotangents[name])) * ranges[name] for name in ranges}
        first, second = sorted(pulls, key=lambda name: -pulls[name])[:2]
        found = [(whole, first, second, pulls)] if pulls[first] > _STRONGER * pulls[second] else []
    for span, first, second, pulls in found[:_MOST_PULLS]:
        when = f"between iterations {span[0]} and {span[1]}"
        if span == (0, run.evaluations - 1):
            when = "over the run"
        text = (
            f"Of the watched quantities, the gradient bore most on {first} {when}: its mean size times the spread of "
        )
        text += f"{first} is {number(pulls[first])} in units of the loss, "
        if pulls[second] > 0:
            text += f"against {number(pulls[second])} for {second}, the next."
        else:
            text += "against 0 for the others."
        compared = {"quantity": first, "second": second, "pulls": pulls}
        yield Fact("", "pull", text, compared, span, (), 0.45)
