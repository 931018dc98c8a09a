"""The headline of a run, and of each of its captions: the answer in the domain's words, by facts that are data."""

from __future__ import annotations

from collections.abc import Mapping

from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.counting import counted
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.language.slots import Slot, Value, Way
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.words.choosing import of_kind

MOST_WORDS = 14
MOST_LETTERS = 90
_EARLY = 10
"""Evaluations of a run that goes on before which it is too early to tell."""


def headline_of(run: RecordedRun) -> str:
    """Return the headline of a run: at most 14 words, empty where nothing is recorded.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for x in (4.0, 2.0, 1.0):
    ...         run.add(x**2, x, 2 * x)
    >>> headline_of(run)
    'The loss fell from 16 to 1'
    """
    fact = headline_fact(run)
    return "" if fact is None else fact.text


def headline_beneath(run: RecordedRun) -> str:  # noqa: ARG001 — reasons come next
    """Return the line beneath the headline: the two largest shares of what was gained, and the rest, which add up.

    Empty where reasons are not known.

    >>> headline_beneath(RecordedRun())
    ''
    """
    return ""


def headline_fact(run: RecordedRun) -> Fact | None:
    """Return the headline as a fact that cites those it follows from; None where nothing is recorded.

    >>> headline_fact(RecordedRun())
    """
    if not run.evaluations:
        return None
    found = _too_early(run) or _of_the_course(run)
    return counted(run, [found])[0]


def _too_early(run: RecordedRun) -> Fact | None:
    return _headline("too early", None, {}) if run.status == "running" and run.evaluations < _EARLY else None


def _of_the_course(run: RecordedRun) -> Fact:
    """Return what became of the loss."""
    course = next(iter(of_kind(facts_of(run), "course")), None)
    if course is None or not {"start", "end", "went"} <= set(course.slots) or course.slots["start"] is None:
        return _headline("recorded", course, {})
    form = "changed" if course.form.startswith("changed") else "recorded"
    return _headline(form, course, {name: course.slots[name] for name in ("start", "end", "went")})


def _headline(form: str, of: Fact | None, slots: Mapping[str, Slot]) -> Fact:
    span, cites = ((0, 0), ()) if of is None else (of.span, (of.id,))
    return KIND.fact(form, span, 0.0, slots, cites=cites)


KIND = Kind(
    name="headline",
    question=Question.LOSS,
    rank=0,
    slots={"start": Value, "end": Value, "went": Way},
)
