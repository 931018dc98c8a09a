"""The banks of sentences: how each form of a fact, or of two facts together, may be worded, for each kind of reader.

A bank is a folder of text files, one for each kind of fact, of which every line was read by a person:

    == course                          the kind, or the kinds of two facts that one sentence words
    = changed: The loss {went} …       a form, and its own sentence: what `Fact.text` is
    b .                                the wordings: `s` for a student, `e` for an expert, `b` for both; `.` is the
    s In {iterations} …                form's own sentence; for two facts only the names of their forms are given

Slots stand in braces: `{start}` as it is within a sentence, `{Start}` as a sentence begins with it, `{start2}` that of
the second of two facts of one kind, `{steps:step|steps}` a count with its noun. What stands in brackets is left out
where the fact lacks a slot in it. In `<…>` stands the name of what a student is told of a term at its first mention
(the file `glosses`, a line each). `if same` and `if apart` behind two kinds are conditions: whether both facts went the
same way.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_BANKS = Path(__file__).with_name("banks")
_LEVELS = {"s": "student", "e": "expert", "b": ""}
_CONDITIONS = ("same", "apart")


@dataclass(frozen=True)
class Wording:
    """One way to word facts of known forms."""

    template: str
    level: str = ""
    """`"student"`, `"expert"`, or an empty string for both."""

    def suits(self, level: str) -> bool:
        """Whether it is meant for a reader of this level."""
        return self.level in ("", level)


@dataclass(frozen=True)
class BankEntry:
    """The wordings of a fact of one form, or of two facts of two forms."""

    kinds: tuple[str, ...]
    forms: tuple[str, ...]
    condition: str
    wordings: tuple[Wording, ...]


@dataclass(frozen=True)
class Bank:
    """All sentences of one language."""

    own: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """From a kind and a form to its own sentence."""
    entries: Mapping[tuple[tuple[str, ...], tuple[str, ...]], list[BankEntry]] = field(default_factory=dict)
    """From kinds and forms to how they may be worded."""
    glosses: Mapping[str, str] = field(default_factory=dict)
    """From a term to what a student is told of it; each holds wherever the term does."""


@functools.cache
def bank_of(language: str = "english") -> Bank:
    """Return the bank of a language; read once."""
    own: dict[tuple[str, str], str] = {}
    entries: dict[tuple[tuple[str, ...], tuple[str, ...]], list[BankEntry]] = {}
    folder = _BANKS / language
    for path in sorted(folder.rglob("*.txt")):
        if path.stem == "glosses":
            continue
        for entry, sentences in _read(path.read_text(encoding="utf-8")):
            for form, sentence in zip(entry.forms, sentences, strict=True):
                if sentence:
                    own[entry.kinds[0], form] = sentence
            entries.setdefault((entry.kinds, entry.forms), []).append(entry)
    lines = (folder / "glosses.txt").read_text(encoding="utf-8").splitlines()
    return Bank(own, entries, dict(line.split(": ", 1) for line in lines if line))


def _read(text: str) -> Iterator[tuple[BankEntry, list[str]]]:
    """Yield the entries of one file, with the own sentences of their forms."""
    kinds: tuple[str, ...] = ()
    condition = ""
    for block in re.split(r"\n\s*\n", text.strip()):
        forms: list[str] = []
        sentences: list[str] = []
        wordings: list[Wording] = []
        for line in block.splitlines():
            sign, _, rest = line.partition(" ")
            if sign == "==":
                kinds, condition = _kinds(rest)
            elif sign == "=":
                form, _, sentence = rest.partition(": ")
                forms.append(form)
                sentences.append(sentence)
            elif sign in _LEVELS:
                wordings.append(Wording(sentences[0] if rest == "." else rest, _LEVELS[sign]))
            else:
                raise ValueError(f"a line of a bank begins with ==, =, s, e or b, not {line!r}")
        yield BankEntry(kinds, tuple(forms), condition, tuple(wordings)), sentences


def _kinds(rest: str) -> tuple[tuple[str, ...], str]:
    """Return the kinds of a section, joined by ` + `, and its condition."""
    names, _, condition = rest.partition(" if ")
    if condition and condition not in _CONDITIONS:
        raise ValueError(f"a section of a bank holds if {' or '.join(_CONDITIONS)}, not if {condition}")
    return tuple(names.split(" + ")), condition


def small(name: str) -> str:
    """Return the name of a slot, also where a sentence begins with it."""
    return f"{name[0].lower()}{name[1:]}"
