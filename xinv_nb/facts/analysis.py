"""From a `Run` to what may be said of it: phases and facts, computed by known methods. One file per question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from xinv_nb.errors import XinvError
from xinv_nb.facts.counting import counted
from xinv_nb.facts.diagnosis.finding import Finding, shifted_finding
from xinv_nb.facts.diagnosis.found import findings_of, ranked, without_untrue
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact, Phase
from xinv_nb.facts.fit import Fit, fits_of
from xinv_nb.facts.kinds import all_kinds
from xinv_nb.facts.measures.fits import stretches
from xinv_nb.facts.measures.jumps import borders_of
from xinv_nb.facts.measures.optimizers import optimizer_starts
from xinv_nb.facts.measures.phases import find_phases
from xinv_nb.facts.measures.sizes import gradient_sizes
from xinv_nb.facts.measures.ups_and_downs import is_by_steps, without_noise
from xinv_nb.facts.shifting import shifted, shifted_phase
from xinv_nb.facts.story import Parts, parts_of
from xinv_nb.recorded.excerpt import Places, excerpt
from xinv_nb.recorded.run import RecordedRun, Status

_State = tuple[int, int, Status, tuple[tuple[int, int], ...], int | None]
"""What an analysis depends on: evaluations, events, status, and the stretches and the fit that a reader chose."""


@dataclass(frozen=True)
class Analysis:
    """The parts of a run, the phases of its story and the facts, those first that a reader would miss most."""

    parts: Parts
    phases: tuple[Phase, ...]
    facts: tuple[Fact, ...]
    findings: tuple[Finding, ...]


_STALE = 1.02
"""Growth of a run up to which its last analysis stands while it is running."""


def phases_of(run: RecordedRun) -> Sequence[Phase]:
    """Return the phases of `run` as it stands; analysed once."""
    return _analysis_of(run).phases


def facts_of(run: RecordedRun) -> Sequence[Fact]:
    """Return the facts of `run` as it stands; analysed once."""
    return _analysis_of(run).facts


def diagnosis_of(run: RecordedRun) -> Sequence[Finding]:
    """Return what is wrong with `run` as it stands, the gravest first; analysed once."""
    return _analysis_of(run).findings


def shown_parts(run: RecordedRun) -> Parts:
    """Return the fits of `run` as it stands, and which evaluations are told of; analysed once."""
    return _analysis_of(run).parts


def fits_of_all(run: RecordedRun) -> tuple[Fit, ...]:
    """Return the fits of all objectives of `run`, those of the one that is shown first."""
    shown = shown_parts(run).fits
    others = [(name, each) for name, each in run.objectives.items() if each.history is not run.history]
    return (*shown, *(fit for name, each in others for fit in fits_of(each, stretches(each), name)))


def check_fit(run: RecordedRun, number: int) -> None:
    """Raise `XinvError` where the objective that is shown has no fit of that number."""
    count = len(shown_parts(run).fits)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < count:
        raise XinvError(f"The run has {count} fits, numbers 0 to {count - 1}, and no {number!r}.")


def story_span(run: RecordedRun) -> tuple[int, int]:
    """Return the first and the last evaluation that phases, facts and captions tell of.

    >>> story_span(RecordedRun())
    (0, 0)
    """
    start, stop = _analysis_of(run).parts.story
    return start, max(stop - 1, start)


def shown_excerpt(run: RecordedRun) -> tuple[RecordedRun, Places]:
    """Return what phases, facts and captions tell of as a run of its own, and where its evaluations stand in `run`.

    >>> shown_excerpt(RecordedRun())[1].start
    0
    """
    if run.status == "running":
        return run, Places(0)
    parts, (first, last) = shown_parts(run), story_span(run)
    if last - first + 1 >= run.evaluations and not parts.places.left_out:
        return run, Places(first)
    state = run.evaluations, run.event_count, first, last, parts.places
    known, found = run.memo.get("shown excerpt", (None, None))
    if known != state:
        found = excerpt(run, first, last + 1, parts.places.left_out)
        run.memo["shown excerpt"] = state, found
    return found, parts.places


def _analysis_of(run: RecordedRun) -> Analysis:
    with run.lock:
        state = (run.evaluations, run.event_count, run.status, run.chosen_spans, run.chosen_fit)
        known, analysis = run.memo.get("analysis", (None, None))
        if analysis is not None and (known == state or _still_stands(known, state)):
            return analysis  # type: ignore[no-any-return]
        found = analyse(run)
        run.memo["analysis"] = state, found
        return found


def _still_stands(known: _State, state: _State) -> bool:
    """Whether an analysis will do for now: looked at in every iteration, a run would be analysed anew each time."""
    return known[2] == state[2] == "running" and known[3:] == state[3:] and state[0] <= _STALE * known[0]


def analyse(run: RecordedRun) -> Analysis:
    """Compute phases and facts of `run` as it stands; the same recording gives the same answer to the bit."""
    with np.errstate(all="ignore"):  # overflow and invalid numbers are among what is told of
        parts = parts_of(run, run.chosen_fit)
        start, stop = parts.story
        own, facts = _of_story(
            run if parts.is_whole else excerpt(run, start, stop, parts.places.left_out), is_plot=parts.is_plot
        )
        findings, phases = [] if parts.is_plot else findings_of(own), tuple(own.phases)
        if not parts.is_whole:
            phases = tuple(shifted_phase(phase, parts.places) for phase in phases)
            facts = [shifted(fact, parts.places) for fact in facts]
            findings = [shifted_finding(finding, parts.places) for finding in findings]
        evidence = Evidence(run, phases, parts)
        evidence.story = own
        findings += [] if parts.is_plot else findings_of(evidence, of_fits=True)
        # What a finding makes untrue is not told either where the finding is muted.
        evidence.add([*without_untrue(facts, findings), *_elsewhere(run, parts)])
        evidence.findings = ranked(finding for finding in findings if finding.kind not in run.muted)
        count = len(evidence.found)
        for kind in all_kinds():
            if kind.compute is not None and kind.of_fits:
                evidence.add(kind.compute(evidence))
        found = counted(run, [*evidence.found[count:], *evidence.found[:count]])
    return Analysis(parts, phases, tuple(_by_salience(found)), tuple(counted(run, evidence.findings)))


def _of_story(run: RecordedRun, *, is_plot: bool = False) -> tuple[Evidence, Sequence[Fact]]:
    """Return what is known of a run that is one story, its phases among it, and the facts about it; none of a plot."""
    if is_plot:
        return Evidence(run, (Phase(0, run.evaluations, "plot", "points of a plot"),)), []
    slopes = None if run.history.is_on_manifold else gradient_sizes(run)
    evidence = Evidence(run, ())
    borders = sorted({*optimizer_starts(run), *borders_of(evidence.ways)})
    evidence.phases = phases = tuple(find_phases(run.loss, slopes, run.accepted, borders, is_drawn=evidence.is_drawn))
    if evidence.downhill_share is not None:
        evidence.phases = phases = (Phase(0, run.evaluations, "sampling", "samples"),)
    elif evidence.players is not None or (not evidence.is_drawn and is_by_steps(evidence.ways, evidence.iterates)):
        evidence.phases = tuple(without_noise(phases))
    for kind in all_kinds():
        if kind.compute is not None and not kind.of_fits and (evidence.downhill_share is None or kind.of_samples):
            evidence.add(kind.compute(evidence))
    return evidence, evidence.found


def _elsewhere(run: RecordedRun, parts: Parts) -> list[Fact]:
    """Return the facts of stretches that a reader chose within another fit than the story's, each by itself."""
    start, stop = parts.story
    found: dict[str, Fact] = {}
    for first, last in run.chosen_spans:
        for part in parts.stretches:
            is_within = part.start <= first and last < part.stop
            if is_within and not part.look and not (start <= first and last < stop):
                places = Places(part.start, part.left_out)
                _, facts = _of_story(excerpt(run, part.start, part.stop, places.left_out))
                moved = [shifted(fact, places) for fact in facts]
                found |= {repr(fact): fact for fact in moved if first <= fact.span[0] and fact.span[1] <= last}
    return list(found.values())


def _by_salience(facts: Sequence[Fact]) -> list[Fact]:
    """Put first what would be missed most, and number the facts in that order, also where they cite each other."""
    ranked = sorted(facts, key=lambda fact: -fact.salience)
    ids = {fact.id: f"F{i}" for i, fact in enumerate(ranked, start=1)}
    return [
        replace(fact, id=f"F{i}", cites=tuple(ids.get(cited, cited) for cited in fact.cites))
        for i, fact in enumerate(ranked, start=1)
    ]
