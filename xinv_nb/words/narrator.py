"""The built-in text: plans which facts go where and words them at once, with no model.

A draft is a caption as a list of sentences, each with the facts it words. A model may reword a sentence; the narrator's
own is always there to fall back on.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from xinv_nb.facts.analysis import facts_of, phases_of, story_span
from xinv_nb.facts.counting import noun_of
from xinv_nb.facts.fact import Fact
from xinv_nb.language.bank import Wording
from xinv_nb.language.quantities import sentence_start
from xinv_nb.language.renderer import said
from xinv_nb.recorded.captions import Caption
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.words.chapter_headlines import headline_of_chapter
from xinv_nb.words.chapters import (
    MOST_EVENTS,
    MOST_MOVES,
    choices_of_phase,
    events_in,
    moved_in,
    speed_in,
    watched_in,
    why_or_how,
)
from xinv_nb.words.choosing import Choice, fitting, joined, of_kind, with_one_of
from xinv_nb.words.draft import BUILT_IN, Draft, Sentence, as_caption
from xinv_nb.words.headlines import headline_of
from xinv_nb.words.phrases import Phrase, Phrases

_MOST_TRUTHS = 3
_MOST_LIMITS = 2
"""What limits the result, in the summary: bounds, combinations that are poorly determined, a model that misses data."""
_MOST_ESTIMATES = 4
_LIMITS = ("bound", "identifiability", "estimate", "influence", "residual trend")
_MOST_FINDINGS = 2
"""Findings in the summary, each with what to do about it; the others stay in the list of facts."""
_MOST_WORDS_OF_FINDINGS = 90
"""Words of two findings beyond which the summary tells the gravest alone."""
SUMMARY, WRONG = "Summary", "Summary: what is wrong"
"""Headings of the first caption; the second where the result cannot be used as it is."""
_NOTHING_YET = "No gradient has been recorded yet."
_MAIN = 0.8
"""Salience from which on a fact belongs to the main story."""
_MOST_WORDS = 75
"""Words of a usual summary."""
_MOST_SENTENCES = 5
_MOST_WORDS_OF_PHASE = 110
_BEST = 0.7
"""Salience from which on the lowest loss belongs to the summary."""
_NAMED_MOVES = 0.7
"""Salience from which on the move of a named parameter may be told in the summary."""
_MAIN_MOVES = 2
_MOST_EVENTS_OF_RUN = 6
"""Events told of a run that is one phase, in a caption of their own."""

_HEADINGS = {"not a number": "Breakdown", "not a finite number": "Breakdown", "infinite": "Breakdown"}
"""Headings that are not the phase's label, which the first sentence says."""


