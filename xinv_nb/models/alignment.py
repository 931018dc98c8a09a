"""Which of a model's sentences may stand for which of the narrator's.

A capable model joins neighbours and changes their order. Each of its sentences is compared with each run of up to three
neighbouring sentences of the narrator's that still stand; it takes their place only where it makes the same claims as
they do together. What no sentence of the model says is said by the narrator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from xinv_nb.claims.numerals import numbers_in

Place = tuple[int, ...]
"""The indices of neighbouring sentences that one sentence stands for."""
Objection = Callable[[str, Sequence[str]], str]
"""Says why a text may not stand for sentences; an empty string where it may."""

_MOST_JOINED = 3


def align(sentences: Sequence[str], wordings: Iterable[str], objection: Objection) -> dict[Place, str]:
    """Return the wordings that may be used, each with the place of the sentences that it stands for.

    >>> align(["a 1", "b 2", "c 3"], ["c 3", "b 2 a 1"], lambda text, block: "" if text in block else "no")
    {(2,): 'c 3'}
    """
    return dict(aligned(sentences, wordings, objection))


def aligned(sentences: Sequence[str], wordings: Iterable[str], objection: Objection) -> Iterator[tuple[Place, str]]:
    """Yield each wording that may be used as soon as it has come, with its place."""
    numbers = [set(numbers_in(sentence)) for sentence in sentences]
    free = set(range(len(sentences)))
    for wording in wordings:
        own = set(numbers_in(wording))
        for place in _places(free):
            has_their_numbers = own == set().union(*(numbers[i] for i in place))  # cheap, and decides most
            if has_their_numbers and not objection(wording, [sentences[i] for i in place]):
                free -= set(place)
                yield place, wording
                break


def _places(free: set[int]) -> Iterator[Place]:
    """Yield the runs of neighbours that are free, the shortest first."""
    for length in range(1, _MOST_JOINED + 1):
        for start in sorted(free):
            place = tuple(range(start, start + length))
            if free.issuperset(place):
                yield place
