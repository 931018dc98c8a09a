"""From the chunks of a sentence to what it states: which quantity, what of it, when.

Each clause is read as a bag. Whatever is left in the bag is unread, and the sentence counts as not understood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from xinv_nb.claims.clauses import Clause, clauses_of
from xinv_nb.claims.readers import accounts, comparisons, extremes, gradients, occurrences, times
from xinv_nb.claims.readers.bag import Bag
from xinv_nb.claims.readers.values import values
from xinv_nb.claims.reading import Chunk
from xinv_nb.claims.statements import END, START, Reading, Span, Statement

_WAYS = (
    comparisons.quantities, occurrences.event, occurrences.ending, accounts.credit, accounts.truth, gradients.asked,
    gradients.wants, extremes.state, extremes.extreme, extremes.never,
)  # fmt: skip


def read(chunks: Sequence[Chunk], before: Sequence[str] = ()) -> Reading:
    """Return what a sentence states; `before` is what the sentence before was about."""
    clauses = clauses_of(chunks, before)
    statements: list[Statement] = []
    unread: list[Chunk] = []
    previous: Span | None = None
    last: tuple[str, ...] = tuple(before)
    first = 0
    governing: Span | None = None
    timed = False
    for k, clause in enumerate(clauses):
        before_this = len(statements)
        subjects = clause.subjects or [""]
        if {"credit", "than"} <= {c.kind for c in clause.chunks}:
            subjects = subjects[:1]  # the other one is what the first is compared with
        for subject in subjects:
            bag = Bag(subject, list(clause.chunks), previous if clause.inherited else None, previous)
            bag.governing = governing if _is_governed(clause, clauses[k - 1].subjects if k else []) else None
            _interpret(bag)
            named = [c for c in clause.chunks if c.kind == "quantity" or c.words == "it"]
            goes_on = k + 1 < len(clauses) and not any(c.kind == "quantity" for c in clauses[k + 1].chunks)
            if named and not bag.found and not bag.rest and not goes_on:
                bag.rest += [Chunk("word", c.words, words=c.words) for c in named]
            if len(subjects) < 2 and any(c.kind == "both" for c in clause.chunks):
                bag.rest.append(Chunk("word", "both", words="both"))
            statements += [replace(s, place=clause.place) for s in bag.found]
            if subject == subjects[0]:
                unread += bag.rest
                span, timed = bag.span, bag.timed
        if clause.sign in (";", ":"):
            governing = None
        is_first = k == 0 and _begins_with_its_time(clause)
        if timed and (is_first or (k + 1 < len(clauses) and clauses[k + 1].sign in _AT_ONCE)):
            governing = span
        previous = span
        if k and (clause.sign == "when" or (k == 1 and clauses[0].sign == "when")):
            statements[first:] = _together(statements[first:before_this], statements[before_this:])
        if k and any(c.kind == "then" for c in clause.chunks):
            statements[first:] = _turned(statements[first:before_this], statements[before_this:])
        first = before_this
        last = tuple(s for s in subjects if s) or last
    return Reading(tuple(statements), tuple(unread), last)


_AT_ONCE = frozenset(["when", "while", "whereas", "as"])
_GOVERNED = frozenset(["and", "but", ",", "although", "though", "", *_AT_ONCE])


def _begins_with_its_time(clause: Clause) -> bool:
    return clause.chunks[0].kind == "time" and clause.chunks[0].value in ("at", "span", "since", "until", "first")


def _is_governed(clause: Clause, before: Sequence[str]) -> bool:
    """Whether a clause about something else says of no time of its own when it was."""
    return (
        clause.sign in _GOVERNED
        and list(before) != clause.subjects
        and not any(c.kind == "then" for c in clause.chunks)
    )


def _together(one: Sequence[Statement], two: Sequence[Statement]) -> list[Statement]:
    """Return the statements of two clauses of which one says when the other was so: values at the same time."""
    free = ("start", "end", "some")
    if not any(s.kind == "value" and s.until[0] == s.since[0] in free for s in one):
        return [*one, *two]
    pairs = [(a, b) for a in one for b in two if a.kind == b.kind == "value" and a.quantity != b.quantity]
    found: list[Statement] = []
    for a, b in pairs:
        if a.until[0] in free and b.until[0] in free:
            found.append(replace(a, kind="together", what=(b.quantity,), other=b.number, since=START, until=END))
    used = [s for pair in pairs for s in pair] if found else []
    return [*(s for s in (*one, *two) if s not in used), *found]


def _turned(one: Sequence[Statement], two: Sequence[Statement]) -> list[Statement]:
    """Return "it rose and then fell", without its times, as one statement: it turned in between."""
    before = [s for s in one if s.kind == "change" and (s.since, s.until) == (START, END) and not s.negated]
    after = [s for s in two if s.kind == "change" and s.since == s.until == END and not s.negated]
    same = (
        len(before) == len(after) == 1 and before[0].quantity == after[0].quantity and before[0].what != after[0].what
    )
    if not same or {before[0].what[0], after[0].what[0]} != {"up", "down"}:
        return [*one, *two]
    turned = replace(before[0], kind="turned")
    return [*(s for s in (*one, *two) if s not in (before[0], after[0])), turned]


def _interpret(bag: Bag) -> None:
    """Take out all that is understood and put what it states into `found`."""
    negations = 0
    while bag.take("not"):
        negations += 1
    while bag.take("cause"):
        bag.found.append(Statement("cause", words=bag.words))
    if bag.has("only", "verb") and not bag.has("number"):
        bag.rest.append(Chunk("word", "only", words="only"))  # it did nothing else?
    if bag.has("then") and (again := bag.take("word", "again")):
        bag.found.append(Statement("remark", what=(again.words,), words=bag.words))
    while only := bag.take("only"):
        bag.found.append(Statement("remark", what=(only.words,), words=bag.words))
    while agent := bag.take("agent"):
        bag.found.append(Statement("agent", what=(agent.value,), words=bag.words))
    if len(set(bag.named)) > 1 and not accounts.several(bag):
        return
    comparisons.moments(bag)
    for one, two in pairwise(list(bag.rest)):
        if one.kind == "preposition" and one.value == "than" and (two.kind, two.value) == ("at", "end"):
            bag.rest.append(Chunk("word", "than at end", words="than at the end"))
    bag.paired = times.pair_times(bag)
    times.read_times(bag)
    marks = [bag.paired.get(id(c)) for role in ("from", "to") for c in bag.numbers(role)[:1]]
    if len(marks) == 2 and marks[0] and marks[1] and not bag.timed:
        bag.span, bag.timed = (marks[0], marks[1]), True
    elif len(marks) == 2 and marks[1] and not bag.timed:
        bag.span = bag.span[0], marks[1]
    for way in _WAYS:
        way(bag)
    if not bag.is_event:
        values(bag)
    if negations and bag.found:
        if {s.kind for s in bag.found} == {"change", "pace"}:  # "it did not fall steadily"
            bag.found = [s for s in bag.found if s.kind == "pace"]
        several = len([s for s in bag.found if s.kind != "count"]) > 1
        bag.found = [replace(s, negated=True) for s in bag.found]
        if negations > 1 or several:
            bag.rest.append(Chunk("word", "not", words="not"))
    elif negations:
        bag.rest.append(Chunk("word", "not", words="not"))
