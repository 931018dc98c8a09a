"""Answers questions about what is wrong with a run: from its findings, or that nothing was found."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from xinv_nb.facts.analysis import facts_of, story_span
from xinv_nb.facts.diagnosis.asking import WRONG_GRADIENT
from xinv_nb.facts.diagnosis.kinds import all_finding_kinds
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kinds.finding import KIND
from xinv_nb.language.slots import Said, Slot
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.words.names import mentioned_in, subjects_of
from xinv_nb.words.summary import findings_in

_MOST = 2
_WRONG = re.compile(
    r"\b(?:(?:what|anything|something|everything|is (?:it|this|that)|go|goes|went|going) (?:\w+ )?wrong|what'?s wrong|"
    r"trust|rely|reliable|trouble|diagnos\w*|mistake|bug|any problems?|(?:is|was|are|were) there an? (?:problem|error)|"
    r"problems? (?:with|in|here)|did (?:it|this|the \w+) (?:fail|break|work|go well)|(?:what|why \w+ \w+) fail(?:ed)?|"
    r"is (?:it|this|everything|all) (?:ok|okay|fine|all ?right|sound|healthy))\b"
)
"""Words by which a reader asks whether anything is wrong."""
_NEXT = re.compile(
    r"\b(?:what (?:next|now|to do)|do next|try next|(?:should|can|could|do) (?:i|we) (?:do|try|change|fix|improve)|"
    r"fix (?:it|this)|repair|advice|advise|suggest|recommend)"
)
"""Words by which a reader asks what to do."""
_NOT_FINITE = "not-finite"
_GENERAL = ("course", "gradient")
"""Facts that do not answer whether something is wrong, though they were about its words."""
_ELSEWHERE = re.compile(
    r"\b(?:another start|other starts?|best possible|global(?:ly)?|local (?:minim(?:a|um)|optim(?:a|um))"
    r"|(?:other|another|several|how many|different) (?:different )?(?:minim(?:a|um)|optim(?:a|um))"
    r"|starts agree|depends? on (?:the|its) start\w*)\b"
)
"""Words by which a reader asks what other starts would give."""
_OF_ONE_START = ("sampling", "players", "fits")
"""Facts of runs that are no single descent: where another start ends is another question there."""


def about_troubles(run: RecordedRun, question: str, span: tuple[int, int] | None) -> list[Fact]:
    """Return what is wrong, each with what to do, as far as a question asks for it; that of its own kind first.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     run.add(float("nan"), 1.0, gradients=1.0)
    >>> [fact.form for fact in about_troubles(run, "Where does the NaN come from?", None)]
    ['what', 'what to do']
    """
    asked = " ".join(question.lower().split())
    facts = findings_in(facts_of(run), len(facts_of(run)))
    facts = [fact for fact in facts if _is_within(fact, span)]
    facts = _about_what_is_named(run, facts, question)
    kinds = _kinds_asked_for(asked)
    if of_kinds := [fact for fact in facts if fact.data["finding"] in kinds]:
        return findings_in(of_kinds, 1)
    if _WRONG.search(asked) or _NEXT.search(asked):
        return findings_in(facts, _MOST)
    return []


def nothing_found(
    run: RecordedRun, question: str, span: tuple[int, int] | None, known: Sequence[Fact]
) -> Sequence[Fact]:
    """Return that nothing was found to be wrong, where a question asks for that; else what is `known` to answer it.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for x in (2.0, 1.0, 0.0):
    ...         run.add(x**2, x, gradients=2 * x)
    >>> nothing_found(run, "Is anything wrong?", None, ())[0].text
    'Nothing wrong was found, of what a recording can show.'
    """
    asked = " ".join(question.lower().split())
    facts = facts_of(run)
    is_whole = span is None and not mentioned_in(question, subjects_of(run))
    is_of_one_start = not any(fact.kind in _OF_ONE_START for fact in facts)
    if not run.evaluations or not facts or run.status == "running":
        return known
    if is_of_one_start and _ELSEWHERE.search(asked) and not any(fact.kind == KIND.name for fact in known):
        return [_fact(run, "other starts"), *_speaking_for(facts)]
    if run.status != "finished" or any(fact.kind == KIND.name for fact in facts):
        return known
    if re.search(WRONG_GRADIENT, asked) and run.has_gradients:
        return [_fact(run, "gradient unchecked")]
    if not (is_whole and _WRONG.search(asked)):
        return _all_finite(run, asked, known)
    found = [_fact(run, "none, but for the muted" if run.muted else "none", run.muted)]
    found += [*[fact for fact in facts if fact.kind == "truth"][:1], *_speaking_for(facts)]
    return [*found, _fact(run, "other starts")] if is_of_one_start else found


def _speaking_for(facts: Sequence[Fact]) -> list[Fact]:
    """Return what speaks for the result: that the run ended at a minimum, or else how it ended."""
    level = [fact for fact in facts if fact.kind == "minimum" and fact.values["minimum"]]
    return (level or [fact for fact in facts if fact.kind == "ending"])[:1]


def _all_finite(run: RecordedRun, asked: str, known: Sequence[Fact]) -> Sequence[Fact]:
    """Return that every number is finite, where a question takes it that one is not and nothing else bears on it.

    Of other kinds it is not said that they are not there: what a reader saw may be so without being a finding.
    """
    if _kinds_asked_for(asked) != {_NOT_FINITE} or any(fact.kind not in _GENERAL for fact in known):
        return known
    numbers = (run.loss, run.history.gradients.array)
    return [_fact(run, "all finite"), *known[:1]] if all(np.isfinite(each).all() for each in numbers) else known


def _fact(run: RecordedRun, form: str, muted: Sequence[str] = ()) -> Fact:
    slots: dict[str, Slot] = {"muted": Said(", ".join(muted))} if muted else {}
    return KIND.fact(form, story_span(run), 0.0, slots)


def _kinds_asked_for(asked: str) -> set[str]:
    return {kind.name for kind in all_finding_kinds() if kind.asked_with and re.search(kind.asked_with, asked)}


def _is_within(fact: Fact, span: tuple[int, int] | None) -> bool:
    return span is None or (fact.span[0] <= span[1] and span[0] <= fact.span[1])


def _about_what_is_named(run: RecordedRun, facts: list[Fact], question: str) -> list[Fact]:
    """Leave out what is wrong with other parameters or quantities than those that a question names."""
    subjects = subjects_of(run)
    named = {subjects[name] for name in mentioned_in(question, subjects)}
    if not named:
        return facts
    about = {fact.data["id"]: set[str]() for fact in facts}
    for fact in facts:
        about[fact.data["id"]] |= {subjects[name] for name in mentioned_in(fact.text, subjects)}
    return [fact for fact in facts if not about[fact.data["id"]] or about[fact.data["id"]] & named]
