"""Sentences about the example runs: as people write them, and in forms that are filled from the narrator's own."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, replace
from pathlib import Path

from tests.example_runs import EXAMPLES
from xinv_nb.models.rewording import NOT_REWORDED

_FOLDER = Path(__file__).parent / "sentences"


@dataclass(frozen=True)
class Written:
    """A sentence about a run, the narrator's sentences that it words, and whether it is true."""

    run: str
    source: str
    text: str
    is_true: bool
    span: tuple[int, int] | None = None
    """The evaluations that it is about, where it words a fact of some of them."""
    held_out: bool = False
    """Whether it was left aside while the checker was tuned."""


@functools.cache
def by_hand() -> list[Written]:
    """Return the sentences written by hand, true and false."""
    found: list[Written] = []
    run, sources, fresh = "", [], True
    for line in (_FOLDER / "by_hand.txt").read_text(encoding="utf-8").splitlines():
        sign, _, text = line.partition(" ")
        if sign == "##":
            run = text
        elif sign == "=":
            sources = [text] if fresh else [*sources, text]
            fresh = False
        elif sign in ("+", "-"):
            fresh = True
            found.append(Written(run, " ".join(sources), text, sign == "+", held_out=len(found) % 3 == 2))
    return found


@functools.cache
def free_text() -> list[Written]:
    """Return the sentences, true and false, that word nothing of the narrator's."""
    found: list[Written] = []
    run = ""
    for path in sorted(_FOLDER.glob("*_round.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            sign, _, text = line.partition(" ")
            if sign == "##":
                run = text
            elif sign in ("+", "-"):
                found.append(Written(run, "", text, sign == "+"))
    return found


@functools.cache
def _forms() -> list[tuple[re.Pattern[str], list[str]]]:
    found: list[tuple[list[str], list[str]]] = []
    for line in (_FOLDER / "forms.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("= "):
            if not found or found[-1][1]:
                found.append(([], []))
            found[-1][0].append(line[2:])
        elif line.startswith("+ "):
            found[-1][1].append(line[2:])
    return [(_pattern(form), wordings) for forms, wordings in found for form in forms]


def _pattern(form: str) -> re.Pattern[str]:
    slots = re.sub(r"\\\{(\w)\\\}", lambda m: f"(?P<{m[1]}>.+?)", re.escape(form))
    return re.compile(slots)


@functools.cache
def by_form(count: int) -> list[Written]:
    """Return wordings of the narrator's sentences of all example runs, every form about as often."""
    found: list[Written] = []
    used: dict[str, int] = {}
    for name, make in EXAMPLES.items():
        run = make()
        for fact in run.facts:
            if fact.kind in NOT_REWORDED:
                continue
            for pattern, wordings in _forms():
                match = pattern.fullmatch(fact.text)
                slots = match.groupdict() if match else {}
                if not match or any(re.search(r"[;:]|, | between ", s) for s in slots.values()):
                    continue
                if "r" in slots and "Q" in slots and slots["Q"].lower() != slots["r"].lower():
                    continue
                slots["q"] = _within(slots.get("Q", ""))
                for wording in wordings:
                    text = wording.format(**slots)
                    text = text[0].upper() + text[1:] if wording.startswith("{x}") else text
                    used[wording] = used.get(wording, 0) + 1
                    found.append(Written(name, fact.text, text, True, fact.span))
    order = sorted(range(len(found)), key=lambda i: (i * 7919) % len(found))
    seen: dict[str, int] = {}
    chosen = []
    for i in order:
        if found[i].text not in seen and len(chosen) < count:
            seen[found[i].text] = 1
            chosen.append(found[i])
    return [replace(w, held_out=k % 3 == 2) for k, w in enumerate(chosen)]


def _within(name: str) -> str:
    """Return a name as it stands within a sentence."""
    if re.fullmatch(r"(The )?[A-Z][a-z]+( [a-z]+)*", name):
        return name[0].lower() + name[1:] if name.startswith("The ") else f"the {name.lower()}"
    return name
