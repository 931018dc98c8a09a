"""The bank of sentences: how each form of a fact, or of two facts together, may be worded for a student and an expert.

The bank is `wordings.txt`, of which every line was read by a person. `==` names the kinds of the facts, `=` gives the
forms of their own sentences, and the lines below say the same, or less of the same: `s` to a student, `e` to an expert,
`b` to both; `.` is the fact's own sentence. Slots hold names, numbers and verbs of the facts and nothing else; those of
a second fact end in 2. `same` and `apart` are conditions: whether both went the same way. In `<…>` stands what a
student is told of a term at its first mention.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

GLOSSES: Mapping[str, str] = {
    "gradient": " (the gradient tells in which direction small steps help)",
    "noise": " (single values of it jump up and down)",
    "median": " (the middle value)",
    "determined": " (other values serve nearly as well)",
}
"""What a student is told of a term the first time it comes up; each holds wherever the term does."""


@dataclass(frozen=True)
class Wording:
    """One way to word facts of known forms."""

    template: str
    level: str
    """`"student"`, `"expert"`, or an empty string for both."""

    def suits(self, level: str) -> bool:
        """Whether it is meant for a reader of this level."""
        return self.level in ("", level)


@dataclass(frozen=True)
class Entry:
    """The wordings of facts whose own sentences have these forms."""

    forms: tuple[str, ...]
    condition: str
    wordings: tuple[Wording, ...]


_LEVELS = {"s": "student", "e": "expert", "b": ""}
_CONDITIONS = ("same", "apart")


def _read(text: str) -> dict[tuple[str, ...], list[Entry]]:
    bank: dict[tuple[str, ...], list[Entry]] = {}
    kinds: tuple[str, ...] = ()
    condition = ""
    for block in text.strip().split("\n\n"):
        forms: list[str] = []
        wordings: list[Wording] = []
        for line in block.splitlines():
            sign, _, rest = line.partition(" ")
            if sign == "==":
                words = rest.split()
                condition = words.pop() if words[-1] in _CONDITIONS else ""
                kinds = tuple(words)
            elif sign == "=":
                forms.append(rest)
            else:
                wordings.append(Wording(forms[0] if rest == "." else rest, _LEVELS[sign]))
        bank.setdefault(kinds, []).append(Entry(tuple(forms), condition, tuple(wordings)))
    return bank


BANK = _read(Path(__file__).with_name("wordings.txt").read_text(encoding="utf-8"))
"""From the kinds of facts to the entries for their forms."""
