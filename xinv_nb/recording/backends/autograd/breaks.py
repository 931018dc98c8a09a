"""Where along a tape of autograd a value, or a gradient, stopped being finite.

In the forward pass it is known from NumPy's own warning (see `hearing`), from an observing tape, or from the operands
that the derivatives hold on to; in the backward pass from a second walk over the tape that is there anyway.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import Any, Literal

from xinv_nb.recording.backends.autograd import observing, tape
from xinv_nb.recording.backends.autograd.observing import Step
from xinv_nb.recording.events import WatchedValue
from xinv_nb.recording.finite import is_finite
from xinv_nb.recording.nonfinite import Birth, Operation

_LONGEST_TAPE = 20_000
"""Operations up to which the places of a first evaluation are kept."""


class FirstTapes:
    """The operations of the first evaluation of each objective, which tell where those of a later one may stand."""

    def __init__(self) -> None:
        self._paths: dict[Hashable, list[Step]] = {}
        """From the end of the tape to its root."""

    def learn(self, objective: Hashable, end_node: Any) -> None:
        """Keep the operations of a first evaluation, read from its observing tape."""
        if not self._paths.get(objective) and end_node is not None:
            self._paths[objective] = tape.steps(end_node, _LONGEST_TAPE)

    def value_break(
        self,
        objective: Hashable,
        end_node: Any,
        *,
        observed: bool,
        report: Operation | None,
        watched: list[WatchedValue],
    ) -> Birth:
        """Return where a loss that is not finite came from, as far as it can be told."""
        operation = report if report is not None and not report.from_data else None
        if observed and end_node is not None:
            operation = observing.birth_of(end_node)
        elif operation is None and end_node is not None and (found := tape.value_break(end_node)) is not None:
            return self._with_likely_place("forward", objective, found, end_node)
        return Birth("forward", operation, between=_between(watched))

    def gradient_break(self, objective: Hashable, seed: Any, end_node: Any, report: Operation | None) -> Birth:
        """Return where a gradient that is not finite came from, though the loss is finite."""
        found = tape.gradient_break(seed, end_node)
        if found is None:
            return Birth("backward")
        birth = self._with_likely_place("backward", objective, found, end_node)
        if not found.is_fed:
            return birth
        fed_by = found.fed_by
        if fed_by is None and report is not None and not report.from_data:
            fed_by = report
        if fed_by is None and (origin := tape.value_break(end_node)) is not None:
            fed_by = origin.operation
        return replace(birth, fed_by=fed_by)

    def _with_likely_place(
        self, phase: Literal["forward", "backward"], objective: Hashable, found: tape.Found, end_node: Any
    ) -> Birth:
        operation, path = found.operation, self._paths.get(objective, [])
        if operation.place is None and path and _same_path(path, end_node):
            step = path[found.index]
            return Birth(phase, replace(operation, name=step.name), step.place)
        return Birth(phase, operation)


def _same_path(path: list[Step], end_node: Any) -> bool:
    """Whether a tape holds the operations of `path`, as far as their names can be told from their derivatives."""
    names = tape.operation_names(end_node, len(path) + 1)
    return len(names) == len(path) and all(
        not name or name == step.name for name, step in zip(names, path, strict=True)
    )


def _between(watched: list[WatchedValue]) -> tuple[str, str]:
    before = ""
    for row in watched:
        if not is_finite(row.value):
            return before, row.name
        before = row.name
    return before, ""
