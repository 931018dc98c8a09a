"""What a reader meets first: the headline, what happened in the simulation along the track, and questions to ask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xinv_nb.facts.analysis import facts_of, story_span
from xinv_nb.facts.fact import Fact
from xinv_nb.language.slots import Said
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.view import protocol
from xinv_nb.view.marks import marked, names_to_mark
from xinv_nb.words.headlines import OF_A_FINDING, headline_beneath, headline_fact

_MOST_MARKS = 24
_MOST_SUGGESTIONS = 4


def add_first_sight(header: protocol.Header, run: RecordedRun) -> None:
    """Add to a header with captions what the reader of a run meets first; what captions tell of comes before the rest.

    >>> header: protocol.Header = {"captions": []}
    >>> add_first_sight(header, RecordedRun())
    >>> header["headline"], header["suggestions"]
    (None, [])
    """
    cites = {cited for caption in header["captions"] for cited in caption["cites"]}
    header["headline"], header["marks"], header["suggestions"] = headline(run), _marks(run, cites), suggestions(run)


def headline(run: RecordedRun) -> protocol.Headline | None:
    """Return what a run comes to; None where nothing is recorded.

    >>> headline(RecordedRun())
    """
    fact = headline_fact(run)
    if fact is None:
        return None
    return {
        "text": fact.text,
        "beneath": marked(headline_beneath(run), names_to_mark(run)),
        "span": story_span(run),
        "cites": fact.cites,
        "wrong": fact.wordings == OF_A_FINDING,
    }


def _marks(run: RecordedRun, cited: set[str]) -> list[protocol.Mark]:
    """Return what began or ended in the simulation, in its own words where it has them."""
    if run.evaluations == 0:
        return []
    first, last = story_span(run)
    found: list[protocol.Mark] = [
        {"iteration": at, "text": text, "cited": fact.id in cited or bool(cited.intersection(fact.cites))}
        for fact in facts_of(run)
        if fact.kind == "event" and "trials only" not in fact.data
        for at, text in [_told(fact, last)]
        if first < at <= last
    ]
    found.sort(key=lambda mark: not mark["cited"])
    return sorted(found[:_MOST_MARKS], key=lambda mark: mark["iteration"])


def _told(fact: Fact, last: int) -> tuple[int, str]:
    """Return where an event is marked, and its words: an end, where it is no more so."""
    slot = fact.slots["said"]
    said, at = slot.text if isinstance(slot, Said) else "", int(fact.values["at"])
    if fact.form.startswith("ended, in its own words"):
        return min(at + 1, last), said
    return at, f"last: {said}" if fact.form.startswith("ended") else said


def suggestions(run: RecordedRun) -> list[str]:
    """Return questions that the recording answers, those about turns and reasons first.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for x in (4.0, 2.0, 1.0):
    ...         run.add(x**2, x, 2 * x)
    >>> suggestions(run)[-1]
    'Why did it stop?'
    """
    if run.evaluations < 2 or run.status == "running":
        return []
    return list(dict.fromkeys(_questions(run)))[:_MOST_SUGGESTIONS]


def _questions(run: RecordedRun) -> Iterator[str]:
    facts, labels = facts_of(run), {entry.name: entry.label for entry in run.entries()}
    turned = [fact for fact in facts if fact.kind == "turned because"]
    yield from (f"Why did {labels[name]} turn back?" for name in _parameters(turned[-1:]) if name in labels)
    objective = run.problem.objective if run.problem else None
    first, last = story_span(run)
    is_known = bool(np.isfinite(run.loss[[first, last]]).all()) and run.loss[first] != run.loss[last]
    if is_known and any(fact.kind in ("terms", "credit", "reason") for fact in facts):
        fell = run.loss[last] < run.loss[first]
        word = (objective.lower if fell else objective.higher) if objective else "lower" if fell else "higher"
        yield f"Why is it {word}?"
    because = [fact for fact in facts if fact.kind == "reason" and fact.span == story_span(run)]
    yield from (f"Why did {labels[name]} move?" for name in _parameters(because[:1]) if name in labels)
    yield "Why did it stop?"


def _parameters(facts: Sequence[Fact]) -> list[str]:
    return [fact.values["parameter"] for fact in facts if "parameter" in fact.values]
