"""The words that the checker knows: what each phrase means, and which words say nothing by themselves.

`phrases.txt` says what phrases mean, as `kind value: phrase | phrase …`; where several fit, the longest is taken.
`times.txt` says when something was, as patterns of words: ITER is a word for iteration, N a whole number, ? what may
lack. Every entry was read by a person. A phrase that is not here is a word that the checker does not know, and counts
against the sentence in which it stands. Articles are left out of the phrases, as out of the sentences that are
compared.
"""

from __future__ import annotations

from pathlib import Path


def words_of(text: str) -> frozenset[str]:
    """Return the words of a line as a set."""
    return frozenset(text.split())


ARTICLES = words_of("the a an")


HARMLESS = words_of("has have had also value values of in their this there as well")
"""Words that may be left unread: alone, none of them changes what a sentence of known phrases says."""

PREPOSITIONS = words_of("from to by at with for between than near against per instead until on into")
"""Words that say what the number behind them is; left over, they make a clause unreadable."""

ITERATION = frozenset(["iteration", "iterations", "evaluation", "evaluations", "step", "steps"])


IRREGULAR = {
    "flew": "fly", "flown": "fly", "ran": "run", "running": "run", "fell": "fall", "fallen": "fall", "rose": "rise",
    "risen": "rise", "went": "go", "gone": "go", "goes": "go", "hit": "hit", "hits": "hit", "came": "come",
    "broke": "break", "broken": "break", "left": "leave", "met": "meet", "lost": "lose", "began": "begin",
    "is": "be", "are": "be", "was": "be", "were": "be", "has": "have", "had": "have", "crossed": "cross",
}  # fmt: skip
"""Forms of verbs that events are often told with."""

UNITS = words_of(
    "km m cm mm nm μm s ms h min kg g mg t N kN J kJ W kW V mV A mA Pa kPa MPa GPa bar K °C °F Hz kHz m/s km/h m² m³ "
    "€ M€ $ EUR USD % ° rad deg points miles feet furlongs hours minutes seconds days years metres meters kilometres "
    "kilometers degrees percent"
)
"""Units that are read as such behind any number, beside those of the run: a wrong one is told from a strange word."""

UNIT_ALIASES = {
    "percent": "%", "minutes": "min", "minute": "min", "hours": "h", "hour": "h", "seconds": "s", "metres": "m",
    "meters": "m", "kilometres": "km", "kilometers": "km", "degrees": "°", "degree": "°", "deg": "°",
}  # fmt: skip

ZERO = frozenset(["zero"])
"""Words that are read as the number 0."""

WORDED_NUMBERS = {"two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0, "seven": 7.0, "eight": 8.0,
                  "nine": 9.0, "ten": 10.0}  # fmt: skip


def _lines(name: str) -> list[str]:
    """Return the lines of a table beside this file that are not empty."""
    return [line for line in Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines() if line]


def _table() -> dict[str, list[tuple[tuple[str, ...], str, str]]]:
    found: dict[str, list[tuple[tuple[str, ...], str, str]]] = {}
    for line in _lines("phrases.txt"):
        head, _, phrases = line.partition(": ")
        kind, _, value = head.partition(" ")
        for phrase in phrases.split(" | "):
            words = tuple(w for w in phrase.split() if w not in ARTICLES)
            found.setdefault(words[0], []).append((words, kind, value))
    for rows in found.values():
        rows.sort(key=lambda row: -len(row[0]))
    return found


def _times() -> list[tuple[str, tuple[str, ...]]]:
    rows = (line.split(": ") for line in _lines("times.txt"))
    return sorted(((kind, tuple(pattern.split())) for kind, pattern in rows), key=lambda row: -len(row[1]))


TIMES = _times()
"""The patterns of time, the longest first."""

TABLE = _table()
"""From the first word of a phrase to the phrases that begin with it, the longest first."""