def narrate(run: RecordedRun, level: str | None = None) -> tuple[Caption, ...]:
    """Return the built-in explanation of `run`: a summary, and a caption for each phase.

    Parameters
    ----------
    run : RecordedRun
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
        found = of_kind(facts_of(run), "finding")[:_MOST_FINDINGS]
        why = run.notices[:1] or ["Nothing was recorded." if run.missed.is_anything else _NOTHING_YET]
        text = " ".join([fact.text for fact in found] or why)
        cites = tuple(fact.id for fact in found)
        return (Caption(text, (0, 0), cites, BUILT_IN, "built-in text", (), "Nothing recorded"),)
    return tuple(as_caption(draft) for draft in plan(run, level))


def captions_of(run: RecordedRun) -> tuple[Caption, ...]:
    """Return the captions as they stand: those that were written, else the built-in text, and those of stretches."""
    written = run.written_captions
    return (*(narrate(run) if written is None else written), *run.span_captions)


def plan(run: RecordedRun, level: str | None = None) -> list[Draft]:
    """Choose the facts of each caption and their order: what became of the domain first, of the optimizer second.

    `level` is the reader, as in `narrate`.
    """
    drafts = _worded(outline(run, level), _seed(run), explains=level != "expert")
    chapters = [
        replace(d, headline=headline_of_chapter(run, [f for s in d.sentences for f in s.facts])) for d in drafts[1:]
    ]
    return [replace(drafts[0], headline=headline_of(run)), *chapters]


@dataclass(frozen=True)
class Outline:
    """A caption before it is worded: its heading, its span, and a phrase for each of its sentences."""

    heading: str
    span: tuple[int, int]
    phrases: tuple[Phrase, ...]


def outline(run: RecordedRun, level: str | None = None) -> list[Outline]:
    """Return what each caption tells, sentence by sentence, without the choice of words."""
    facts, phases, (first, last) = facts_of(run), phases_of(run), story_span(run)
    bank = Phrases(run, level)
    if not of_kind(facts, "phase"):  # which a finding may make untrue
        phases = phases[:1]
    summary = _summary(facts, len(phases), (first, last), bank)
    is_wrong = any(fact.data["severity"] == "warning" for fact in of_kind(facts, "finding"))
    captions = [Outline(WRONG if is_wrong else SUMMARY, (first, last), tuple(summary))]
    told = [fact for phrase in summary for fact in phrase.facts]
    if len(phases) > 1:
        for phase in phases:
            found = list(choices_of_phase(facts, phase, bank, told, is_last=phase is phases[-1]))
            of_phase = tuple(fitting(found, _MOST_WORDS_OF_PHASE, len(found)))
            heading = _HEADINGS.get(phase.label, sentence_start(phase.label))
            captions.append(Outline(heading, (phase.start, of_phase[0].facts[0].span[1]), of_phase))
        return captions
    moved = joined(bank, moved_in(facts, (first, last)))
    moved += [bank.of(fact) for fact in of_kind(facts, "credit") if fact not in told and moved]
    events = [fact for fact in events_in(facts, first, last, _MOST_EVENTS_OF_RUN) if fact not in told]
    if len(events) <= MOST_EVENTS:
        moved, events = [*moved, *joined(bank, events)], []
    if moved:
        captions.append(Outline("What moved", (first, last), tuple(moved)))
    if events:
        captions.append(Outline("What happened", (first, last), tuple(joined(bank, events))))
    return captions


def plan_span(run: RecordedRun, span: tuple[int, int], level: str | None = None) -> Draft:
    """Choose the facts of a stretch that the reader chose; raises `XinvError` where the run has no such evaluations."""
    run.choose_span(span)
    first, last = int(span[0]), int(span[1])
    bank = Phrases(run, level)
    inside = [fact for fact in facts_of(run) if first <= fact.span[0] and fact.span[1] <= last]
    # A phase may say the same; and stretches that were chosen before may lie within this one.
    of_loss = sorted((f for f in inside if f.kind in ("stretch", "phase", "course")), key=_length, reverse=True)[:1]
    own = of_loss[0].span if of_loss else (first, last)
    of_loss += [f for f in of_kind(inside, "stretch") if f.span[0] > own[1]]  # losses that are no numbers any more
    found = [bank.of(fact) for fact in of_loss]
    found += joined(bank, watched_in(inside, own))
    found += joined(bank, why_or_how(inside, own)[:MOST_MOVES])
    found += joined(bank, events_in(inside, first, last))
    if not found:  # no one course: the border of two fits, or points of a plot
        apart = [f for f in of_kind(facts_of(run), "fits") if f.salience < _MAIN]
        found = [bank.of(f) for f in apart if f.span[0] <= last and first <= f.span[1]]
    heading = f"Selected {noun_of(run)}{'' if first == last else 's'}"
    caption = Outline(heading, (first, last), tuple(found))
    return _worded([caption], _seed(run), explains=level != "expert")[0]


# ---------------------------------------------------------------------- the summary


def _summary(facts: Sequence[Fact], phases: int, span: tuple[int, int], bank: Phrases) -> list[Phrase]:
    """Return the domain first, then the loss and how it ended, what limits the result, and one suggestion.

    A run that broke off says so first.
    """
    choices = list(_choices(facts, phases, span, bank))
    told = {fact.kind: choice.phrase.length for choice in choices for fact in choice.phrase.facts}
    # Why it went there, and what held it at last, are told together.
    room = told["reason"] if {"reason", "balance"} <= set(told) else 0
    return fitting(choices, _MOST_WORDS + room, _MOST_SENTENCES)


def _choices(facts: Sequence[Fact], phases: int, span: tuple[int, int], bank: Phrases) -> Iterator[Choice]:
    """Yield what the summary may tell, in the order in which it would."""
    wrong = [bank.of(f) for f in findings_in(facts, _MOST_FINDINGS)]
    if sum(phrase.length for phrase in wrong) > _MOST_WORDS_OF_FINDINGS:
        wrong = [bank.of(f) for f in findings_in(facts, 1)]
    yield from (Choice(0, phrase) for phrase in wrong)
    yield from (Choice(0, bank.of(f)) for f in of_kind(facts, "fits") if f.salience >= _MAIN)
    yield from (Choice(0, bank.of(f)) for f in of_kind(facts, "sampling"))
    ending = of_kind(facts, "ending")
    broke_off = bool(ending) and ending[0].salience >= 1
    if broke_off:
        yield Choice(0, bank.of(ending[0]))
    own = next(iter(of_kind(facts, "phase")), None) if phases == 1 else None
    yield from (Choice(0, bank.of(f)) for f in of_kind(facts, "players"))
    # The best of noisy values is a lucky one.
    is_noisy = any(f.data["noisy"] for f in of_kind(facts, "phase"))
    held_out = of_kind(facts, "held out")[:1]
    told = {fact.values["quantity"] for fact in held_out}
    watches = [fact for fact in watched_in(facts, span) if fact.values["quantity"] not in told]
    for place, phrase in enumerate(joined(bank, watches)):
        yield Choice(1 if place == 0 else 4, phrase)
    for fact in _lasting(facts, span):
        yield Choice(4, bank.of(fact))
    truths = of_kind(facts, "truth")[:_MOST_TRUTHS]
    if phases > 1 and not truths:
        main = [f for f in moved_in(facts, span) if f.salience >= _NAMED_MOVES and bank.is_named(f)]
        rank = 1 if any(f.kind == "reason" for f in main) else 3
        yield from (Choice(rank, phrase) for phrase in joined(bank, main[:_MAIN_MOVES], "main"))
    yield from _of_the_loss(facts, own, () if broke_off else ending, wrong, bank)
    yield from (Choice(0, bank.of(f)) for f in of_kind(facts, "infeasible start") if f.salience >= _MAIN)
    yield from (Choice(1, bank.of(f)) for f in held_out)
    if not is_noisy and (own is None or own.values["kind"] != "oscillation"):
        yield from (Choice(2 if f.salience >= _BEST else 5, bank.of(f)) for f in of_kind(facts, "best"))
    yield from (Choice(3, bank.of(f)) for f in of_kind(facts, "gap"))
    yield from (Choice(2, phrase) for phrase in joined(bank, truths))
    yield from (Choice(4, bank.of(f)) for f in of_kind(facts, "terms") if f.span == span)
    yield from (Choice(3, bank.of(f)) for f in of_kind(facts, "turns"))
    balance = of_kind(facts, "balance")[:1]
    yield from (Choice(2, bank.of(f)) for f in balance or of_kind(facts, "conflict")[:1])
    yield from (Choice(5, bank.of(f)) for f in of_kind(facts, "credit") if "beyond" not in f.form)
    estimates = [f for f in of_kind(facts, "estimate") if f.data["error"] is not None]
    yield from (Choice(2, phrase) for phrase in joined(bank, estimates[:_MOST_ESTIMATES]))
    limits = [f for f in facts if f.kind in _LIMITS and f.salience >= _MAIN and f not in estimates]
    yield from (Choice(2, bank.of(f)) for f in limits[:_MOST_LIMITS])
    if phases == 1:
        rank = 3 if bank.level == "expert" else 5
        yield from (Choice(rank, bank.of(f)) for f in speed_in(facts, bank))
    doing = ending[0].values.get("doing") if ending else None
    minimum = [f for f in of_kind(facts, "minimum") if f.values["minimum"]]
    # A loss that still changes is not at its minimum; and terms that balance say better why it is level.
    if not is_noisy and not balance and doing not in ("descent", "rise"):
        yield from (Choice(4, bank.of(f)) for f in minimum or of_kind(facts, "gradient"))
    # That it was still falling says that more iterations would lower it.
    is_said = doing in ("descent", "slow descent")
    advice = [f for f in of_kind(facts, "advice") if not (is_said and f.form == "more iterations")]
    yield from (Choice(3, bank.of(f)) for f in advice[:1])


def findings_in(facts: Sequence[Fact], most: int) -> list[Fact]:
    """Return what is wrong, the gravest first, each followed by what to do about it.

    >>> findings_in([], 2)
    []
    """
    found = of_kind(facts, "finding")
    gravest = list(dict.fromkeys(fact.data["id"] for fact in found))[:most]
    return [fact for id_ in gravest for fact in found if fact.data["id"] == id_]


def _of_the_loss(
    facts: Sequence[Fact], own: Fact | None, ending: Sequence[Fact], wrong: Sequence[Phrase], bank: Phrases
) -> Iterator[Choice]:
    """Yield what became of the loss, unless what is wrong says so, and how the run ended; in one sentence if it can."""
    told = [fact for fact in ending if fact.values.get("doing") != "broken"]  # that is said with the loss
    course = of_kind(facts, "course")
    # Where the loss only goes up and down, its first and last values say little.
    is_fall = own is not None and own.form.startswith("swung down")
    if own is not None and own.values["kind"] not in ("descent", "slow descent", "rise") and not is_fall:
        course = [own]
    is_said = bool(told) and any(_says_the_change(phrase, fact) for phrase in wrong for fact in course)
    for fact in course if not is_said else ():
        if fact.values.get("change") == 0 and not any("message" in f.values for f in told):
            told = []  # of a loss that stayed as it was, it is no news that it hardly changed any more
        phrase = with_one_of(bank, fact, told)
        yield Choice(0, phrase)
        if len(phrase.facts) > 1:
            return
    yield from (Choice(0 if is_said else 1, bank.of(fact)) for fact in told)


def _says_the_change(phrase: Phrase, fact: Fact) -> bool:
    """Whether a finding tells from where to where the loss went, as a fact does."""
    if not {"start", "end"} <= set(fact.slots):
        return False
    return f"from {said('start', fact.slots)} to {said('end', fact.slots)}" in phrase.facts[0].text


def _lasting(facts: Sequence[Fact], span: tuple[int, int]) -> list[Fact]:
    """Return the event that began during the run and happened to its end, if there is one such event."""
    events = [f for f in of_kind(facts, "event") if f.values["first"] > span[0] and f.values["last"] == span[1]]
    return events if len(events) == 1 and events[0].values["count"] > 1 else []


def _length(fact: Fact) -> int:
    return fact.span[1] - fact.span[0]


# ---------------------------------------------------------------------- the choice of words


def _seed(run: RecordedRun) -> int:
    """Return a number that is the same whenever the run is, and stays while it grows."""
    first = run.loss[:1].tobytes()
    names = "\n".join([run.name, *(leaf.name for leaf in run.history.leaves)])
    return zlib.crc32(names.encode(errors="surrogatepass") + first)


def _worded(captions: Sequence[Outline], seed: int, *, explains: bool) -> list[Draft]:
    """Choose the wording of each phrase, none twice where the bank has another; explain a term where it comes up first.

    The summary, which changes as long as a run grows, chooses last, so that the captions of phases stay as they are.
    """
    used: Counter[str] = Counter()
    chosen: dict[int, list[Wording]] = {}
    for k in [*range(1, len(captions)), 0]:
        chosen[k] = []
        for phrase in captions[k].phrases:
            wordings = phrase.wordings
            shift = zlib.crc32(f"{seed} {captions[k].span[0]} {phrase.variety}".encode()) % len(wordings)
            wording = min([*wordings[shift:], *wordings[:shift]], key=lambda w: used[w.template])
            used[wording.template] += 1
            chosen[k].append(wording)
    told: set[str] | None = set() if explains else None
    return [
        Draft(
            caption.heading,
            caption.span,
            tuple(
                Sentence(phrase.text(wording, told=told), phrase.facts)
                for phrase, wording in zip(caption.phrases, chosen[k], strict=True)
            ),
        )
        for k, caption in enumerate(captions)
    ]
