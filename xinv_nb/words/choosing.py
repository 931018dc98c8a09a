"""Which phrases a caption has room for, and which facts share a sentence."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from xinv_nb.facts.fact import Fact
from xinv_nb.words.phrases import Phrase, Phrases


@dataclass(frozen=True)
class Choice:
    """A phrase that may go into a caption; the lower its rank, the sooner it does."""

    rank: int
    phrase: Phrase


def fitting(choices: Sequence[Choice], most_words: int, most_sentences: int) -> list[Phrase]:
    """Return the phrases that fit, in order; those of rank 0 always. The others stay in the list of facts."""
    chosen: set[int] = set()
    words = 0
    for k in sorted(range(len(choices)), key=lambda k: choices[k].rank):
        length = choices[k].phrase.length
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


def of_kind(facts: Sequence[Fact], kind: str) -> list[Fact]:
    """Return the facts of one kind."""
    return [fact for fact in facts if fact.kind == kind]
