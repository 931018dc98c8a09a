"""Answers questions about several fits: where each ended, why one ended higher, whether they agree, which to use."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xinv_nb.facts.analysis import facts_of, shown_parts
from xinv_nb.facts.counting import counted
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.fit import Fit
from xinv_nb.facts.kinds.ends import of_one, why_higher
from xinv_nb.facts.measures.ends_of_fits import ends_of
from xinv_nb.language.slots import Count, Listed, Slot
from xinv_nb.recorded.run import RecordedRun

_NOUNS = "fits?|starts?|restarts?|runs?|attempts?|tries|try|solvers?|optimi[sz]ers?|ones?|results?"
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_ORDINAL = re.compile(
    rf"\b(?:(?P<word>{'|'.join(_ORDINALS)}|last)|(?P<digits>\d+)(?:st|nd|rd|th)) (?:{_NOUNS})\b"
    r"|\b(?:fit|start|run|attempt|number|no\.?|solver) #?(?P<number>\d+)\b"
)
"""A fit that is named by its number."""
_WHY = re.compile(r"\b(?:why|how come|what made|higher|worse|fail(?:ed)?|not as (?:low|good))\b")
_EACH = re.compile(
    rf"\b(?:each|every|all|both|the|these|those|your|my|\d+|two|three|four|five) (?:\w+ ){{0,3}}?(?:{_NOUNS})\b"
    r".*\b(?:ends?|ended|stop\w*|finish\w*|land\w*|reach\w*|get|got|arrived?|give|gave)\b"
)
_ALL = re.compile(r"\b(?:each|every|all|both|fits|starts|restarts|runs|attempts|solvers|optimi[sz]ers|results)\b")
_PLACES = re.compile(
    r"\b(?:agree\w*|disagree\w*|consistent\w*"
    r"|(?:same|one|single|different|other|distinct|several|another|many) (?:different )?"
    r"(?:places?|points?|minim(?:a|um)|optim(?:a|um)|solutions?|answers?|valleys?|basins?)"
    r"|how many (?:\w+ )*?(?:minima|minimums|optima|solutions|places|basins|valleys)"
    r"|depends? on the (?:start\w*|initial \w+)|local (?:minim(?:a|um)|optim(?:a|um))|global(?:ly)?)\b"
)
_COUNTED = re.compile(r"\bhow many (?:fits|starts|runs|restarts|attempts)\b|\bwhy (?:are|were) there\b")
_EVALUATIONS = re.compile(r"\bhow (?:many|often)\b.*\b(?:evaluations?|evaluated|iterations?|steps)\b")
_MOST_COUNTED = 8
_WHICH_OBJECTIVE = re.compile(
    r"\b(?:how many|which|what) (?:models?|objectives?|functions?)\b(?!.*\b(?:parameter|gradient|slope)s?\b)"
)
_CONVERGED = re.compile(r"\b(?:all|both|each|every|they)\b.*\bconverge|\bconverge\w*\b.*\b(?:all|both|each)\b")
_USE = re.compile(
    r"\bwhich (?:fits?|results?|solutions?|starts?|runs?|answers?|parameters|points?|values?|ones?) "
    r"(?:\w+ )?(?:should|shall|do|can|would|must|to) (?:(?:i|we|one|you) )?"
    r"(?:\w+ )?(?:use|take|trust|keep|pick|choose|report|publish|prefer|believe|want)\b"
)
_CHEAP = re.compile(
    r"\b(?:fastest|quickest|cheapest|fewest|least (?:work|evaluations|iterations)|most efficient|faster)\b"
)


def about_fits(run: RecordedRun, question: str) -> list[Fact] | None:
    """Return what answers a question about several fits; None where it is about something else.

    An empty answer means that it is about fits, and the recording does not show it.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for rate in (0.1, 0.4):
    ...         x = 4.0
    ...         for _ in range(8):
    ...             run.add(x**2, x, 2 * x)
    ...             x -= rate * 2 * x
    >>> print(*(fact.text for fact in about_fits(run, "Why did the first fit end higher?")), sep=" ")
    Number 1 ended higher than number 2, at 0.704 against 2.62×10⁻⁹: its loss was still falling when it ended.
    """
    asked = " ".join(question.lower().split())
    if run.status == "running" or not run.evaluations:
        return None
    parts, facts = shown_parts(run), facts_of(run)
    found = _ORDINAL.search(asked)
    of_objectives = [fact for fact in facts if fact.kind == "fits" and fact.form.startswith("objectives")]
    if of_objectives and (_COUNTED.search(asked) or _WHICH_OBJECTIVE.search(asked)):
        return of_objectives
    if len(parts.fits) < 2:
        # A single fit is no first one among others: what follows would be an answer to another question.
        number = None if found is None else _number(found, 1)
        return [] if number is not None and number > 1 else None
    ends = [fact for fact in facts if fact.kind == "ends"]
    if not ends and not any(fact.kind == "fits" and "count" in fact.slots for fact in facts):
        return None
    if found is not None and (number := _number(found, len(parts.fits))) is not None:
        return _of_number(run, facts, asked, number)
    summary = [fact for fact in facts if fact.kind == "fits" and fact.form.startswith(_SUMMARIES)]
    at_places = [fact for fact in ends if fact.form.startswith(("one point", "points"))]
    if _COUNTED.search(asked):
        return summary[:1] or [_evaluations(parts.fits)]
    is_one_story = all(parts.story[0] <= fit.start < parts.story[1] for fit in parts.fits)
    if _EVALUATIONS.search(asked) and not is_one_story:  # else the course tells of all of them
        return [_evaluations(parts.fits)]
    if _PLACES.search(asked) or _CONVERGED.search(asked):
        return at_places or _not_comparable(summary)
    if _CHEAP.search(asked):
        return [fact for fact in ends if fact.form == "fewest"] or None
    if _EACH.search(asked) and _ALL.search(asked):
        each = [fact for fact in ends if fact.form == "of one"]
        each.sort(key=lambda fact: int(fact.data["number"]))
        return each or [*summary[:1], *at_places]
    if _USE.search(asked):
        best = [fact for fact in facts if fact.kind == "fits" and fact.form.startswith(_BEST)]
        point = [fact for fact in facts if fact.kind == "fits" and fact.form == "point"]
        return [*best, *point] if best else _not_comparable(summary)
    return None


def _evaluations(fits: Sequence[Fit]) -> Fact:
    """Return how many evaluations each of several fits made."""
    counts = tuple(Count(fit.stop - fit.start) for fit in fits)
    slots: dict[str, Slot] = {"count": Count(len(counts)), "each": Listed(counts[:_MOST_COUNTED])}
    slots["evaluations"] = Count(sum(count.number for count in counts))
    form = "evaluations" if len(counts) <= _MOST_COUNTED else "evaluations in all"
    return Fact("", "answer fits", form, slots, (fits[0].start, fits[-1].stop - 1))


_SUMMARIES = ("from ", "with different step sizes", "by different optimizers", "of different data")
_BEST = ("the lowest", "reached by several")


def _number(found: re.Match[str], count: int) -> int | None:
    """Return the number of the fit that a question names, from 1."""
    if found["word"] == "last":
        return count if count > 1 else None
    if found["word"]:
        return _ORDINALS.index(found["word"]) + 1
    return int(found["digits"] or found["number"])


def _of_number(run: RecordedRun, facts: Sequence[Fact], asked: str, number: int) -> list[Fact]:
    """Return where a fit ended, or why it ended higher than the best."""
    parts = shown_parts(run)
    if not 1 <= number <= len(parts.fits):
        return []
    known = [fact for fact in facts if fact.kind == "ends" and fact.data.get("number") == number]
    if _WHY.search(asked):
        if not parts.are_comparable:
            return [fact for fact in facts if fact.kind == "fits" and fact.form.startswith("of different data")][:1]
        if why := [fact for fact in known if fact.form != "of one"]:
            return why
        if (other := why_higher(run, parts, number)) is not None:
            return counted(run, [other])
        best = [fact for fact in facts if fact.kind == "fits" and fact.form.startswith(_BEST)]
        return best if number == parts.shown + 1 else []
    one = [fact for fact in known if fact.form == "of one"]
    return one or counted(run, [of_one(run, ends_of(run, parts.fits, parts.stretches)[number - 1])])


def _not_comparable(summary: Sequence[Fact]) -> list[Fact]:
    """Return that the losses of the fits cannot be compared, where that is why there is no answer; else nothing."""
    return [fact for fact in summary if fact.form.startswith("of different data")][:1]
