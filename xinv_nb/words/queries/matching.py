"""Which kind of query a question is, by its likeness to reviewed examples.

Questions are compared by their words and pairs of words, weighed by how rarely examples have them (cosine of TF-IDF
vectors; Salton and Buckley 1988). The nearest example decides; where none is near, or two kinds are about equally
near, the question is none of them.
"""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

_EXAMPLES = Path(__file__).with_name("examples")
_LIKE = 0.45
"""Cosine from which on a question is like an example."""
_APART = 0.05
"""By how much the nearest kind has to be nearer than the next."""
_DECIDE = ("why", "when", "many", "if")
"""Words that a question and its example have both, or neither."""
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
        if any((word in asked) != (word in example) for word in _DECIDE):
            continue
        likeness = sum(weight * example.get(word, 0.0) for word, weight in asked.items())
        nearest[kind] = max(nearest.get(kind, 0.0), likeness)
    if not nearest:
        return ""
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
    found = [word for word in re.findall(r"[^\W\d_]+|\d+", plain) if word not in _IGNORED]
    words = ["^", *(_stem(word) for word in found), "$"]
    yield from words[1:-1]
    yield from (f"{one} {two}" for one, two in itertools.pairwise(words))


def _stem(word: str) -> str:
    """Return a word without its ending, or the word that stands for all that mean the same."""
    if word.isdigit():
        return "0"
    if word in _SAME:
        return _SAME[word]
    for ending in ("ing", "ed", "es", "s"):
        if len(word) > len(ending) + 3 and word.endswith(ending):
            stem = word.removesuffix(ending)
            return _SAME.get(stem, stem)
    return word


_MEAN_THE_SAME = (
    "low lowest small smallest smaller least min minimal bottom",
    "high highest large largest great greatest big biggest max maximum maximal peak top",
    "end ended final finally last",
    "start started begin began beginning initial initially",
    "iteration step evaluation",
    "fit run optimization optimisation optimizer optimiser algorithm descent training search solver it program method",
    "is was are were",
    "did does do has had have",
    "rise rose increase grow grew",
    "fall fell drop decrease sink sank",
    "change move go went",
    "right correct true",
    "wrong off bad",
    "would could might",
    "stop stopped finish finished terminate halt",
    "good well",
    "more better",
    "larger bigger higher greater",
    "point place",
    "i we you one someone",
    "parameter variable unknown coefficient",
    "determined identified known pinned",
    "sure certain precise exact accurate",
    "loss objective misfit",
    "reach hit get got become became",
    "most mostly",
    "jump jumps jumpy spike wobble swing oscillate zigzag noisy jagged rough bounce",
    "different other another",
)
"""Words of questions that mean the same, or as good as that."""
_SAME = {word: same.split()[0] for same in _MEAN_THE_SAME for word in same.split()}
_IGNORED = frozenset(["the", "a", "an", "of", "to", "that", "there", "then", "really", "please", "so", "me", "just"])
