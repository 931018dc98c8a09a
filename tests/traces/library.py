"""The frame of the library: what a trace is, and where all of them stand."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

from xinv_nb.run import Run


@dataclass(frozen=True)
class Trace:
    """A recorded run and what a person who knows the method says of it; None where nothing is expected."""

    name: str
    make: Callable[[], Run]
    """Makes the run; the same object each time it is called in one session."""
    phases: tuple[str, ...] | None = None
    """Kinds of the phases in their order."""
    borders: tuple[int, ...] = ()
    """Where the second and later phases begin."""
    tolerance: int = 3
    """How far a border may lie from where a person would draw it."""
    speed: str | None = None
    """`"linear"`, `"superlinear"`, `"sublinear"`, or an empty string where the data does not show it."""
    rate: float | None = None
    """The analytic factor by which the loss above its limit shrinks in one iteration."""
    period: float | None = None
    """The analytic number of iterations from one peak of the loss to the next."""
    best: int | None = None
    """The evaluation with the lowest loss, where the run did not end with it."""
    stopped: str | None = None
    """A part of the sentence that says why the run ended."""
    says: tuple[str, ...] = ()
    """Patterns that some fact has to match."""
    silent: tuple[str, ...] = ()
    """Patterns that no fact may match."""


TRACES: dict[str, Trace] = {}


def trace(**expected) -> Callable[[Callable[[], Run]], Callable[[], Run]]:
    """Put the function below into the library, under its name, with what is expected of the run that it makes."""

    def add(make: Callable[[], Run]) -> Callable[[], Run]:
        assert make.__name__ not in TRACES
        cached = functools.cache(make)
        TRACES[make.__name__] = Trace(make.__name__, cached, **expected)
        return cached

    return add
