"""The built-in text: plans which facts go where and words them at once, with no model.

A draft is a caption as a list of sentences, each with the facts it words. A model may reword a sentence; the narrator's
own is always there to fall back on.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from xinv_nb.facts.analysis import facts_of, phases_of, story_span
from xinv_nb.facts.counting import noun_of
from xinv_nb.facts.fact import Fact
from xinv_nb.language.bank import Wording
from xinv_nb.language.quantities import sentence_start
from xinv_nb.recorded.captions import Caption
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.words.chapter_headlines import headline_of_chapter
from xinv_nb.words.chapters import (
    MOST_EVENTS,
    MOST_MOVES,
    choices_of_phase,
    events_in,
    moved_in,
    watched_in,
    why_or_how,
)
from xinv_nb.words.choosing import fitting, joined, of_kind
from xinv_nb.words.draft import BUILT_IN, Draft, Sentence, as_caption
from xinv_nb.words.glossary import explained, glossary_of
from xinv_nb.words.headlines import headline_of
from xinv_nb.words.phrases import Phrase, Phrases
from xinv_nb.words.summary import summary

SUMMARY, WRONG = "Summary", "Summary: what is wrong"
"""Headings of the first caption; the second where the result cannot be used as it is."""
_NOTHING_YET = "No gradient has been recorded yet."
_MAIN = 0.8
"""Salience from which on a fact belongs to the main story."""
_MOST_FINDINGS = 2
_MOST_WORDS_OF_PHASE = 110
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
    drafts = _worded(run, outline(run, level), explains=level != "expert")
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
    whole = summary(run, facts, len(phases), (first, last), bank)
    is_wrong = any(fact.data["severity"] == "warning" for fact in of_kind(facts, "finding"))
    captions = [Outline(WRONG if is_wrong else SUMMARY, (first, last), tuple(whole))]
    told = [fact for phrase in whole for fact in phrase.facts]
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
    return _worded(run, [caption], explains=level != "expert")[0]


def _length(fact: Fact) -> int:
    return fact.span[1] - fact.span[0]


# ---------------------------------------------------------------------- the choice of words


def _seed(run: RecordedRun) -> int:
    """Return a number that is the same whenever the run is, and stays while it grows."""
    first = run.loss[:1].tobytes()
    names = "\n".join([run.name, *(leaf.name for leaf in run.history.leaves)])
    return zlib.crc32(names.encode(errors="surrogatepass") + first)


def _worded(run: RecordedRun, captions: Sequence[Outline], *, explains: bool) -> list[Draft]:
    """Choose the wording of each phrase, none twice where the bank has another; explain a term where it comes up first.

    The summary, which changes as long as a run grows, chooses last, so that the captions of phases stay as they are.
    """
    used: Counter[str] = Counter()
    seed, glossary, defined = _seed(run), glossary_of(run) if explains else {}, set[str]()
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
                Sentence(explained(phrase.text(wording, told=told), glossary, defined), phrase.facts)
                for phrase, wording in zip(caption.phrases, chosen[k], strict=True)
            ),
        )
        for k, caption in enumerate(captions)
    ]
