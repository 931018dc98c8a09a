"""What is wrong with a run, as plain data: a finding, with what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from xinv_nb.facts.shifting import shifted_data, shifted_slots
from xinv_nb.language.bank import bank_of
from xinv_nb.language.renderer import rendered
from xinv_nb.language.slots import Slot
from xinv_nb.recorded.excerpt import Places

Severity = Literal["warning", "caution"]
"""`warning`: the result cannot be used as it is; `caution`: needed to read the result right."""

PART = "finding {}"
"""The part of the bank that words a kind of finding."""


@dataclass(frozen=True, eq=False)
class Finding:
    """One thing that is wrong with a run, or that is needed to read its result right.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     run.add(float("nan"), 1.0, gradients=1.0)
    >>> [finding.kind for finding in run.diagnosis]
    ['not-finite']
    """

    id: str
    kind: str
    """A stable name, such as `not-finite`, by which it is documented and muted."""
    severity: Severity
    form: str
    slots: Mapping[str, Slot]
    span: tuple[int, int]
    """The first and the last evaluation that it is about."""
    cites: tuple[str, ...] = ()
    """The events and facts that it rests on."""
    data: Mapping[str, Any] = field(default_factory=dict)

    def __eq__(self, other: object) -> bool:
        """Whether both say the same: a number that is not a number equals itself here."""
        return isinstance(other, Finding) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash((self.id, self.kind, self.form, self.span))

    @cached_property
    def text(self) -> str:
        """What is wrong and where, in English."""
        return rendered(PART.format(self.kind), self.form, self.slots)

    @cached_property
    def advice(self) -> str:
        """The next call or change to make, in English."""
        return rendered(self.part, self.advice_form, self.slots)

    @property
    def advice_form(self) -> str:
        """The form of its advice: `advice`, or its own form and `advice` where the bank has that."""
        own = f"{self.form}, advice"
        return own if (self.part, own) in bank_of().own else "advice"

    @property
    def part(self) -> str:
        """The part of the bank that words it."""
        return PART.format(self.kind)

    @cached_property
    def values(self) -> dict[str, Any]:
        """The bare numbers and names in it, and what else is known with it."""
        return {name: slot.plain for name, slot in self.slots.items()} | dict(self.data)


def shifted_finding(finding: Finding, by: Places) -> Finding:
    """Return a finding about one fit of a recording, with every evaluation in it in the numbers of the recording."""
    span = (by.back(finding.span[0]), by.back(finding.span[1]))
    return replace(finding, slots=shifted_slots(finding.slots, by), data=shifted_data(finding.data, by), span=span)
