"""What may be said of a run, as plain data: its phases, and facts about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Phase:
    """A stretch of the run, from evaluation `start` up to but not including `stop`."""

    start: int
    stop: int
    kind: str
    label: str
    last: int | None = None
    """The evaluation at which its story ends, where that is not the one at which the next phase begins: trials came
    after it that were not accepted, or another optimizer starts."""


@dataclass(frozen=True)
class Fact:
    """A statement computed from the recording, never generated; `span` is the first and last evaluation."""

    id: str
    kind: str
    text: str
    values: Mapping[str, Any]
    span: tuple[int, int]
    cites: tuple[str, ...] = ()
    salience: float = 0.0
    """How much a reader would miss it, from 0 to 1; `run.facts` begins with those that would be missed most."""
