"""In which order evaluations of several objectives were made, and what one objective does between those of another."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from xinv_nb.recorded.history import MOST_CHANGES, History
from xinv_nb.recording.held import read_by

_MOST = 20_000
"""Changes from one objective to another that are noted; of more, nothing is told."""
_MOST_OBJECTIVES = 12
_FEWEST = 3
"""Evaluations that it takes to call something minimized, where no solver made them; and times that it has to be."""
_SMALL = 16
_LONG = 10
"""Steps for each of the other one from which on it is a fit, and no player that takes a few more steps."""
_NEARLY_ALL = 0.8
_SAME = 1e-9
"""Share by which two losses at one point may differ, for rounding."""


@dataclass
class Stretch:
    """Evaluations of one objective, `start` up to `stop`, without one of another between them."""

    history: History
    start: int
    stop: int
    is_called: bool = False
    """Whether the call of an optimizer began in it."""
    given: tuple[float, ...] = ()
    """The numbers that a solver's function read from around it, or was given beside the point, at the first of them."""


@dataclass
class Order:
    """The stretches of one recording, in the order in which they were made."""

    latest: History | None = None
    """The objective of the latest new evaluation."""
    _turns: list[tuple[History, int, tuple[float, ...]]] = field(default_factory=list)

    def turns_to(self, history: History, row: int, holds: tuple[Any, tuple[Any, ...]] | None) -> None:
        """Take note that an evaluation is of another objective than the one before it; `holds` is what it is given."""
        self.latest = history
        if len(self._turns) <= _MOST:
            given = () if holds is None or history.width > 1 else _numbers((*read_by(holds[0]), *holds[1]))
            self._turns.append((history, row, given))

    def joined(self, old: Sequence[History], new: History) -> None:
        """Forget the order of histories that were put together: they are one."""
        self._turns = [turn for turn in self._turns if turn[0] not in old]
        self.latest = new if self.latest in old else self.latest

    def stretches(self) -> list[Stretch]:
        """Return the stretches; none where there are too many."""
        if len(self._turns) > _MOST:
            return []
        found, next_of = list[Stretch](), dict[History, int]()
        calls = {history: [call.start for call in history.calls] for history in {turn[0] for turn in self._turns}}
        for history, start, given in reversed(self._turns):
            stop = next_of.get(history, len(history))
            is_called = bisect_left(calls[history], start) < bisect_left(calls[history], stop)
            found.append(Stretch(history, start, stop, is_called, given))
            next_of[history] = start
        return found[::-1]


def _numbers(values: Sequence[Any]) -> tuple[float, ...]:
    """Return the numbers among some values, and those in small arrays."""
    found = list[float]()
    for value in values:
        if isinstance(value, float):
            found.append(float(value))
        elif isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.size <= _SMALL:
            found += value.reshape(-1).tolist()
    return tuple(found)


def find_hand_overs(order: Order) -> None:
    """Note where a loop goes on from the point where a solver had ended that minimized the same, as another function.

    `fn = lambda x: float(f(x))`, say, is what it polishes, between gradients that it takes of `f`.
    """
    for before, now in pairwise(order.stretches()):
        solver, loop = before.history, now.history
        if not before.is_called or now.is_called or now.start <= max(loop.handed, default=0):
            continue
        if (
            _is_looked_at(loop, now.start, solver, before.start, before.stop)
            and np.isclose(
                loop.loss.array[now.start], solver.loss.array[before.start : before.stop], rtol=_SAME, atol=0.0
            ).any()
        ):
            loop.handed.append(now.start)


def find_inner(order: Order) -> None:
    """Mark what is minimized between the evaluations of another objective: once for each value of that one.

    So it is with an outer loop that is written by hand around the calls of a solver, or around another loop.
    """
    stretches = order.stretches()
    histories = list(dict.fromkeys(each.history for each in stretches))
    if not 1 < len(histories) <= _MOST_OBJECTIVES:
        return
    times = {outer: _minimized(outer, stretches) for outer in histories}
    for outer, found in times.items():
        if not _fell(outer):
            continue
        for inner, count in found.items():
            plays = bool(inner.moved_by) and len(inner) < _LONG * count
            if not inner.nested and not plays and not times[inner].get(outer):
                inner.nested, inner.is_between = count, True


