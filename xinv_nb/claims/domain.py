"""The names that a sentence about a run may contain: parameters, watched quantities, events, units."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from xinv_nb.claims.vocabulary import ARTICLES, IRREGULAR, UNITS
from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.measures.objective import told_of_loss
from xinv_nb.language.quantities import said_unit, sentence_start
from xinv_nb.language.slots import words_of_the_user

if TYPE_CHECKING:
    from xinv_nb.recorded.run import RecordedRun

_MOST_EVENTS = 64


def stem(word: str) -> str:
    """Return a word without what tense and number add to it.

    >>> stem("flies"), stem("flew"), stem("landed"), stem("lands"), stem("wall")
    ('fly', 'fly', 'land', 'land', 'wall')
    """
    if word in IRREGULAR:
        return IRREGULAR[word]
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    for ending, least in (("ing", 6), ("ed", 5), ("s", 4)):
        if word.endswith(ending) and len(word) >= least and not word.endswith("ss"):
            return word[: -len(ending)]
    return word


def names_of(run: RecordedRun) -> list[str]:
    """Return all names of the domain that a sentence about `run` may contain."""
    entries = run.entries()
    named = (name for entry in entries for name in (entry.label, entry.group, entry.name))
    return list(dict.fromkeys([*named, *run.history.watches, *run.history.sums.own]))


@dataclass(frozen=True)
class Domain:
    """What the names in a text stand for."""

    quantities: Mapping[str, str] = field(default_factory=dict)
    """From a name to the key of the parameter or watched quantity; several names may have one key."""
    units: Mapping[str, str] = field(default_factory=dict)
    """From a key to its unit."""
    directions: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """From a key to what less and more of it are called."""
    events: Mapping[str, str] = field(default_factory=dict)
    """From an event's words to the key of its kind."""
    parameters: tuple[str, ...] = ()
    """The keys of all parameters, each one number."""
    ending: str = ""
    """What broke the run, in the words of its ending."""
    optimizer: str = ""
    words: frozenset[str] = frozenset()
    """Words for the thing that is simulated, out of its title, goal, glossary and events."""
    loss_words: Mapping[str, str] = field(default_factory=dict)
    """From what the domain calls the loss, and a lower and a higher one, to the general words."""

    @classmethod
    def of_names(cls, names: Iterable[str]) -> Domain:
        """Return a domain in which each name is a quantity of its own."""
        return cls({name: name for name in names if name.strip()})

    @classmethod
    def of(cls, run: RecordedRun) -> Domain:
        """Return the domain of a run."""
        quantities: dict[str, str] = {}
        units: dict[str, str] = {}
        directions: dict[str, tuple[str, str]] = {}
        for name, columns in run.history.watches.items():
            quantities[name] = f"watch {name}"
            units[f"watch {name}"] = columns.unit
        entries = run.entries()
        groups: dict[str, int] = {}
        for entry in entries:
            groups[entry.group] = groups.get(entry.group, 0) + 1
        for entry in entries:
            key = f"parameter {entry.name}"
            units[key] = entry.parameter.unit
            if entry.parameter.directions:
                directions[key] = entry.parameter.directions
            names = [entry.label, entry.name, *([entry.group] if groups[entry.group] == 1 else [])]
            for name in names:
                quantities.setdefault(name, key)
        for entry in entries:
            quantities.setdefault(entry.group, f"group {entry.group}")
        for name in run.history.sums.own:
            quantities.setdefault(name, f"term {name}")
        events: dict[str, str] = {}
        for fact in facts_of(run):
            if fact.kind == "event" and len(events) < _MOST_EVENTS:
                own = next(words_of_the_user(fact.slots.values()))
                # What it said at one time; its sentence has the range of its numbers.
                events |= {said: said for said in fact.data.get("words", (own,))}
        ending = run.ending.rstrip(".") if run.status == "failed" else ""
        optimizer = run.optimizer.partition(" ·")[0]
        problem = run.problem
        told = [*events, run.name]
        if problem is not None:
            told += [problem.title, problem.goal, *problem.glossary]
        words = frozenset(re.findall(r"[^\W\d_]{3,}", " ".join(told).lower()))
        parameters = tuple(f"parameter {e.name}" for e in entries if not e.statistic)
        loss_words = {}
        if loss := told_of_loss(run):
            loss_words = {loss.name: "loss", loss.lower: "lower", loss.higher: "higher"}
            units["loss"] = loss.unit
        return cls(quantities, units, directions, events, parameters, ending, optimizer, words, loss_words)

    @cached_property
    def names(self) -> dict[str, tuple[str, str]]:
        """From each way to write a name to what it is (`quantity`, `event`, `broken by`, `optimizer`) and its key."""
        found: dict[str, tuple[str, str]] = {}
        of_loss = {name: word for name, word in self.loss_words.items() if name != word}
        for kind, mapping in (("word", of_loss), ("event", self.events), ("quantity", self.quantities)):
            for name, key in mapping.items():
                if name.strip():
                    found[name] = (kind, key)
        if self.ending:
            found.setdefault(self.ending, ("broken by", self.ending))
        if self.optimizer:
            found.setdefault(self.optimizer, ("agent", self.optimizer))
        for name, meaning in list(found.items()):
            found.setdefault(sentence_start(name), meaning)
            bare = re.sub(r"^(?:the|an?) (?=\w{2})", "", name)
            found.setdefault(bare, meaning)
            found.setdefault(sentence_start(bare), meaning)
            if len(name) > 3 and re.fullmatch(r"[A-Z][a-z]+( [a-z]+)*", name):
                found.setdefault(name.lower(), meaning)
        return found

    @cached_property
    def told(self) -> dict[str, tuple[str, ...]]:
        """From an event's key to the stems of its words, but for articles and numbers with what belongs to them."""
        found = {}
        for said, key in self.events.items():
            words = re.sub(r"(?:\b(?:at|by|of|with) )?[-−]?\d\S*(?: (?:%|[^\W\d_]{1,3}\b))?", " ", said).split()
            stems = tuple(stem(word.strip(",;:.").lower()) for word in words if word.lower() not in ARTICLES)
            if len(stems) > 2 and all(s.isalpha() for s in stems):
                found[key] = stems
        return found

    @cached_property
    def pattern(self) -> re.Pattern[str] | None:
        """Matches any of the names, the longest first, where it stands as a word."""
        names = sorted((n for n in self.names if n.strip()), key=lambda n: (-len(n), n))
        if not names:
            return None
        return re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, names))})(?!\w|\.\d)")

    @cached_property
    def known_units(self) -> tuple[str, ...]:
        """All units that are read behind a number, the longest first."""
        return tuple(sorted({*self.own_units, *UNITS}, key=lambda unit: (-len(unit), unit)))

    @cached_property
    def own_units(self) -> dict[str, str]:
        """From each way to write a unit of the run to the unit."""
        own = {unit for unit in self.units.values() if unit}
        return {said_unit(unit): unit for unit in own} | {unit: unit for unit in own}

    @cached_property
    def ways(self) -> dict[str, str]:
        """From the words for less and more of some parameter to `"down"` or `"up"`."""
        found: dict[str, str] = {}
        for less, more in self.directions.values():
            for word, way in ((less, "down"), (more, "up")):
                found[word] = way if found.get(word, way) == way else ""
        return {word: way for word, way in found.items() if way}
