"""From a `Run` to what may be said of it: phases and facts, computed by known methods. One file per question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from xinv_nb.analysis.advice import advice
from xinv_nb.analysis.bounds import bounds
from xinv_nb.analysis.convergence import convergence
from xinv_nb.analysis.course import course
from xinv_nb.analysis.credit import credit
from xinv_nb.analysis.effort import effort
from xinv_nb.analysis.ending import ending, gradient_sizes
from xinv_nb.analysis.happenings import happenings
from xinv_nb.analysis.identifiability import identifiability
from xinv_nb.analysis.idle import idle
from xinv_nb.analysis.iterates import iterates_of
from xinv_nb.analysis.movement import movement
from xinv_nb.analysis.optimizers import optimizer_starts
from xinv_nb.analysis.phases import find_phases
from xinv_nb.analysis.pull import pull
from xinv_nb.analysis.spans import chosen
from xinv_nb.analysis.steps import steps
from xinv_nb.analysis.terms import terms
from xinv_nb.analysis.turning import turning
from xinv_nb.analysis.vanishing import vanishing
from xinv_nb.analysis.watched import watched
from xinv_nb.explanation import Fact, Phase
from xinv_nb.run import Run


@dataclass(frozen=True)
class Analysis:
    """The phases of a run and the facts about it, those first that a reader would miss most."""

    phases: tuple[Phase, ...]
    facts: tuple[Fact, ...]


def analyse(run: Run) -> Analysis:
    """Compute phases and facts of `run` as it stands; the same recording gives the same answer to the bit."""
    with np.errstate(all="ignore"):  # overflow and invalid numbers are among what is told of
        phases = tuple(find_phases(run.loss, gradient_sizes(run), run.accepted, optimizer_starts(run)))
        iterates, watches = iterates_of(run), run.watches
        found = _with_ids(
            [
                *course(run, phases),
                *watched(run, watches, iterates, phases),
                *movement(run, iterates, phases),
                *turning(run, iterates),
                *bounds(run, iterates),
                *idle(run, iterates),
                *credit(run, iterates, phases),
                *terms(run, watches, iterates, phases),
                *pull(run, watches, iterates, phases),
                *vanishing(run, watches, iterates),
                *happenings(run, iterates),
                *identifiability(run, iterates),
                *convergence(run, phases),
                *effort(run, phases),
                *steps(run),
                *ending(run, phases),
            ]
        )
        if any(fact.values.get("how") == "down" for fact in found if fact.kind == "identifiability"):
            found = [fact for fact in found if fact.kind != "minimum"]  # level it may be, but there is a way down
        found += advice(run, phases, found)
        found += chosen(run, watches, iterates, found)
    return Analysis(phases, tuple(_by_salience(found)))


def _with_ids(facts: Sequence[Fact]) -> list[Fact]:
    return [replace(fact, id=f"F{i}") for i, fact in enumerate(facts, start=1)]


def _by_salience(facts: Sequence[Fact]) -> list[Fact]:
    """Put first what would be missed most, and number the facts in that order, also where they cite each other."""
    ranked = sorted(facts, key=lambda fact: -fact.salience)
    ids = {fact.id: f"F{i}" for i, fact in enumerate(ranked, start=1) if fact.id}
    return [
        replace(fact, id=f"F{i}", cites=tuple(ids.get(cited, cited) for cited in fact.cites))
        for i, fact in enumerate(ranked, start=1)
    ]
