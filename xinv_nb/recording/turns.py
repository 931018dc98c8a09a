"""Finds what a program differentiates by turns: one function, by one of its arguments after the other.

`grad(f, 0)(m, b)` and `grad(f, 1)(m, b)` are passes at one point: one evaluation, with the gradient by both. Where the
one comes after the other's step, as in coordinate descent, they are evaluations of one objective of which a part of the
gradient is known. But a function may be differentiated by its data as well, to see what it listens to: two arguments
belong together where each is moved along its own gradient, or where all passes come in pairs at one point.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recorded.history import History
from xinv_nb.recorded.writer import RunWriter
from xinv_nb.recording.arguments import Part, arguments_in, mark, values_of
from xinv_nb.recording.evaluation import Evaluation
from xinv_nb.recording.joining import join, put
from xinv_nb.recording.players import find_players

_MOST_TRIES = 16
"""Evaluations of a part after which it is no longer asked whether it belongs together with another."""
_ALONG = 0.2
"""Cosine from which a step goes along a gradient."""
_OFTEN = 8
"""Steps that all go along the gradient, or all against it, and are no chance."""
_PAIRED = 0.9
"""Share of the passes by one argument that have one by the other at the same point, where they come in pairs."""

Appended = tuple[History, int, NDArray[Any] | None, bool]
"""The history of an evaluation, its row, its gradient in the columns (nan where not known), and whether it is new."""


class Turns:
    """The histories of objectives that take several arguments."""

    def __init__(
        self,
        writer: RunWriter,
        new_history: Callable[[Evaluation], History],
        thinned: Callable[[History], None],
        joined: Callable[[Sequence[History], History], None],
    ) -> None:
        self._writer = writer
        self._new_history = new_history
        self._thinned = thinned
        self._joined = joined
        self._parts: dict[Hashable, list[Part]] = {}
        self._moment = 0

    def knows(self, objective: Hashable) -> bool:
        """Whether an objective was seen to take several arguments."""
        return objective in self._parts

    def append(self, evaluation: Evaluation, gradient: Any | None) -> Appended:
        """Add an evaluation."""
        parts = self._parts.setdefault(evaluation.identity, [])
        part, point = self._part_of(evaluation, parts)
        self._moment += 1
        history = part.history
        values = part.row_at(point)
        known = part.columns_of(evaluation.positions)
        slope = np.zeros_like(values)
        if gradient is not None:
            own = evaluation.positions
            slope = part.row_at(dict(zip(own, [gradient] if len(own) == 1 else gradient, strict=True)))
        slope[~known] = np.nan
        stride = history.stride
        row, is_new = put(part, values, slope, known, evaluation.loss, evaluation.site)
        if history.stride != stride:
            self._thinned(history)
        if is_new:
            part.moments.append(self._moment)
            part.note_others(row, evaluation)
            if len(self._parts) > 1:
                find_players(part, row, self._parts.values())
        return history, row, slope, is_new

    def close(self) -> None:
        """Put together what came in pairs, though nothing was moved."""
        for parts in self._parts.values():
            for part in list(parts):
                others = [other for other in parts if other is not part and _are_free(part, other)]
                if part in parts and (found := [other for other in others if _are_paired(part, other)]):
                    self._join(parts, [part, *found], {})

    def _part_of(self, evaluation: Evaluation, parts: list[Part]) -> tuple[Part, Mapping[int, Any]]:
        """Return the part that an evaluation belongs to, and its point in the arguments of that part."""
        for part in parts:
            if set(evaluation.positions) <= part.arguments.keys() and (point := part.point_of(evaluation)) is not None:
                if part.tries < _MOST_TRIES and len(parts) > 1:
                    part.tries += 1
                    others = [other for other in parts if _go_together(part, other, evaluation)]
                    if others and (found := self._join(parts, [part, *others], evaluation.others or {})) is not None:
                        return found, values_of(evaluation, found.arguments)
                return part, point
        history = self._new_history(evaluation)
        positions = sorted({*evaluation.positions, *(evaluation.others or {})})
        names = dict(zip(positions, evaluation.names_of(positions), strict=True))
        part, point = (
            Part(history, arguments_in(history, evaluation), names),
            values_of(evaluation, evaluation.positions),
        )
        wider = [each for each in parts if _is_at(each, point) and _are_free(each, part, may_share=True)]
        if wider and (found := self._join(parts, [*wider, part], point)) is not None:
            return found, values_of(evaluation, found.arguments)
        parts.append(part)
        self._writer.add_history(history)
        return part, point

    def _join(self, parts: list[Part], those: Sequence[Part], now: Mapping[int, Any]) -> Part | None:
        those = sorted(those, key=lambda part: part.moments)
        found = join(those, now, self._writer)
        if found is not None:
            self._joined([part.history for part in those], found.history)
            parts[:] = [found if part is those[0] else part for part in parts if part not in those[1:]]
        return found


def _are_free(part: Part, other: Part, *, may_share: bool = False) -> bool:
    """Whether two parts hold different arguments, of which all evaluations are kept."""
    if part.arguments.keys() & other.arguments.keys() and not may_share:
        return False
    return part.history.kept is None and other.history.kept is None


def _is_at(part: Part, point: Mapping[int, Any]) -> bool:
    """Whether the only evaluation of a part is at a point that holds its arguments, and more."""
    return (
        len(part.moments) == 1
        and part.arguments.keys() < point.keys()
        and all((found := mark(value)) is not None and part.mark_at(p, 0) == found for p, value in point.items())
    )


def _go_together(part: Part, other: Part, evaluation: Evaluation) -> bool:
    """Whether the arguments of two parts were both moved, each along its own latest gradient.

    Against the gradient; where both were taken at one point, also up: one may lower the loss and the other raise it.
    """
    if other is part or not _are_free(part, other) or (now := other.point_of(evaluation)) is None:
        return False
    own = part.point_of(evaluation)
    assert own is not None
    along = _along(part, own), _along(other, now)
    if max(along) <= -_ALONG:
        return True
    is_sure = _at_one_point(part, -1, other, -1) or (_keeps_on(part, along[0]) and _keeps_on(other, along[1]))
    return min(map(abs, along)) >= _ALONG and is_sure


def _keeps_on(part: Part, along: float) -> bool:
    """Whether all steps of a part so far went along its gradients to the side of the latest, too often for chance."""
    values, slopes = part.history.values.array, np.conj(part.history.gradients.array)
    steps = np.diff(values, axis=0)
    sizes = np.linalg.norm(steps, axis=1) * np.linalg.norm(slopes[:-1], axis=1)
    earned = (slopes[:-1] * steps).sum(axis=1).real * np.sign(along)
    return len(steps) >= _OFTEN and bool((earned >= _ALONG * sizes).all() and (sizes > 0).all())


def _along(part: Part, now: Mapping[int, Any]) -> float:
    """Return the cosine between the latest gradient of a part and the step from its latest point to this one."""
    step = part.row_at(now) - part.history.values.array[-1]
    slope = np.conj(part.history.gradients.array[-1])
    size = float(np.linalg.norm(step) * np.linalg.norm(slope))
    return float(np.vdot(slope, step).real) / size if size > 0 else 0.0


def _at_one_point(part: Part, row: int, other: Part, other_row: int) -> bool:
    """Whether evaluations of two parts saw the same arguments."""
    row, other_row = row % len(part.moments), other_row % len(other.moments)
    return all(
        (found := part.mark_at(position, row)) is not None and found == other.mark_at(position, other_row)
        for position in (*part.arguments, *other.arguments)
    )


def _both_ways(part: Part, other: Part) -> tuple[tuple[Part, Part], tuple[Part, Part]]:
    return (part, other), (other, part)


def _moves(part: Part) -> bool:
    values = part.history.values.array
    return bool((values[1:] != values[:-1]).any())


def _are_paired(part: Part, other: Part) -> bool:
    """Whether nearly all evaluations of two parts come in pairs at one point, and what stayed had no slope."""
    if any(_moves(one) < _moves(two) and one.history.gradients.array.any() for one, two in _both_ways(part, other)):
        return False
    counts = sorted((len(part.moments), len(other.moments)))
    if counts[0] < _PAIRED * counts[1]:
        return False
    return sum(_at_one_point(part, row, other, row) for row in range(counts[0])) >= _PAIRED * counts[1]
