"""Every sentence of the bank, over all traces and example runs: true, made of its facts' numbers, varied."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator

import autograd.numpy as np
import pytest
from autograd import grad

import xinv_nb as xi
from tests.example_runs import EXAMPLES, from_losses
from tests.traces import courses, parameters
from tests.traces.library import TRACES
from xinv_nb.claims.claims import check, domain_of
from xinv_nb.claims.interpretation import read
from xinv_nb.claims.numerals import numbers_in
from xinv_nb.claims.reading import sentences
from xinv_nb.claims.sameness import _Said
from xinv_nb.facts.fact import Fact
from xinv_nb.language.bank import bank_of
from xinv_nb.run import Run
from xinv_nb.words.narrator import narrate, outline, plan
from xinv_nb.words.phrases import LEVELS, Phrase, Phrases


def below_zero(method: str) -> Run:
    """A run whose losses are below zero, so that no share of the first one is told."""
    start, problem = np.array([-1.2, 1.0]), lambda x: courses.rosenbrock(x) - 50.0
    if method == "BFGS":
        return courses.solve(problem, start, method)
    return courses.descend(lambda x: np.sum(x**2) - 50.0, start, 0.02, 12)


def identified() -> Run:
    """A run of which second derivatives tell that two parameters cannot be told apart."""
    run = courses.descend(lambda p: (p[0] * p[1] - 3.0) ** 2 + (p[2] - 1.0) ** 2, np.array([1.0, 2.0, 2.0]), 0.05, 80)
    run.identify(lambda p: (p[0] * p[1] - 3.0) ** 2 + (p[2] - 1.0) ** 2)
    return run


def held_all_along() -> Run:
    """A parameter that begins and ends at its bound."""
    depth = xi.Problem("well", parameters={"x[0]": xi.Parameter("depth", "m", bounds=(0.0, 9.0)), "x": xi.Parameter()})
    with xi.record(problem=depth) as run:
        x = np.array([0.0, 4.0])
        for _ in range(30):
            x = x - 0.1 * grad(lambda x: (x[0] + 1.0) ** 2 + (x[1] - 1.0) ** 2)(x)
            x = np.array([max(x[0], 0.0), x[1]])
    return run


MORE = {
    "below zero, still falling": functools.partial(below_zero, "descent"),
    "below zero, stopped": functools.partial(below_zero, "BFGS"),
    "identified": identified,
    "held all along": held_all_along,
    "broken past its best": lambda: from_losses([5.0, 1.0, 3.0, 9.0, np.nan, np.nan]),
}
"""Runs for entries of the bank that no other run needs."""
RUNS = {
    **{f"example {name}": make for name, make in EXAMPLES.items()},
    **{f"trace {name}": trace.make for name, trace in TRACES.items()},
    **{f"parameters {name}": trace.make for name, trace in parameters.TRACES.items()},
    **{name: functools.cache(make) for name, make in MORE.items()},
}
every_run = pytest.mark.parametrize("make", RUNS.values(), ids=RUNS)
both_levels = pytest.mark.parametrize("level", LEVELS)


def phrases_of(run: Run, level: str) -> list[Phrase]:
    """All that may be worded: what the captions tell, and each fact alone."""
    bank = Phrases(run, level)
    return [phrase for caption in outline(run, level) for phrase in caption.phrases] + [bank.of(f) for f in run.facts]


def texts_of(phrase: Phrase) -> Iterator[str]:
    """Each wording, with and without what a student is told of its terms."""
    for wording in phrase.wordings:
        yield phrase.text(wording)
        yield phrase.text(wording, told=set())


def unread(run: Run, text: str) -> list[str]:
    """The words of a text that the checker does not understand."""
    before, found = (), []
    for _, chunks in sentences(text, domain_of(run)):
        reading = read(chunks, before)
        before = reading.subjects
        found += [chunk.words for chunk in reading.unread]
    return found


def values_of(value: object) -> Iterator[float]:
    """All numbers within the values of a fact, also those that are said as percentages or counted from 0."""
    if isinstance(value, bool):
        return
    if isinstance(value, (int, float, np.number)):
        yield float(value)
        yield abs(float(value))
    elif isinstance(value, dict):
        for part in value.values():
            yield from values_of(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from values_of(part)


def is_number_of(number: float, facts: tuple[Fact, ...]) -> bool:
    said = {abs(n) for fact in facts for n in numbers_in(fact.text)}
    known = np.array([v for fact in facts for v in (*values_of(fact.values), *fact.span)])
    return abs(number) in said or bool(np.any(np.abs(known - abs(number)) <= 0.005 * abs(number)))


def directions(run: Run, text: str) -> set[str]:
    ways = {"higher": "up", "lower": "down", "up": "up", "down": "down"}
    chunks = [chunk for _, found in sentences(text, domain_of(run)) for chunk in found]
    return {ways[c.value] for c in chunks if c.kind in ("move", "than", "way") and c.value in ways}


@every_run
@both_levels
def test_every_wording_is_supported_by_the_recording(make, level: str) -> None:
    run = make()
    texts = dict.fromkeys(text for phrase in phrases_of(run, level) for text in texts_of(phrase))
    wrong = [(text, c.supported, c.reason) for text in texts for c in check(run, text) if c.supported is not True]
    assert wrong == []


@every_run
@both_levels
def test_every_wording_says_what_its_facts_say_and_no_more(make, level: str) -> None:
    run = make()
    for phrase in phrases_of(run, level):
        own = " ".join(fact.text for fact in phrase.facts)
        readable = not unread(run, own)
        for text in texts_of(phrase):
            for number in numbers_in(text):
                assert is_number_of(number, phrase.facts), text
            assert directions(run, text) <= directions(run, own), text
            if readable:
                assert unread(run, text) == [], text
                said, known = _Said(text, domain_of(run)), _Said(own, domain_of(run))
                assert set(said.claims) <= set(known.claims), (text, set(said.claims) - set(known.claims))


@every_run
@both_levels
def test_the_text_is_varied_and_the_same_each_time(make, level: str) -> None:
    run = make()
    drafts, captions = plan(run, level), outline(run, level)
    assert plan(run, level) == drafts
    assert [caption.text for caption in narrate(run, level)] == [
        " ".join(sentence.text for sentence in draft.sentences) for draft in drafts
    ]
    used: Counter[str] = Counter()
    others: dict[str, set[str]] = {}
    for draft, caption in zip(drafts, captions, strict=True):
        for sentence, phrase in zip(draft.sentences, caption.phrases, strict=True):
            assert sentence.facts == phrase.facts
            fits = [w for w in phrase.wordings if sentence.text in (phrase.text(w), *glossed(phrase, w))]
            assert fits, sentence.text
            used[fits[0].template] += 1
            others.setdefault(fits[0].template, set()).update(w.template for w in phrase.wordings)
    for template, count in used.items():
        if count > 1 and template != "{own}":
            assert all(used[other] >= count - 1 for other in others[template]), template


def glossed(phrase: Phrase, wording) -> list[str]:
    """A wording with any of its terms explained."""
    terms = [name for name in bank_of().glosses if f"<{name}>" in wording.template]
    return [phrase.text(wording, told=set(terms) - {name}) for name in terms] + [phrase.text(wording, told=set())]


@every_run
def test_a_student_is_told_of_a_term_once_and_an_expert_never(make) -> None:
    run = make()
    for gloss in bank_of().glosses.values():
        assert " ".join(c.text for c in narrate(run, "student")).count(gloss) <= 1
        assert gloss not in " ".join(c.text for c in narrate(run, "expert"))


@every_run
@both_levels
def test_a_summary_is_short(make, level: str) -> None:
    run = make()
    told = plan(run, level)[0].sentences
    usual = [s.text for s in told if s.facts[0].kind not in ("finding", "result", "progress", "reason")]
    assert len(" ".join(usual).split()) <= 85, usual
    assert len(told) <= 9


def test_most_of_what_the_captions_tell_is_in_the_bank() -> None:
    told = [
        (phrase.facts[0].kind, phrase.wordings[0].template == "{own}")
        for make in RUNS.values()
        for level in LEVELS
        for caption in outline(make(), level)
        for phrase in caption.phrases
    ]
    alone = Counter(kind for kind, own in told if own)
    assert sum(alone.values()) < 0.12 * len(told), alone


def test_every_wording_of_a_form_that_a_run_has_is_used() -> None:
    phrases = [phrase for make in RUNS.values() for level in LEVELS for phrase in phrases_of(make(), level)]
    used = {wording.template for phrase in phrases for wording in phrase.wordings}
    had = {(fact.wordings or fact.kind, fact.form) for phrase in phrases for fact in phrase.facts}
    entries = [entry for found in bank_of().entries.values() for entry in found if len(entry.kinds) == 1]
    unused = [
        wording.template
        for entry in entries
        for wording in entry.wordings
        if (entry.kinds[0], entry.forms[0]) in had and wording.template not in used
    ]
    assert unused == []
