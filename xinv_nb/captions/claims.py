"""What a sentence claims, and whether the recording supports it.

Two checks stand here. `check` looks for every number of a free text among the numbers that the run's facts and events
say. `same_claims` compares a rewording with its source sentence: the same numbers in the same order, the same names,
the same words of direction and role, and no meaningful word that is neither in the source nor in a reviewed list of
harmless ones. Any doubt counts against the rewording: the source is true, and at hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from xinv_nb.run import Claim, Run

_NUMBER = re.compile(r"[−-]?\d+(?:[.,]\d+)*(?:\s?[×x]\s?10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+|e[+-]?\d+)?", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+(?:['’][a-z]+)?")
_PLAIN_DIGITS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-")

_CLASSES: tuple[tuple[str, ...], ...] = (
    ("rose", "rises", "rise", "rising", "increased", "increase", "increases", "increasing", "grew", "climbed", "up"),
    ("fell", "falls", "fall", "falling", "decreased", "decrease", "decreases", "decreasing", "dropped", "drop", "drops",
     "declined", "down", "sank"),
    ("higher", "larger", "greater"),
    ("lower", "smaller"),
    ("stayed", "unchanged", "constant", "hardly"),
    ("opposite", "against", "contrary"),
    ("first",), ("last", "final", "finally"), ("only",), ("every", "all", "always", "each"),
    ("north",), ("south",), ("east",), ("west",), ("left",), ("right",),
    ("start", "began", "begin", "beginning", "started"), ("end", "ended", "ends", "ending"),
    ("forward",), ("backward",), ("not", "no", "never", "without", "nor"),
    ("lowest", "minimum", "least", "best"), ("highest", "maximum", "most", "largest", "worst"),
    ("could", "would", "might"), ("more",), ("less", "fewer"), ("could still",),
)  # fmt: skip
"""Words that carry direction, order, extent or negation. A rewording has to touch the same classes as its source."""

_HARMLESS = frozenset(
    [
        "a",
        "an",
        "the",
        "this",
        "that",
        "these",
        "those",
        "it",
        "its",
        "they",
        "their",
        "of",
        "in",
        "on",
        "at",
        "by",
        "to",
        "from",
        "for",
        "with",
        "as",
        "and",
        "or",
        "but",
        "so",
        "then",
        "while",
        "during",
        "over",
        "across",
        "through",
        "between",
        "after",
        "before",
        "when",
        "where",
        "which",
        "was",
        "were",
        "is",
        "are",
        "be",
        "been",
        "being",
        "has",
        "have",
        "had",
        "did",
        "does",
        "do",
        "iteration",
        "iterations",
        "step",
        "steps",
        "run",
        "value",
        "values",
        "went",
        "going",
        "go",
        "moved",
        "moves",
        "move",
        "moving",
        "changed",
        "changes",
        "change",
        "changing",
        "percent",
        "point",
        "points",
        "there",
        "here",
        "also",
        "about",
        "account",
        "accounts",
        "accounted",
        "came",
        "come",
    ]
)

_CLASS_OF = {word: index for index, words in enumerate(_CLASSES) for word in words}


def numbers_in(text: str) -> list[float]:
    """Return the numbers of a text in their order.

    >>> numbers_in("from 1.2×10⁻³ to −4 km, 41 %")
    [0.0012, -4.0, 41.0]
    """
    found = []
    for match in _NUMBER.finditer(text):
        plain = re.sub(r"\s?[×x]\s?10(?=[⁻⁰¹²³⁴⁵⁶⁷⁸⁹])", "e", match.group()).translate(_PLAIN_DIGITS)
        # A hyphen between a letter or digit and a number is no sign: "iterations 3-7", "point-2".
        if plain.startswith("-") and match.start() > 0 and text[match.start() - 1].isalnum():
            plain = plain[1:]
        found.append(float(plain.replace(",", "")))
    return found


def same_claims(rewording: str, source: str, names: Iterable[str]) -> str:
    """Return why `rewording` may not stand for `source`, or an empty string if it makes the same claims.

    `names` are the domain's names (parameters, watched quantities): those in the source have to stay, others may not
    come in.
    """
    if not rewording.strip():
        return "it is empty"
    if numbers_in(rewording) != numbers_in(source):
        return "its numbers are not those of the facts"
    own, theirs = rewording.lower(), source.lower()
    for name in names:
        if (name.lower() in own) != (name.lower() in theirs):
            return f"it {'brings in' if name.lower() in own else 'leaves out'} “{name}”"
    own_words, source_words = _WORD.findall(own), _WORD.findall(theirs)
    if _classes(own_words) != _classes(source_words):
        return "its words of direction or order are not those of the facts"
    strange = [w for w in own_words if w not in _HARMLESS and w not in source_words and w not in _CLASS_OF]
    if strange:
        return f"“{strange[0]}” is not in the facts"
    if len(own_words) > 2 * len(source_words) + 4:
        return "it repeats itself"
    return ""


def _classes(words: Sequence[str]) -> list[int]:
    return sorted(_CLASS_OF[word] for word in words if word in _CLASS_OF)


def check(run: Run, text: str, span: tuple[int, int] | None = None) -> list[Claim]:
    """Return a claim for each number in `text`, supported if a fact or event of the run (within `span`) says it.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> with xi.record() as run:
    ...     for x in (4.0, 2.0, 1.0):
    ...         slope = grad(lambda x: x**2)(x)
    >>> [c.supported for c in run.check("The loss fell from 16 to 7.")]
    [True, False]
    """
    told: dict[float, str] = {}
    for fact in run.facts:
        if span is None or (fact.span[0] <= span[1] and fact.span[1] >= span[0]):
            for value in numbers_in(fact.text):
                told.setdefault(value, fact.id)
    for event in run.events:
        if span is None or span[0] <= event.evaluation <= span[1]:
            for value in numbers_in(event.text):
                told.setdefault(value, event.id)
    claims = []
    for sentence in re.split(r"(?<=[.!?])\s+", text):
        for value in numbers_in(sentence):
            source = told.get(value)
            reason = f"said in {source}" if source else "no fact or event of this run says this number"
            claims.append(Claim(f"{value:g} in “{sentence.strip()}”", source is not None, reason))
    return claims or [Claim(text, None, "no number to check; words alone are not judged yet")]
