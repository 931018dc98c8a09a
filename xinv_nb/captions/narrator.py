"""The built-in text: plans which facts go where and words them at once, with no model.

A draft is a caption as a list of sentences, each with the facts it words. A model may reword a sentence; the narrator's
own is always there to fall back on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xinv_nb.captions.draft import BUILT_IN, Draft, Sentence, as_caption
from xinv_nb.quantities import sentence_start
from xinv_nb.run import Caption, Fact, Phase, Run

_MOST_WATCHED = 3
_MOST_TRUTHS = 3
_MOST_LIMITS = 2
"""Bounds that hold a parameter, and combinations that are poorly determined, in the summary."""
_MAIN = 0.8
"""Salience from which on a fact belongs to the main story."""
_MOST_MOVES = 3
_MOST_EVENTS = 3
_MOST_EVENTS_OF_RUN = 6
"""Events told of a run that is one phase, in a caption of their own."""

_HEADINGS = {"not a number": "Breakdown", "not a finite number": "Breakdown", "infinite": "Breakdown"}
"""Headings that are not the phase's label, which the first sentence says."""


def narrate(run: Run, level: str | None = None) -> tuple[Caption, ...]:
    """Return the built-in explanation of `run`: a summary, and a caption for each phase.

    Parameters
    ----------
    run : Run
        The recording.
    level : str, optional
        The reader: `"student"`, who is meant where None, or `"expert"`.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     pass
    >>> narrate(run)[0].heading
    'Nothing recorded'
    """
    if run.evaluations == 0:
        text = run.notices[0] if run.notices else "No gradient has been recorded yet."
        return (Caption(text, (0, 0), (), BUILT_IN, "built-in text", (), "Nothing recorded"),)
    return tuple(as_caption(draft) for draft in plan(run, level))


def plan(run: Run, level: str | None = None) -> list[Draft]:
    """Choose the facts of each caption and their order: what became of the domain first, of the optimizer second.

    `level` is the reader, as in `narrate`.
    """
    del level  # both readers are told the same as yet
    facts, phases, last = run.facts, run.phases, run.evaluations - 1
    drafts = [Draft("Summary", (0, last), _sentences(_summary(facts, len(phases), last)))]
    if len(phases) > 1:
        for phase in phases:
            of_phase = tuple(_of_phase(facts, phase, is_last=phase is phases[-1]))
            heading = _HEADINGS.get(phase.label, sentence_start(phase.label))
            drafts.append(Draft(heading, (phase.start, of_phase[0].span[1]), _sentences(of_phase)))
        return drafts
    moved, events = _moves(facts, (0, last)), _events(facts, 0, last, _MOST_EVENTS_OF_RUN)
    if len(events) <= _MOST_EVENTS:
        moved, events = [*moved, *events], []
    if moved:
        drafts.append(Draft("What moved", (0, last), _sentences(moved)))
    if events:
        drafts.append(Draft("What happened", (0, last), _sentences(events)))
    return drafts


def plan_span(run: Run, span: tuple[int, int], level: str | None = None) -> Draft:
    """Choose the facts of a stretch that the reader chose; raises `XinvError` where the run has no such evaluations."""
    del level
    run.choose_span(span)
    first, last = int(span[0]), int(span[1])
    inside = [fact for fact in run.facts if first <= fact.span[0] and fact.span[1] <= last]
    of_loss = _of_kind(inside, "stretch") or [f for f in inside if f.kind in ("phase", "course")][:1]
    own = of_loss[0].span if of_loss else (first, last)
    moved = [fact for fact in _of_kind(inside, "movement") if fact.span == own][:_MOST_MOVES]
    found = [*of_loss, *_watches(inside, own), *moved, *_events(inside, first, last)]
    heading = f"Iteration {first}" if first == last else f"Iterations {first}–{last}"
    return Draft(heading, (first, last), _sentences(found))


