"""From a `Run` to what may be said of it: phases and facts, computed by known methods. One file per question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact, Phase
from xinv_nb.facts.kinds import all_kinds
from xinv_nb.facts.measures.optimizers import optimizer_starts
from xinv_nb.facts.measures.phases import find_phases
from xinv_nb.facts.measures.players import of_a_game
from xinv_nb.facts.measures.sizes import gradient_sizes
from xinv_nb.recorded.run import RecordedRun, Status

_State = tuple[int, int, Status, tuple[tuple[int, int], ...]]
"""What an analysis depends on: evaluations, events, status, and the stretches that a reader chose."""


@dataclass(frozen=True)
class Analysis:
    """The phases of a run and the facts about it, those first that a reader would miss most."""

    phases: tuple[Phase, ...]
    facts: tuple[Fact, ...]


_STALE = 1.02
"""Growth of a run up to which its last analysis stands while it is running."""


def phases_of(run: RecordedRun) -> Sequence[Phase]:
    """Return the phases of `run` as it stands; analysed once."""
    return _analysis_of(run).phases


def facts_of(run: RecordedRun) -> Sequence[Fact]:
    """Return the facts of `run` as it stands; analysed once."""
    return _analysis_of(run).facts


def _analysis_of(run: RecordedRun) -> Analysis:
    with run.lock:
        state = (run.evaluations, run.event_count, run.status, run.chosen_spans)
        known, analysis = run.memo.get("analysis", (None, None))
        if analysis is not None and (known == state or _still_stands(known, state)):
            return analysis  # type: ignore[no-any-return]
        found = analyse(run)
        run.memo["analysis"] = state, found
        return found


def _still_stands(known: _State, state: _State) -> bool:
    """Whether an analysis will do for now: looked at in every iteration, a run would be analysed anew each time."""
    return known[2] == state[2] == "running" and known[3] == state[3] and state[0] <= _STALE * known[0]


def analyse(run: RecordedRun) -> Analysis:
    """Compute phases and facts of `run` as it stands; the same recording gives the same answer to the bit."""
    with np.errstate(all="ignore"):  # overflow and invalid numbers are among what is told of
        slopes = None if run.history.is_on_manifold else gradient_sizes(run)
        phases = tuple(find_phases(run.loss, slopes, run.accepted, optimizer_starts(run)))
        evidence = Evidence(run, phases)
        if evidence.players is not None:
            evidence.phases = phases = tuple(of_a_game(phases))
        for kind in all_kinds():
            if kind.compute is not None:
                evidence.add(kind.compute(evidence))
    return Analysis(phases, tuple(_by_salience(evidence.found)))


def _by_salience(facts: Sequence[Fact]) -> list[Fact]:
    """Put first what would be missed most, and number the facts in that order, also where they cite each other."""
    ranked = sorted(facts, key=lambda fact: -fact.salience)
    ids = {fact.id: f"F{i}" for i, fact in enumerate(ranked, start=1)}
    return [
        replace(fact, id=f"F{i}", cites=tuple(ids.get(cited, cited) for cited in fact.cites))
        for i, fact in enumerate(ranked, start=1)
    ]
