"""The built-in text: plans which facts go where and words them at once, with no model.

A draft is a caption as a list of sentences, each with the facts it words. A model may reword a sentence; the narrator's
own is always there to fall back on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xinv_nb.run import Caption, Claim, Fact, Phase, Run

BUILT_IN = "built-in"

_MOST_WATCHED = 3


@dataclass(frozen=True)
class Sentence:
    """One sentence and the fact that it words."""

    text: str
    fact: Fact
    source: str = BUILT_IN
    dropped: str = ""
    """Why a model's wording of this sentence was not used; empty if none was tried or it was used."""


@dataclass(frozen=True)
class Draft:
    """A caption before it is shown: a heading, the span it covers, and its sentences."""

    heading: str
    span: tuple[int, int]
    sentences: tuple[Sentence, ...]


def narrate(run: Run) -> tuple[Caption, ...]:
    """Return the built-in explanation of `run`: a summary, and a caption for each phase.

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
    return tuple(as_caption(draft) for draft in plan(run))


def plan(run: Run) -> list[Draft]:
    """Choose the facts of each caption and their order: what became of the domain first, of the optimizer second."""
    facts, phases, last = run.facts, run.phases, run.evaluations - 1
    drafts = [Draft("Summary", (0, last), _sentences(_summary(facts, last)))]
    if len(phases) > 1:
        labels = [phase.label for phase in phases]
        for phase in phases:
            span = (phase.start, phase.stop - 1)
            heading = phase.label[:1].upper() + phase.label[1:]
            if labels.count(phase.label) > 1:
                heading += f" from iteration {phase.start}"
            drafts.append(Draft(heading, span, _sentences(_of_phase(facts, phase, last))))
    elif moved := [f for f in facts if f.kind in ("movement", "event")]:
        drafts.append(Draft("What moved", (0, last), _sentences(moved)))
    return drafts


def _summary(facts: Sequence[Fact], last: int) -> Iterator[Fact]:
    whole = (0, last)
    yield from _of_kind(facts, "ending")
    yield from _of_kind(facts, "course")
    yield from _of_kind([f for f in facts if f.span == whole], "watch")[:_MOST_WATCHED]
    for kind in ("best", "credit", "truth", "gradient"):
        yield from _of_kind(facts, kind)


def _of_phase(facts: Sequence[Fact], phase: Phase, last: int) -> Iterator[Fact]:
    to = min(phase.stop, last)
    yield from (f for f in _of_kind(facts, "phase") if f.span[0] == phase.start)
    spans = [f for f in facts if f.span == (phase.start, to)]
    yield from _of_kind(spans, "movement")
    yield from _of_kind(spans, "watch")[:_MOST_WATCHED]
    for fact in _of_kind(facts, "event"):
        when = fact.values["last"] if fact.values["first"] == 0 else fact.values["first"]
        if phase.start <= when < phase.stop:
            yield fact


def _of_kind(facts: Sequence[Fact], kind: str) -> list[Fact]:
    return [fact for fact in facts if fact.kind == kind]


def _sentences(facts: Iterator[Fact] | Sequence[Fact]) -> tuple[Sentence, ...]:
    return tuple(Sentence(fact.text, fact) for fact in facts)


def as_caption(draft: Draft) -> Caption:
    """Return the caption that a draft makes, with who wrote it and what was checked."""
    written = sum(sentence.source != BUILT_IN for sentence in draft.sentences)
    dropped = [sentence for sentence in draft.sentences if sentence.dropped]
    source = next((s.source for s in draft.sentences if s.source != BUILT_IN), BUILT_IN)
    cites = dict.fromkeys(i for s in draft.sentences for i in (s.fact.id, *s.fact.cites))
    claims = tuple(Claim(s.text, True, f"worded from {s.fact.id}") for s in draft.sentences)
    text = " ".join(sentence.text for sentence in draft.sentences)
    return Caption(text, draft.span, tuple(cites), source, _status(written, len(dropped)), claims, draft.heading)


def _status(written: int, dropped: int) -> str:
    if not written and not dropped:
        return "built-in text"
    if not written:
        return "built-in text · the model's wording was dropped: it did not match the recording"
    status = f"checked · {written} sentence{'s' if written > 1 else ''} worded by the model"
    return status + (f", {dropped} dropped: not matching the recording" if dropped else "")
