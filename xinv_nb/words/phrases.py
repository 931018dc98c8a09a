"""From facts to the phrases that may word them: what the bank says of their kinds and forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xinv_nb.facts.fact import Fact
from xinv_nb.language.bank import BankEntry, Wording, bank_of
from xinv_nb.language.renderer import fill, names_in, said
from xinv_nb.language.slots import Named, Slot, Way
from xinv_nb.recorded.run import RecordedRun

LEVELS = ("student", "expert")
_VARIED = ("parameter", "quantity", "other_share")
OWN = Wording("{own}")
"""Stands for the own sentence of a fact that has no wordings for the reader."""


@dataclass(frozen=True)
class Phrase:
    """Facts that one sentence words, and the ways in which it may."""

    facts: tuple[Fact, ...]
    wordings: tuple[Wording, ...]
    slots: Mapping[str, Slot]

    def text(self, wording: Wording, *, told: set[str] | None = None) -> str:
        """Return the sentence; a term that is not among those `told` is explained, and told from then on."""
        if wording is OWN:
            return self.facts[0].text

        def gloss(term: str) -> str:
            if told is None or term in told:
                return ""
            told.add(term)
            return fill(bank_of().glosses[term], self.slots)

        return fill(wording.template, self.slots, gloss)

    @property
    def variety(self) -> str:
        """What makes the choice of words for one phrase another than for the next: whose it is, or how large a part."""
        found = next((self.slots[name] for name in _VARIED if name in self.slots), None)
        return "" if found is None else said("it", {"it": found})

    @property
    def length(self) -> int:
        """The words of a usual wording of it."""
        return sorted(len(self.text(wording).split()) for wording in self.wordings)[len(self.wordings) // 2]

    def texts(self) -> list[str]:
        """Return all its wordings, without what a student is told of their terms."""
        return list(dict.fromkeys(self.text(wording) for wording in self.wordings))


class Phrases:
    """Words the facts of one run for a reader of one level."""

    def __init__(self, run: RecordedRun, level: str | None = None) -> None:
        self.level = level or "student"
        self._run = run

    def of(self, *facts: Fact, kind: str = "") -> Phrase:
        """Return how a fact, or several by one sentence, may be worded; raises `LookupError` where several may not.

        `kind` is the part of the bank that is asked first, where it is not that of the facts' own kind.
        """
        phrase = self._known(facts, (kind,) * len(facts)) if kind else None
        phrase = phrase or self._known(facts, tuple(fact.wordings or fact.kind for fact in facts))
        if phrase is None and len(facts) > 1:
            raise LookupError("no one sentence words these facts")
        return phrase or Phrase(facts, (OWN,), facts[0].slots)

    def is_named(self, fact: Fact) -> bool:
        """Whether the parameter that a fact is about has a name, a unit or directions of the domain."""
        parameter = fact.slots.get("parameter")
        return isinstance(parameter, Named) and bool(
            parameter.is_of_domain or parameter.unit or parameter.directions is not None
        )

    def _known(self, facts: Sequence[Fact], kinds: tuple[str, ...]) -> Phrase | None:
        for entry in bank_of().entries.get((kinds, tuple(fact.form for fact in facts)), ()):
            wordings = tuple(wording for wording in entry.wordings if wording.suits(self.level))
            if wordings and (slots := _together(facts, entry)) is not None:
                return Phrase(tuple(facts), wordings, slots)
        return None


def _together(facts: Sequence[Fact], entry: BankEntry) -> dict[str, Slot] | None:
    """Return the slots of facts that one sentence words; None where they do not say the same of what they share."""
    found = dict(facts[0].slots)
    for fact in facts[1:]:
        if fact.kind == facts[0].kind:
            found |= {f"{name}2": slot for name, slot in fact.slots.items()}
            continue
        shared = _used(facts[0]) & _used(fact)
        if any(said(name, facts[0].slots) != said(name, fact.slots) for name in shared):
            return None
        found = dict(fact.slots) | found
    return found if _holds(entry.condition, found) else None


def _used(fact: Fact) -> set[str]:
    """Return the slots that the own sentence of a fact says."""
    template = bank_of().own[fact.wordings or fact.kind, fact.form]
    return {name for name in names_in(template) if name in fact.slots}


def _holds(condition: str, slots: Mapping[str, Slot]) -> bool:
    """Whether two facts, or two parts of one, went the same way, or apart, as an entry of the bank wants it."""
    if not condition:
        return True
    one, two = (slots.get(name) for name in (("did", "did2") if "did" in slots else ("went", "went2")))
    if isinstance(one, Way) and isinstance(two, Way):
        same = said("way", {"way": one}) == said("way", {"way": two})
    else:
        same = one == two
    return same == (condition == "same")
