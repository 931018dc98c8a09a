"""Which kind of query a question is, by its likeness to reviewed examples.

Questions are compared by their words and pairs of words, weighed by how rarely examples have them (cosine of TF-IDF
vectors; Salton and Buckley 1988). The nearest example decides; where none is near, or two kinds are about equally
near, the question is none of them.
"""

from __future__ import annotations

import functools
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

_EXAMPLES = Path(__file__).with_name("examples")
_LIKE = 0.5
"""Cosine from which on a question is like an example."""
_APART = 0.04
"""By how much the nearest kind has to be nearer than the next."""
NAME = "qname"
"""What stands in a question for the name of a parameter or a quantity; `{name}` in the examples."""

Features = Mapping[str, float]


def kind_of(question: str) -> str:
    """Return the kind of query that a question is, with `qname` for names of the domain; empty if none is near.

    Examples
    --------
    >>> kind_of("when was the qname at its lowest")
    'extreme'
    >>> kind_of("is the sky blue")
    ''
    """
    asked = _vector(question)
    nearest: dict[str, float] = {}
    for kind, example in _examples():
        likeness = sum(weight * example.get(word, 0.0) for word, weight in asked.items())
        nearest[kind] = max(nearest.get(kind, 0.0), likeness)
    best, *rest = sorted(nearest, key=lambda kind: -nearest[kind])
    is_clear = not rest or nearest[best] - nearest[rest[0]] >= _APART
    return best if nearest[best] >= _LIKE and is_clear else ""


def examples() -> Iterator[tuple[str, str]]:
    """Yield the kind and the words of each reviewed example."""
    for path in sorted(_EXAMPLES.glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                yield path.stem, line


@functools.cache
def _examples() -> tuple[tuple[str, Features], ...]:
    return tuple((kind, _vector(line.replace("{name}", NAME))) for kind, line in examples())


@functools.cache
def _rarity() -> tuple[Mapping[str, float], float]:
    """Return how much each word or pair of words weighs, and what an unknown one does."""
    counts = Counter(feature for _, line in examples() for feature in set(_features(line.replace("{name}", NAME))))
    total = sum(1 for _ in examples())
    return {word: math.log(1 + total / count) for word, count in counts.items()}, math.log(1 + total / 3)


def _vector(text: str) -> Features:
    rarity, unknown = _rarity()
    weights = {word: rarity.get(word, unknown if " " not in word else 0.0) for word in set(_features(text))}
    size = math.sqrt(sum(weight**2 for weight in weights.values())) or 1.0
    return {word: weight / size for word, weight in weights.items()}


_NOT = re.compile(r"n't\b|\bnot\b")



def _features(text: str) -> Iterator[str]:
    """Yield the words of a text, without their endings, and the pairs of neighbours; a "not" wherever it stands."""
    plain = text.lower().replace("’", "'").replace("what's", "what is")
    if _NOT.search(plain):
        yield from ("not", "not at all")
        plain = _NOT.sub("", plain)
    words = ["^", *(_stem(word) for word in re.findall(r"[^\W\d_]+|\d+", plain)), "$"]
    yield from words[1:-1]
    yield from (f"{one} {two}" for one, two in zip(words, words[1:], strict=False))


def _stem(word: str) -> str:
    if word.isdigit():
        return "0"
    for ending in ("ing", "ed", "es", "s"):
        if len(word) > len(ending) + 3 and word.endswith(ending):
            return word.removesuffix(ending)
    return word
