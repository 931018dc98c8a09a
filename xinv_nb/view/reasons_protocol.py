"""What the kernel tells the browser of why the parameters moved: a part of `protocol`, typed once as well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict


class ReasonRow(TypedDict):
    """A parameter in the table of reasons, or the others together."""

    name: str
    """As in the series; empty of the others."""
    label: str
    unit: str
    directions: tuple[str, str] | None
    """What less and more of it is called in its domain."""


class ReasonTerm(TypedDict):
    """A quantity in the table of reasons, or the others together."""

    name: str
    """Empty of the others."""
    label: str
    unit: str
    factor: float | None
    """By what a unit of it counts in the loss; None where it does not add up to the loss."""


class ReasonTable(TypedDict):
    """The change of the loss over a stretch, divided among parameters and quantities, in the unit of the loss."""

    span: tuple[int, int]
    """First and last iteration."""
    label: str
    """What the stretch is called; empty of the whole, and of one that the reader chose."""
    parts: Sequence[Sequence[float]]
    """A row for each parameter, a column for each quantity that adds up to the loss."""
    together: Sequence[float]
    """Of each parameter, what its move brought to the loss, through whatever."""
    changes: Sequence[float]
    """Of each quantity, its real change times its factor."""
    change: float
    """The real change of the loss."""
    doubt: float
    """By how much about a part may be wrong."""
    why_not: str
    """Why the parts cannot be told; empty where they are."""


class Pushes(TypedDict):
    """Which quantity pushes which parameter which way, at some iterations: loss per unit of the parameter."""

    iterations: Sequence[int]
    parts: Sequence[Sequence[Sequence[float] | None]]
    """By iteration and row, a number for each quantity, then what all push together; more than that, if quantities that
    are not told push as well. None of the others, and of arrays."""
    is_whole: bool
    """Whether next to nothing pushes but these quantities."""


class ReasonFact(TypedDict):
    """The cells of the table that a fact rests on, by row and columns."""

    id: str
    span: tuple[int, int]
    row: int
    terms: Sequence[int]


class Reasons(TypedDict):
    """What moved the parameters, and what their moves brought to the loss."""

    why_not: str
    """Why there are none; empty where there are."""
    unit: str
    """That of the loss."""
    lower: str
    higher: str
    """What a lower and a higher loss is called."""
    rows: Sequence[ReasonRow]
    terms: Sequence[ReasonTerm]
    """Those that add up to the loss come first."""
    tables: Sequence[ReasonTable]
    """Of the whole, then of each phase."""
    pushes: Pushes | None
    facts: Sequence[ReasonFact]
