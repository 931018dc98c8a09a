"""What may be said of a run, as plain data: its phases, and facts about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from xinv_nb.language.renderer import rendered
from xinv_nb.language.slots import Slot


@dataclass(frozen=True)
class Phase:
    """A stretch of the run, from evaluation `start` up to but not including `stop`.

    Examples
    --------
    >>> Phase(0, 40, "descent", "descent").noisy
    False
    """

    start: int
    stop: int
    kind: str
    label: str
    last: int | None = None
    """The evaluation at which its story ends, where that is not the one at which the next phase begins: trials came
    after it that were not accepted, or another optimizer starts."""
    noisy: bool = False
    """Whether single losses are draws from a noise, of which only medians tell something."""


@dataclass(frozen=True, eq=False)
class Fact:
    """A statement computed from the recording, never generated: a kind, one of its forms, and typed slots.

    `span` is the first and last evaluation that it is about, `cites` the events and facts that it rests on.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> with xi.record() as run:
    ...     slopes = [grad(lambda x: x**2)(x) for x in (4.0, 2.0)]
    >>> fact = run.facts[0]
    >>> fact.kind, fact.values["end"], fact.text
    ('course', 4.0, 'The loss fell from 16 to 4 over 2 iterations, 75 % lower than at the start.')
    """

    id: str
    kind: str
    form: str
    slots: Mapping[str, Slot]
    span: tuple[int, int]
    cites: tuple[str, ...] = ()
    salience: float = 0.0
    """How much a reader would miss it, from 0 to 1; `run.facts` begins with those that would be missed most."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """What planners and checkers ask of it and its sentence does not say."""
    wordings: str = ""
    """The kind in whose part of the bank its sentences are; its own where empty."""

    def __eq__(self, other: object) -> bool:
        """Whether both say the same: a number that is not a number equals itself here, or no such fact would."""
        return isinstance(other, Fact) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash((self.id, self.kind, self.form, self.span))

    @cached_property
    def text(self) -> str:
        """Its own sentence, in English."""
        return rendered(self.wordings or self.kind, self.form, self.slots)

    @property
    def values(self) -> dict[str, Any]:
        """The bare numbers and names in it, and what else is known with it; a copy, which the reader may change."""
        return dict(self._plain)

    @cached_property
    def _plain(self) -> dict[str, Any]:
        return {name: slot.plain for name, slot in self.slots.items()} | dict(self.data)