def _summary(facts: Sequence[Fact], phases: int, last: int) -> Iterator[Fact]:
    """Yield the domain first, then the loss, how it ended, and one suggestion; a run that broke off says so first."""
    ending = _of_kind(facts, "ending")
    broke_off = bool(ending) and ending[0].salience >= 1
    if broke_off:
        yield from ending
    yield from _watches(facts, (0, last))
    # Where the loss only goes up and down, its first and last values say little.
    own = next(iter(_of_kind(facts, "phase")), None) if phases == 1 else None
    if own is None or own.values["kind"] in ("descent", "slow descent", "rise"):
        yield from _of_kind(facts, "course")
    if own is not None:
        yield own
    # The best of noisy values is a lucky one.
    is_noisy = any(f.values["label"].startswith("noisy") for f in _of_kind(facts, "phase"))
    if not is_noisy and (own is None or own.values["kind"] != "oscillation"):
        yield from _of_kind(facts, "best")
    yield from _of_kind(facts, "gap")
    yield from [f for f in _of_kind(facts, "terms") if f.span == (0, last)]
    balance = _of_kind(facts, "balance")[:1]
    yield from balance or _of_kind(facts, "conflict")[:1]
    yield from _of_kind(facts, "credit")
    yield from _of_kind(facts, "truth")[:_MOST_TRUTHS]
    yield from [f for f in facts if f.kind in ("bound", "identifiability") and f.salience >= _MAIN][:_MOST_LIMITS]
    if phases == 1:
        yield from _of_kind(facts, "convergence")
    doing = ending[0].values.get("doing") if ending else None
    if not broke_off and doing != "broken":  # that is said with the loss
        yield from ending
    minimum = [f for f in _of_kind(facts, "minimum") if f.values["minimum"]]
    # A loss that still changes is not at its minimum; and terms that balance say better why it is level.
    if not is_noisy and not balance and doing not in ("descent", "rise"):
        yield from minimum or _of_kind(facts, "gradient")
    yield from _of_kind(facts, "advice")[:1]


def _of_phase(facts: Sequence[Fact], phase: Phase, *, is_last: bool) -> Iterator[Fact]:
    """Yield the phase's own fact, then what happened in it."""
    own = next(f for f in _of_kind(facts, "phase") if f.span[0] == phase.start)
    yield own
    if is_last:
        yield from _of_kind(facts, "convergence")
    yield from (f for f in _of_kind(facts, "movement") if f.span == own.span)
    yield from _watches(facts, own.span)
    yield from _events(facts, phase.start, phase.stop - 1)


def _watches(facts: Sequence[Fact], span: tuple[int, int]) -> list[Fact]:
    return [f for f in _of_kind(facts, "watch") if f.span == span and not f.values["is_loss"]][:_MOST_WATCHED]


def _moves(facts: Sequence[Fact], span: tuple[int, int]) -> list[Fact]:
    """Return the facts of parameters that moved over the whole run; if none did, of the first that stayed."""
    turns = {f.values["parameter"]: f for f in _of_kind(facts, "turning") if "parameter" in f.values}
    whole = [turns.get(f.values.get("parameter"), f) for f in _of_kind(facts, "movement") if f.span == span]
    return ([f for f in whole if f.values.get("how") not in ("stayed", "returned")] or whole[:1])[:_MOST_MOVES]


def _events(facts: Sequence[Fact], start: int, stop: int, most: int = _MOST_EVENTS) -> list[Fact]:
    """Return the facts of events between two evaluations, the most frequent of them, in the order of time.

    Of events that happened equally often, as many as fit are taken evenly from first to last: a run is told to its end.
    """
    found = [f for f in _of_kind(facts, "event") if start <= f.values["at"] <= stop]
    if len(found) > most:
        count = found[most - 1].values["count"]
        often = [f for f in found if f.values["count"] > count]
        equal = sorted((f for f in found if f.values["count"] == count), key=lambda f: int(f.values["at"]))
        left = most - len(often)
        places = [round(i * (len(equal) - 1) / max(left - 1, 1)) for i in range(left)]
        found = [*often, *(equal[place] for place in places)]
    return sorted(found, key=lambda f: int(f.values["at"]))


def _of_kind(facts: Sequence[Fact], kind: str) -> list[Fact]:
    return [fact for fact in facts if fact.kind == kind]


def _sentences(facts: Iterator[Fact] | Sequence[Fact]) -> tuple[Sentence, ...]:
    return tuple(Sentence(fact.text, (fact,)) for fact in facts)