def _minimized(outer: History, stretches: Sequence[Stretch]) -> dict[History, int]:
    """Return the objectives that were minimized before nearly each evaluation of another one, and how often."""
    rounds, long = -1, 0
    """How often it came back to the outer one: what was minimized before the first of them is one more."""
    since: dict[History, tuple[int, int]] = {}
    times, own, changed = Counter[History](), Counter[History](), Counter[History]()
    anew = {
        inner: _Anew(inner, [each.start for each in stretches if each.history is inner])
        for inner in dict.fromkeys(each.history for each in stretches if each.history is not outer)
    }
    for each in stretches:
        if each.history is not outer:
            first, _ = since.get(each.history, (each.start, each.stop))
            since[each.history] = first, each.stop
            continue
        rounds, long = rounds + 1, long + (each.stop - each.start >= _FEWEST)
        for inner, (first, stop) in since.items():
            if anew[inner].is_minimized(first, stop):
                times[inner] += 1
                own[inner] += _is_looked_at(outer, each.start, inner, first, stop)
                changed[inner] += anew[inner].has_changed(first)
        since.clear()
    if 2 * long > rounds:
        return {}
    return {
        inner: count
        for inner, count in times.items()
        if count >= max(_FEWEST, _NEARLY_ALL * rounds)
        # Looked at where the other one ended it is that one's held-out loss, unless it leads it: a likelihood, say.
        and (2 * own[inner] < count or (_never_rose(outer) and changed[inner] >= _NEARLY_ALL * rounds))
    }


class _Anew:
    """Tells whether stretches of one objective are minimizations of their own, and no parts of one that goes on."""

    def __init__(self, history: History, starts: Sequence[int]) -> None:
        self._history = history
        self._calls = [call.start for call in history.calls]
        self._changes = [row for row, _ in history.held]
        self._start = None if history.kept is not None else history.values.array[starts[0]]
        self._unknown = len(history)
        """From which evaluation on it is not known whether it held other data, as it did at each start before."""
        if len(self._changes) > MOST_CHANGES and set(self._changes) <= set(starts):
            self._unknown = self._changes[-1] + 1

    def is_minimized(self, first: int, stop: int) -> bool:
        """Whether a solver was called in these evaluations, or a loop went down that began anew, or with other data."""
        if bisect_left(self._calls, first) < bisect_left(self._calls, stop):
            return True
        loss = self._history.loss.block
        if stop - first < _FEWEST or not loss[stop - 1] < loss[first]:
            return False
        changes = self._changes[bisect_left(self._changes, first) : bisect_left(self._changes, stop)]
        is_back = self._start is not None and np.array_equal(self._history.values.array[first], self._start)
        return is_back or changes == [first] or first >= self._unknown

    def has_changed(self, first: int) -> bool:
        """Whether it held other data from an evaluation on."""
        place = bisect_left(self._changes, first)
        return self._changes[place : place + 1] == [first] or first >= self._unknown


def _never_rose(history: History) -> bool:
    loss = history.loss.array
    return bool((np.diff(loss) <= 0).all())


def _fell(history: History) -> bool:
    """Whether the loss of an objective ended lower than it began, and was so for the whole second half."""
    loss = history.loss.array
    return len(loss) >= _FEWEST and bool((loss[len(loss) // 2 :] < loss[0]).all())


def _is_looked_at(outer: History, row: int, inner: History, first: int, stop: int) -> bool:
    """Whether one objective is evaluated where the other one ended: a loss of held-out data, say, is no outer one."""
    if outer.width != inner.width or outer.kept is not None or inner.kept is not None:
        return False
    loss = np.where(inner.accepted.array[first:stop], inner.loss.array[first:stop], np.inf)
    loss[np.isnan(loss)] = np.inf
    ends = inner.values.array[[first + int(np.argmin(loss)), *range(stop - 1, min(stop + 1, len(inner)))]]
    return bool((ends == outer.values.array[row]).all(axis=1).any())
