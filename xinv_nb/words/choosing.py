"""Which phrases a caption has room for, and which facts share a sentence."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from xinv_nb.facts.fact import Fact
from xinv_nb.language.renderer import said
from xinv_nb.language.slots import Clause, Listed, LossValue, Slot, Uncertain, Value
from xinv_nb.words.phrases import Phrase, Phrases


@dataclass(frozen=True)
class Choice:
    """A phrase that may go into a caption; the lower its rank, the sooner it does."""

    rank: int
    phrase: Phrase


_PAIR = 2
"""Numbers that a sentence has in common with another from which on it says the same again."""


def fitting(choices: Sequence[Choice], most_words: int, most_sentences: int) -> list[Phrase]:
    """Return the phrases that fit, in order; those of rank 0 always. The others stay in the list of facts.

    What repeats a pair of numbers of a phrase that was chosen before is left out.
    """
    chosen: set[int] = set()
    words = 0
    for k in sorted(range(len(choices)), key=lambda k: choices[k].rank):
        length = choices[k].phrase.length
        facts = choices[k].phrase.facts
        if choices[k].rank and any(told_again(fact, choices[other].phrase.facts) for other in chosen for fact in facts):
            continue
        if choices[k].rank == 0 or (len(chosen) < most_sentences and words + length <= most_words):
            chosen.add(k)
            words += length
    return [choices[k].phrase for k in sorted(chosen)]


def with_one_of(bank: Phrases, fact: Fact, others: Sequence[Fact]) -> Phrase:
    """Return the phrase of a fact and the first of the others for which the bank has one, or of the fact alone."""
    for other in others:
        with contextlib.suppress(LookupError):
            return bank.of(fact, other)
    return bank.of(fact)


def joined(bank: Phrases, facts: Sequence[Fact], kind: str = "") -> list[Phrase]:
    """Return the phrases of some facts: neighbours in one sentence where the bank has one for them."""
    found: list[Phrase] = []
    left = list(facts)
    while left:
        fact = left.pop(0)
        for other in left[:1]:
            for two in ((fact, other), (other, fact)):
                try:
                    found.append(bank.of(*two, kind=kind))
                except LookupError:
                    continue
                left.remove(other)
                break
            else:
                found.append(bank.of(fact, kind=kind))
            break
        else:
            found.append(bank.of(fact, kind=kind))
    return found


def told_again(fact: Fact, told: Sequence[Fact]) -> bool:
    """Whether a fact repeats a pair of numbers that one of the facts told before it has.

    >>> told_again(Fact("", "course", "stayed", {}, (0, 1)), [])
    False
    """
    own, subject = numbers_of(fact.slots.values()), subject_of(fact)
    return any(
        len(own & numbers_of(other.slots.values())) >= _PAIR
        for other in told
        if None in (subject, subject_of(other)) or subject == subject_of(other)
    )


def subject_of(fact: Fact) -> object:
    """Return what a fact is about: a parameter or a quantity; None for others.

    >>> subject_of(Fact("", "course", "stayed", {}, (0, 1)))
    """
    return fact.values.get("parameter", fact.values.get("quantity"))


def numbers_of(slots: Iterable[Slot]) -> set[str]:
    """Return the numbers with units in some slots, and in what is in them, as they are written.

    >>> sorted(numbers_of([Value(2.5, "m"), Value(0.0)]))
    ['0', '2.5 m']
    """
    found: set[str] = set()
    for slot in slots:
        if isinstance(slot, (Value, Uncertain)):
            found.add(said("number", {"number": replace(slot, unit="") if isinstance(slot, LossValue) else slot}))
        elif isinstance(slot, Listed):
            found |= numbers_of(slot.items)
        elif isinstance(slot, Clause):
            found |= numbers_of(slot.slots.values())
    return found


def of_kind(facts: Sequence[Fact], kind: str) -> list[Fact]:
    """Return the facts of one kind."""
    return [fact for fact in facts if fact.kind == kind]
